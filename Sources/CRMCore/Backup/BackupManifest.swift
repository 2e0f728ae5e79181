import Wire

/// What the archives of a backup say about themselves: `manifest.json` in the last one with data.
struct BackupManifest: Sendable {
    static let path = "manifest.json"
    /// Raised when an older program could not read what a newer one writes.
    static let format: Int64 = 1

    /// A file with rows; a large table has several.
    struct Entry: Sendable {
        let path: String
        /// The path of the table's first file.
        let table: String
        let rows: Int64
    }

    let createdAt: Instant
    let catalogVersion: Int64
    let migrations: [Int64]
    let entries: [Entry]
    /// Contents in the archives of attachments.
    let contents: Int64

    init(createdAt: Instant, catalogVersion: Int64, migrations: [Int64], entries: [Entry], contents: Int64) {
        self.createdAt = createdAt
        self.catalogVersion = catalogVersion
        self.migrations = migrations
        self.entries = entries
        self.contents = contents
    }

    /// `nil` for what no version of this program wrote.
    init?(_ json: JSONValue) {
        guard json["program"] == "tributary", let createdAt = json["created_at"]?.string.flatMap(Instant.init(iso:)),
            let version = json["catalog_version"]?.int64, let migrations = json["migrations"]?.array, let entries = json["entries"]?.array,
            let contents = json["contents"]?.int64
        else { return nil }
        self.createdAt = createdAt
        catalogVersion = version
        self.migrations = migrations.compactMap(\.int64)
        self.entries = entries.compactMap { entry in
            guard let path = entry["path"]?.string, let table = entry["table"]?.string, let rows = entry["rows"]?.int64 else { return nil }
            return Entry(path: path, table: table, rows: rows)
        }
        self.contents = contents
    }

    var json: JSONValue {
        [
            "program": "tributary", "format": .integer(Self.format), "created_at": .string(createdAt.iso(offsetMinutes: 0)),
            "catalog_version": .integer(catalogVersion), "migrations": .array(migrations.map(JSONValue.integer)),
            "contents": .integer(contents),
            "entries": .array(entries.map { ["path": .string($0.path), "table": .string($0.table), "rows": .integer($0.rows)] }),
        ]
    }
}
