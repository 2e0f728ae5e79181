import Metadata
import SQLStore
import Wire

/// The rows that say which record holds which file. A file held by none is on its way out.
package enum FieldFiles {
    /// A file in a field of a record.
    package struct Entry: Sendable, Equatable {
        /// What the API calls the file's id inside the field.
        package let id: RecordID
        package let record: RecordID
        package let field: FieldID
        /// `nil` for a link.
        package let file: RecordID?
        package let position: Int64
        package let size: Int64
    }

    /// By record and field, in their order.
    package typealias Held = [RecordID: [FieldID: [Entry]]]

    /// Where an attachment's own file stands: it belongs to no field.
    static let wholeRecord = FieldID(raw: 0)

    private static let listed: SQL = "h.id, h.record_id, h.field_id, h.file_id, h.position, coalesce(f.size, 0)"

    /// What records hold, in all their fields.
    static func held(by records: [RecordID], _ tx: Transaction) throws -> Held {
        var held: Held = [:]
        for entry in try entries(where: "\(.memberIDs("h.record_id", records.map(\.raw))) AND h.dropped_by IS NULL", tx) {
            held[entry.record, default: [:]][entry.field, default: []].append(entry)
        }
        return held
    }

    static func entries(where condition: SQL, _ tx: Transaction) throws -> [Entry] {
        try tx.rows(
            """
            SELECT \(listed) FROM sys_field_file h LEFT JOIN sys_file f ON f.id = h.file_id WHERE \(condition)
            ORDER BY h.record_id, h.field_id, h.position, h.id
            """
        ) { row in
            Entry(
                id: RecordID(raw: row.integer(0) ?? 0), record: RecordID(raw: row.integer(1) ?? 0),
                field: FieldID(raw: row.integer(2) ?? 0),
                file: row.integer(3).map(RecordID.init(raw:)), position: row.integer(4) ?? 0, size: row.integer(5) ?? 0)
        }
    }

    /// A file about to be held.
    struct New {
        let record: RecordID
        let field: FieldID
        let file: RecordID?
        var link: String?
        var position: Int64 = 0
        var description: String?
    }

    /// Makes records hold files. Refuses with `busy` when a file went away a moment ago.
    @discardableResult
    static func add(_ new: [New], _ scope: WriteScope) throws -> [RecordID] {
        let files = Set(new.compactMap(\.file)).map(\.raw).sorted()
        if !files.isEmpty {
            // The row's lock keeps the sweep from taking the file meanwhile.
            let there = try scope.tx.execute("UPDATE sys_file SET expires_at = NULL WHERE \(.memberIDs("id", files))")
            guard there == files.count else { throw SQLFailure.busy }
        }
        let user = SQLValue.integer(scope.access.user.raw)
        let now = SQLValue.integer(scope.now.milliseconds)
        let ids = new.map { _ in scope.ids.next() }
        try scope.tx.insert(
            into: "sys_field_file",
            [
                "id", "record_id", "field_id", "file_id", "link_url", "position", "description", "created_by", "created_at", "modified_by",
                "modified_at",
            ],
            rows: zip(ids, new).map { id, new in
                [
                    .integer(id.raw), .integer(new.record.raw), .integer(new.field.raw), .id(new.file), .init(new.link),
                    .integer(new.position),
                    .init(new.description), user, now, user, now,
                ]
            })
        return ids
    }

    /// Lets go of entries. Their files stay for the grace time, unless another record holds them.
    static func remove(_ entries: [Entry], at now: Instant, _ tx: Transaction) throws {
        guard !entries.isEmpty else { return }
        try tx.execute("DELETE FROM sys_field_file WHERE \(.memberIDs("id", entries.map(\.id.raw)))")
        try release(entries.compactMap(\.file), at: now, tx)
    }

    /// Lets go of everything that records hold, because they are gone for good.
    package static func removeAll(of records: [RecordID], at now: Instant, _ tx: Transaction) throws {
        let files = try tx.rows("DELETE FROM sys_field_file WHERE \(.memberIDs("record_id", records.map(\.raw))) RETURNING file_id") {
            $0.integer(0)
        }
        try release(files.compactMap { $0.map(RecordID.init(raw:)) }, at: now, tx)
    }

    private static func release(_ files: [RecordID], at now: Instant, _ tx: Transaction) throws {
        guard !files.isEmpty else { return }
        let until = SQLValue.integer(now.milliseconds + FileLibrary.graceMilliseconds)
        try tx.execute(
            "UPDATE sys_file SET expires_at = \(until) WHERE \(.memberIDs("id", Set(files.map(\.raw)).sorted())) AND expires_at IS NULL")
    }

    /// The files in a field of a record as a JSON array, for a SELECT list; `FileValueWriter` shows it.
    static func json(of record: SQL, _ field: Field) -> SQL {
        let members: [(String, SQL)] = [
            ("id", "x.id"), ("token", "x.token"), ("name", "x.name"), ("size", "x.size"), ("owner", "x.owner"),
            ("created_by", "x.created_by"),
            ("created_at", "x.created_at"), ("modified_by", "x.modified_by"), ("modified_at", "x.modified_at"),
            ("description", "x.description"),
        ]
        return """
            (SELECT \(.jsonArray(members)) FROM (SELECT h.id, f.token, f.name, f.size, f.owner, h.created_by, h.created_at, h.modified_by, \
            h.modified_at, h.description FROM sys_field_file h JOIN sys_file f ON f.id = h.file_id WHERE h.record_id = \(record) \
            AND h.field_id = \(.integer(field.id.raw)) AND h.dropped_by IS NULL ORDER BY h.position, h.id) x)
            """
    }
}
