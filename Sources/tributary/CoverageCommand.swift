import ArgumentParser
import RestV7

/// Prints the coverage page.
struct CoverageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage", abstract: "Print which directory entries are answered, as Markdown.")

    func run() throws { print(CoveragePage(try Directory()).markdown, terminator: "") }
}
