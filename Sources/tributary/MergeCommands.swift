import ArgumentParser
import CRMCore
import Foundation
import Wire

/// Merges records from a terminal.
struct MergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Merge 2 to 100 records into one by a survivorship policy.",
        discussion: "Without --policy the module's stored policy holds, or the standard one. See docs/merge.md.")

    @Option(help: "API name of the module, such as Leads.")
    var module: String
    @Argument(help: "Ids of the records.")
    var ids: [String]
    @Option(help: "The id that survives (default: the policy's choice).")
    var master: String?
    @Option(help: "A file with a survivorship policy as JSON.")
    var policy: String?
    @Flag(help: "Only tell what would happen.")
    var dryRun = false
    @Option(help: "E-mail address of the user to act as (default: the organisation's first).")
    var user: String?
    @OptionGroup var place: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if ids.count < 2 { throw ValidationError("name at least two records") }
    }

    func run() async throws {
        let answer = try await AdminConnection.perform(
            .merge(module: module, ids: ids, master: master, policy: try readPolicy(), dryRun: dryRun, user: user), place)
        if output.json { return print(answer.text) }
        print(dryRun ? "would survive: \(answer["id"]?.string ?? "")" : "survivor: \(answer["id"]?.string ?? "")")
        for member in answer["moved"]?.members ?? [] { print("  \(member.name): \(member.value.text) rows") }
        for warning in answer["warnings"]?.array ?? [] { print("  \(warning.string ?? "")") }
        if let journal = answer["journal_id"]?.string {
            print("undo: tributary unmerge --module \(module) \(answer["id"]?.string ?? "") \(journal)")
        }
    }

    private func readPolicy() throws -> JSONValue {
        guard let policy else { return .null }
        guard let data = FileManager.default.contents(atPath: policy) else { throw CommandFailure("cannot read \(policy)") }
        do { return try JSONValue.parse([UInt8](data)) } catch { throw CommandFailure("\(policy) is not JSON: \(error)") }
    }
}

/// Takes a merge back from a terminal.
struct UnmergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "unmerge", abstract: "Take a merge back.")

    @Option(help: "API name of the module, such as Leads.")
    var module: String
    @Argument(help: "Id of the surviving record.")
    var master: String
    @Argument(help: "Journal id of the merge.")
    var journal: String
    @Option(help: "E-mail address of the user to act as (default: the organisation's first).")
    var user: String?
    @OptionGroup var place: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await AdminConnection.perform(.unmerge(module: module, master: master, journal: journal, user: user), place)
        if output.json { return print(answer.text) }
        print("restored: \((answer["restored"]?.array ?? []).compactMap(\.string).joined(separator: ", "))")
        for member in answer["moved_back"]?.members ?? [] { print("  \(member.name): \(member.value.text) rows") }
        for kept in answer["kept_rows"]?.array ?? [] {
            print("  changed since, left alone: \(kept["module"]?.string ?? "") \(kept["id"]?.string ?? "")")
        }
    }
}
