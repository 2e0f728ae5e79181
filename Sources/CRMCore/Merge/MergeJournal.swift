import Metadata
import SQLStore
import Wire

/// Every merge, with what it was asked and what it did. Its id is the change group under which the log holds the rows.
package enum MergeJournal {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_merge (id \(.type(.integer)) PRIMARY KEY, module_id \(.type(.integer)) NOT NULL, master_id \(.type(.integer)) NOT NULL,
            children \(.type(.text)) NOT NULL, user_id \(.type(.integer)) NOT NULL, state \(.type(.text)) NOT NULL,
            scheduled \(.type(.integer)) NOT NULL, request \(.type(.text)) NOT NULL, outcome \(.type(.text)), created_at \(.type(.integer)) NOT NULL,
            finished_at \(.type(.integer)), undone_at \(.type(.integer)))\(.strict)
        """,
        "CREATE INDEX sys_merge_master ON sys_merge (master_id, id)",
    ]

    /// `expired_at` is when what an undo needs was taken away.
    static let endSchema: [SQL] = [
        "ALTER TABLE sys_merge ADD COLUMN expired_at \(.type(.integer))",
        "CREATE INDEX sys_merge_age ON sys_merge (finished_at) WHERE expired_at IS NULL AND finished_at IS NOT NULL",
        "CREATE INDEX sys_field_file_dropped ON sys_field_file (dropped_by) WHERE dropped_by IS NOT NULL",
    ]

    /// The words of the v7 page (`merge.md` §2).
    package enum State: String, Sendable { case scheduled = "SCHEDULED", running = "RUNNING", completed = "COMPLETED", failure = "FAILURE" }

    struct Entry {
        let id: RecordID
        let module: ModuleID
        let master: RecordID
        let children: [RecordID]
        let user: UserID
        let state: State
        let request: JSONValue
        let undone: Bool
        let outcome: MergeOutcome
        let finished: Instant?
        let expired: Bool
    }

    static func record(_ request: MergeRequest, body: JSONValue, _ state: State, outcome: MergeOutcome?, _ scope: WriteScope) throws {
        let children = JSONValue.array(request.children.map { .id($0.id) })
        let finished = outcome == nil ? SQLValue.null : .integer(scope.now.milliseconds)
        try scope.tx.perform(
            """
            INSERT INTO sys_merge (id, module_id, master_id, children, user_id, state, scheduled, request, outcome, created_at, finished_at) VALUES
            (\(scope.group), \(.integer(request.module.id.raw)), \(request.master.id), \(.text(children.text)), \(.integer(scope.access.user.raw)),
            \(.text(state.rawValue)), \(.integer(state == .scheduled ? 1 : 0)), \(.text(body.text)), \(.init(outcome?.json.text)), \(scope.now), \(finished))
            """)
    }

    static func entry(_ id: RecordID, _ tx: Transaction, locked: Bool = false) throws -> Entry? {
        let lock: SQL = locked ? "\(.lockRows)" : ""
        return try tx.first(
            "SELECT id, module_id, master_id, children, user_id, state, request, undone_at, outcome, finished_at, expired_at FROM sys_merge WHERE id = \(id)\(lock)"
        ) { row in
            let children = try JSONValue.parse(row.text(3) ?? "[]")
            return Entry(
                id: RecordID(raw: row.integer(0) ?? 0), module: ModuleID(raw: row.integer(1) ?? 0),
                master: RecordID(raw: row.integer(2) ?? 0),
                children: (children.array ?? []).compactMap { $0.looseInt64.map(RecordID.init(raw:)) },
                user: UserID(raw: row.integer(4) ?? 0),
                state: State(rawValue: row.text(5) ?? "") ?? .failure, request: try JSONValue.parse(row.text(6) ?? "null"),
                undone: !row.isNull(7), outcome: MergeOutcome(try JSONValue.parse(row.text(8) ?? "{}")),
                finished: row.integer(9).map(Instant.init(milliseconds:)), expired: !row.isNull(10))
        }
    }

    /// The completed merges of a master as JSON, newest first; at most 100. Each tells until when it can be undone.
    static func completed(of master: RecordID, _ period: UndoPeriod, at now: Instant, _ tx: Transaction) throws -> [JSONValue] {
        try tx.rows(
            """
            SELECT id, children, user_id, created_at, undone_at, outcome, finished_at, expired_at FROM sys_merge WHERE master_id = \(master) AND state = 'COMPLETED' \
            ORDER BY id DESC LIMIT 100
            """
        ) { row in
            let end = row.integer(6).flatMap { period.end(of: Instant(milliseconds: $0)) }
            return [
                "journal_id": .id(RecordID(raw: row.integer(0) ?? 0)), "children": try JSONValue.parse(row.text(1) ?? "[]"),
                "merged_by": .string(String(row.integer(2) ?? 0)),
                "merged_time": .string(Instant(milliseconds: row.integer(3) ?? 0).iso(offsetMinutes: 0)),
                "undone": .bool(!row.isNull(4)), "outcome": try JSONValue.parse(row.text(5) ?? "null"),
                "undo_until": end.map { .string($0.iso(offsetMinutes: 0)) } ?? .null,
                "expired": .bool(!row.isNull(7) || end.map { $0 < now } ?? false),
            ]
        }
    }

    /// Moves a merge, or an undo, that is not finished to another state; false when it is finished already, by another worker.
    static func advance(
        _ id: RecordID, in table: TableName = "sys_merge", to state: State, outcome: JSONValue? = nil, at now: Instant, _ tx: Transaction
    ) throws -> Bool {
        let finished = state == .running ? SQLValue.null : .integer(now.milliseconds)
        return try tx.execute(
            """
            UPDATE \(table) SET state = \(.text(state.rawValue)), outcome = \(.init(outcome?.text)), finished_at = \(finished) \
            WHERE id = \(id) AND state IN ('SCHEDULED', 'RUNNING')
            """) == 1
    }

    /// The scheduled merges of a master, newest first; at most 100 (`merge.md` §2).
    package static func jobs(of master: RecordID, only job: RecordID?, _ tx: Transaction) throws -> [(id: RecordID, state: String)] {
        let one: SQL = job.map { " AND id = \($0)" } ?? ""
        return try tx.rows("SELECT id, state FROM sys_merge WHERE master_id = \(master) AND scheduled = 1\(one) ORDER BY id DESC LIMIT 100")
        {
            (RecordID(raw: $0.integer(0) ?? 0), $0.text(1) ?? "")
        }
    }

    /// A scheduled merge of a module by its job; `nil` when there is none.
    package static func job(_ id: RecordID, of module: ModuleID, _ tx: Transaction) throws -> (master: RecordID, state: String)? {
        try tx.first(
            "SELECT master_id, state FROM sys_merge WHERE id = \(id) AND module_id = \(.integer(module.raw)) AND scheduled = 1"
        ) { (RecordID(raw: $0.integer(0) ?? 0), $0.text(1) ?? "") }
    }
}
