import Foundation

/// The entries of the v7 directory, as shipped beside this target.
package struct Directory {
    package struct Entry: Sendable {
        package let number: String
        package let section: String
        package let title: String
        package let method: String
        package let path: String
        /// Such as `50` or `1-10`; empty for one.
        package let credits: String
    }

    package enum Failure: Error { case missing }

    package let entries: [Entry]

    /// Reads `directory.tsv`: a header line, then number, section, title, method, path, other paths, scope, credits and a column not needed here.
    package init() throws {
        guard let url = Bundle.module.url(forResource: "directory", withExtension: "tsv", subdirectory: "Resources") else {
            throw Failure.missing
        }
        entries = try String(contentsOf: url, encoding: .utf8).split(separator: "\n").dropFirst().compactMap { line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count >= 8 else { return nil }
            return Entry(number: cells[0], section: cells[1], title: cells[2], method: cells[3], path: cells[4], credits: cells[7])
        }
    }
}
