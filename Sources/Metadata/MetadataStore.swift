import SQLStore
import Wire

/// Reads and writes the rows of `sys_metadata`, and counts catalog versions.
package enum MetadataStore {
    package static let channel = "catalog"

    /// The tables this target owns, made by the first migration.
    package static let schema: [SQL] = [
        """
        CREATE TABLE sys_metadata (
            id \(.type(.integer)) PRIMARY KEY, kind \(.type(.text)) NOT NULL, parent \(.type(.integer)), api_name \(.type(.text)),
            body \(.type(.text)) NOT NULL, modified_at \(.type(.integer)) NOT NULL)\(.strict)
        """,
        "CREATE INDEX sys_metadata_kind ON sys_metadata (kind, parent)",
        "CREATE TABLE sys_catalog_version (version \(.type(.integer)) NOT NULL)\(.strict)",
        "INSERT INTO sys_catalog_version (version) VALUES (0)",
    ]

    /// The catalog as the transaction sees it.
    package static func load(_ tx: Transaction, _ vault: FieldVault? = nil) throws -> Catalog {
        let version = try version(tx)
        let documents = try tx.rows("SELECT id, kind, parent, api_name, body, modified_at FROM sys_metadata ORDER BY kind, parent, id") {
            row in
            Document(
                id: RecordID(raw: row.integer(0) ?? 0), kind: Document.Kind(row.text(1) ?? ""),
                parent: row.integer(2).map(RecordID.init(raw:)),
                apiName: row.text(3), body: try row.withText(4) { try JSONValue.parse(Array($0 ?? .init(start: nil, count: 0))) },
                modifiedAt: row.integer(5).map(Instant.init(milliseconds:)))
        }
        return Catalog(version: version, documents: documents, vault: vault)
    }

    package static func version(_ tx: Transaction) throws -> Int64 {
        try tx.first("SELECT version FROM sys_catalog_version") { $0.integer(0) ?? 0 } ?? 0
    }

    /// The version, and another number that the same statement reads: a query of one value.
    package static func version(_ tx: Transaction, and scalar: SQL) throws -> (version: Int64, other: Int64) {
        try tx.first("SELECT version, (\(scalar)) FROM sys_catalog_version") { ($0.integer(0) ?? 0, $0.integer(1) ?? 0) } ?? (0, 0)
    }

    /// Adds documents. Their order is that of their ids, which rise with time.
    package static func insert(_ documents: [Document], at now: Instant, _ tx: Transaction) throws {
        let rows = documents.map { document -> [SQLValue] in
            [
                .integer(document.id.raw), .text(document.kind.name), .init(document.parent?.raw), .init(document.apiName),
                .text(document.body.text), .integer(now.milliseconds),
            ]
        }
        try tx.insert(into: "sys_metadata", ["id", "kind", "parent", "api_name", "body", "modified_at"], rows: rows)
    }

    package static func replace(_ id: RecordID, body: JSONValue, at now: Instant, _ tx: Transaction) throws {
        try tx.execute("UPDATE sys_metadata SET body = \(.text(body.text)), modified_at = \(now) WHERE id = \(id)")
    }

    /// Changes the name a document is found by, besides its body.
    package static func rename(_ id: RecordID, _ apiName: String?, at now: Instant, _ tx: Transaction) throws {
        try tx.execute("UPDATE sys_metadata SET api_name = \(SQLValue(apiName)), modified_at = \(now) WHERE id = \(id)")
    }

    package static func remove(_ ids: [RecordID], _ tx: Transaction) throws {
        guard !ids.isEmpty else { return }
        try tx.execute("DELETE FROM sys_metadata WHERE \(.memberIDs("id", ids.map(\.raw)))")
    }

    /// Marks the settings as changed; other processes reload when the transaction commits.
    package static func bumpVersion(_ tx: Transaction) throws {
        try tx.execute("UPDATE sys_catalog_version SET version = version + 1")
        try tx.notify(channel, "changed")
    }
}
