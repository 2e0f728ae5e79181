import ArgumentParser
import Foundation
import SQLStore

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
}
