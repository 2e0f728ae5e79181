import ArgumentParser
import CRMCore
import Wire

/// Frees the room that deleted fields still take.
struct CompactCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract:
            "Drop the columns and tables of deleted fields. Their values are gone afterwards; on SQLite writers wait while a table is rewritten."
    )

    @OptionGroup var place: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await AdminConnection.perform(.compact, place)
        if output.json { return print(answer.text) }
        for name in answer["dropped"]?.array ?? [] { print("dropped \(name.string ?? "")") }
        if let waiting = answer["waiting"]?.int64, waiting > 0 { print("\(waiting) deleted less than a minute ago: ask again later") }
    }
}
