import Metadata
import SQLStore
import Wire

/// Which records are enrolled in which cadences, and which step is next.
package enum CadenceRecords {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_cadence_record (cadence_id \(.type(.integer)) NOT NULL, record_id \(.type(.integer)) NOT NULL,
            module_id \(.type(.integer)) NOT NULL, step \(.type(.integer)) NOT NULL, due_at \(.type(.integer)),
            enrolled_by \(.type(.integer)) NOT NULL, enrolled_at \(.type(.integer)) NOT NULL, refusals \(.type(.text)),
            PRIMARY KEY (cadence_id, record_id))\(.strict)
        """,
        "CREATE INDEX sys_cadence_record_refused ON sys_cadence_record (cadence_id, record_id) WHERE refusals IS NOT NULL",
        "CREATE INDEX sys_cadence_record_of ON sys_cadence_record (record_id)",
    ]

    private static let columns: [ColumnName] = [
        "cadence_id", "record_id", "module_id", "step", "due_at", "enrolled_by", "enrolled_at", "refusals",
    ]

    /// An enrolment. One that is through all steps stays, without a time, so that a view does not enrol its record again.
    struct Entry: Equatable {
        let cadence: RecordID
        let record: RecordID
        let module: ModuleID
        var step: Int64
        var due: Instant?
        let by: UserID
        let at: Instant
        /// What could not be done, an object for each such step; null when all went well.
        var refusals = JSONValue.null

        var isRunning: Bool { due != nil }

        var values: [SQLValue] {
            [
                .id(cadence), .id(record), .integer(module.raw), .integer(step), .init(due?.milliseconds), .integer(by.raw), .init(at),
                refusals.isNull ? .null : .text(refusals.text),
            ]
        }

        init(cadence: RecordID, record: RecordID, module: ModuleID, step: Int64 = 0, due: Instant?, by: UserID, at: Instant) {
            self.cadence = cadence
            self.record = record
            self.module = module
            self.step = step
            self.due = due
            self.by = by
            self.at = at
        }

        fileprivate init(_ numbers: [Int64?], _ refusals: String?) {
            self.init(
                cadence: RecordID(raw: numbers[0] ?? 0), record: RecordID(raw: numbers[1] ?? 0), module: ModuleID(raw: numbers[2] ?? 0),
                step: numbers[3] ?? 0, due: numbers[4].map(Instant.init(milliseconds:)), by: UserID(raw: numbers[5] ?? 0),
                at: Instant(milliseconds: numbers[6] ?? 0))
            if let refusals, let told = try? JSONValue.parse(Array(refusals.utf8)) { self.refusals = told }
        }

        /// The step whose turn it is could not be done.
        mutating func refuse(_ refusal: Rejection, at now: Instant) {
            let told: JSONValue = [
                "step": .integer(step), "at": .integer(now.milliseconds), "code": .string(refusal.code.name),
                "message": .string(refusal.message), "details": refusal.details,
            ]
            refusals = .array((refusals.array ?? []) + [told])
        }

        var json: JSONValue { .array(values.map(\.json)) }

        init?(_ json: JSONValue) {
            guard let stored = json.array, stored.count == 8 else { return nil }
            self.init(stored.prefix(7).map(\.int64), stored[7].string)
        }
    }

    static func entries(where condition: SQL, locked: Bool = false, _ tx: Transaction) throws -> [Entry] {
        let lock: SQL = locked ? "\(.lockRows)" : ""
        return try tx.rows(
            "SELECT \(.joined(columns)) FROM sys_cadence_record WHERE \(condition) ORDER BY record_id, cadence_id\(lock)"
        ) { row in Entry((0..<7).map { row.integer($0) }, row.text(7)) }
    }

    /// Those of a cadence, or those of them of which a step was refused.
    static func page(of cadence: RecordID, refusedOnly: Bool, skipping: Int, limit: Int, _ tx: Transaction) throws -> [Entry] {
        let some: SQL = refusedOnly ? " AND refusals IS NOT NULL" : ""
        return try tx.rows(
            """
            SELECT \(.joined(columns)) FROM sys_cadence_record WHERE cadence_id = \(cadence)\(some) ORDER BY record_id \
            LIMIT \(.integer(Int64(limit))) OFFSET \(.integer(Int64(skipping)))
            """
        ) { row in Entry((0..<7).map { row.integer($0) }, row.text(7)) }
    }

    static func of(_ ids: [RecordID], _ tx: Transaction) throws -> [Entry] {
        ids.isEmpty ? [] : try entries(where: "\(.memberIDs("record_id", ids.map(\.raw)))", tx)
    }

    static func one(_ record: RecordID, in cadence: RecordID, _ tx: Transaction) throws -> Entry? {
        try entries(where: "record_id = \(record) AND cadence_id = \(cadence)", locked: true, tx).first
    }

    static func put(_ entries: [Entry], _ tx: Transaction) throws {
        try tx.insert(into: "sys_cadence_record", columns, rows: entries.map(\.values))
    }

    static func set(_ entry: Entry, _ tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE sys_cadence_record SET step = \(.integer(entry.step)), due_at = \(SQLValue(entry.due?.milliseconds)), \
            refusals = \(entry.refusals.isNull ? SQLValue.null : .text(entry.refusals.text)) \
            WHERE cadence_id = \(entry.cadence) AND record_id = \(entry.record)
            """)
    }

    /// They leave these cadences, or all.
    static func remove(_ ids: [RecordID], from cadences: [RecordID]? = nil, _ tx: Transaction) throws {
        guard !ids.isEmpty else { return }
        let some: SQL = cadences.map { " AND \(.memberIDs("cadence_id", $0.map(\.raw)))" } ?? ""
        try tx.execute("DELETE FROM sys_cadence_record WHERE \(.memberIDs("record_id", ids.map(\.raw)))\(some)")
    }

    /// A cadence is gone, and nothing is enrolled in it any more.
    package static func removeAll(of cadence: RecordID, _ scope: MetadataScope) throws {
        try scope.tx.execute("DELETE FROM sys_cadence_record WHERE cadence_id = \(cadence)")
    }
}
