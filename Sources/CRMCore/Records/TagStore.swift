import Metadata
import SQLStore
import Wire

/// Tags and which records carry them.
package enum TagStore {
    /// The longest tag name, and how many a record may carry (`endpoints/tags.md`).
    package static let nameLimit = 25
    package static let limitPerRecord = 10

    static let schema: [SQL] = [
        """
        CREATE TABLE sys_tag (id \(.type(.integer)) PRIMARY KEY, module_id \(.type(.integer)) NOT NULL, name \(.type(.text)) NOT NULL,
            color_code \(.type(.text)), created_by \(.type(.integer)), created_at \(.type(.integer)) NOT NULL,
            modified_by \(.type(.integer)), modified_at \(.type(.integer)) NOT NULL)\(.strict)
        """,
        "CREATE UNIQUE INDEX sys_tag_name ON sys_tag (module_id, \(.folded("name")))",
        """
        CREATE TABLE sys_record_tag (record_id \(.type(.integer)) NOT NULL, tag_id \(.type(.integer)) NOT NULL,
            position \(.type(.integer)) NOT NULL, PRIMARY KEY (record_id, tag_id))\(.strict)
        """,
        "CREATE INDEX sys_record_tag_tag ON sys_record_tag (tag_id)",
    ]

    /// The tags of a record as a JSON array, for a SELECT list.
    static func tags(of record: SQL) -> SQL {
        """
        (SELECT \(.jsonArray([("name", "x.name"), ("id", "\(.textOf("x.id"))"), ("color_code", "x.color_code")])) FROM (SELECT g.id, g.name, g.color_code \
        FROM sys_record_tag r JOIN sys_tag g ON g.id = r.tag_id WHERE r.record_id = \(record) ORDER BY r.position) x)
        """
    }

    /// Gives records the tags their change names, in place of those they had. Unknown names become tags of the module.
    static func apply(_ changes: [PendingChange], _ scope: WriteScope) throws {
        let tagged = Dictionary(grouping: changes.filter { $0.tags != nil }, by: { $0.tags ?? [] })
        for (names, group) in tagged {
            guard let module = group.first?.after.module else { continue }
            let named = names.map { TagAssignment.Named(id: nil, name: $0, color: nil, path: JSONPath()) }
            // The rows are locked and checked already; one statement for each set of tags a batch names.
            try TagAssignment(.replace, named).assign(to: group.map(\.after.id), of: module, scope)
        }
    }

    /// Puts back what a merge took: a child gets its tags again, the master loses those it gained and has kept. Returns how many it loses.
    static func undo(_ record: RecordID, before: [Int64], after: [Int64], _ scope: WriteScope) throws -> Int {
        let now = try held(by: [record], scope.tx)[record] ?? []
        let known = Set(try scope.tx.rows("SELECT id FROM sys_tag WHERE \(.memberIDs("id", before))") { $0.integer(0) ?? 0 })
        let gained = after.filter { !before.contains($0) }
        let lost = before.filter { !after.contains($0) && known.contains($0) }
        let changed = now.filter { !gained.contains($0) } + lost.filter { !now.contains($0) }
        try replace(record, from: now, with: now == after ? before.filter(known.contains) : changed, scope)
        return now.filter(gained.contains).count
    }

    static func held(by records: [RecordID], _ tx: Transaction) throws -> [RecordID: [Int64]] {
        var held: [RecordID: [Int64]] = [:]
        try tx.forEach(
            "SELECT record_id, tag_id FROM sys_record_tag WHERE \(.memberIDs("record_id", records.map(\.raw))) ORDER BY record_id, position"
        ) { row in held[RecordID(raw: row.integer(0) ?? 0), default: []].append(row.integer(1) ?? 0) }
        return held
    }

    /// The names of a record's tags, in their order.
    static func names(of record: RecordID, _ tx: Transaction) throws -> [String] {
        try tx.rows(
            "SELECT g.name FROM sys_record_tag r JOIN sys_tag g ON g.id = r.tag_id WHERE r.record_id = \(record) ORDER BY r.position"
        ) { $0.text(0) ?? "" }
    }

    static func replace(_ record: RecordID, from old: [Int64], with new: [Int64], _ scope: WriteScope) throws {
        guard old != new else { return }
        try scope.tx.execute("DELETE FROM sys_record_tag WHERE record_id = \(record)")
        try scope.tx.insert(
            into: "sys_record_tag", ["record_id", "tag_id", "position"],
            rows: new.enumerated().map { [.integer(record.raw), .integer($1), .integer(Int64($0))] })
    }

    static func json(_ tags: [Int64]) -> JSONValue { .array(tags.map { .integer($0) }) }
}
