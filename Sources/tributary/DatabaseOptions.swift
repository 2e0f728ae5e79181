import ArgumentParser
import Foundation
import SQLStore
import Wire

/// Which database a command works on.
struct DatabaseOptions: ParsableArguments {
    @Option(help: "Folder of the embedded database (default: ./data).")
    var data: String?

    @Option(
        help:
            "A PostgreSQL database: postgres://user@host/name. Also read from TRIBUTARY_DATABASE, which keeps a password out of process lists."
    )
    var database: String?

    func validate() throws {
        if data != nil, database != nil { throw ValidationError("give either --data or --database") }
        if let url = postgres, !url.hasPrefix("postgres://"), !url.hasPrefix("postgresql://") {
            throw ValidationError("--database takes an address that starts with postgres://")
        }
    }

    /// Nil when the embedded database is used.
    private var postgres: String? { data == nil ? database ?? ProcessInfo.processInfo.environment["TRIBUTARY_DATABASE"] : nil }

    /// The data folder; nil on PostgreSQL.
    var folder: String? { postgres == nil ? data ?? "./data" : nil }

    var location: Database.Location {
        if let url = postgres { .postgres(url: url) } else { .sqlite(folder: data ?? "./data") }
    }

    /// Tries again while the data folder is in use: a command works in it, or a server starts or stops, all of which are
    /// done within five seconds. A second server need not wait for one that answers.
    func whenFree<T>(orServed giveUp: Bool = false, _ body: () async throws -> T) async throws -> T {
        for _ in 0..<50 {
            do {
                return try await body()
            } catch DatabaseError.alreadyInUse(let folder) {
                if giveUp, try AdminSocket.ask(folder: folder, ["command": "ping"]) != nil { throw DatabaseError.alreadyInUse(folder) }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        return try await body()
    }
}
