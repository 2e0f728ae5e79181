import Metadata
import SQLStore
import Wire

/// Undos that are done by a job. The id of one is that of its job, of its change group, and of its hold on the master.
enum ScheduledUndos {
    static let table: TableName = "sys_unmerge"
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_unmerge (id \(.type(.integer)) PRIMARY KEY, merge_id \(.type(.integer)) NOT NULL,
            master_id \(.type(.integer)) NOT NULL, user_id \(.type(.integer)) NOT NULL, state \(.type(.text)) NOT NULL,
            outcome \(.type(.text)), created_at \(.type(.integer)) NOT NULL, finished_at \(.type(.integer)))\(.strict)
        """,
        "CREATE INDEX sys_unmerge_master ON sys_unmerge (master_id, id)",
    ]

    struct Entry {
        let id: RecordID
        let merge: RecordID
        let master: RecordID
        let user: UserID
        let state: MergeJournal.State
        let outcome: JSONValue
    }

    private static let columns: SQL = "id, merge_id, master_id, user_id, state, outcome"

    static func record(_ merge: MergeJournal.Entry, _ scope: WriteScope) throws {
        try scope.tx.execute(
            """
            INSERT INTO sys_unmerge (id, merge_id, master_id, user_id, state, created_at) VALUES (\(scope.group), \(merge.id), \
            \(merge.master), \(.integer(scope.access.user.raw)), \(.text(MergeJournal.State.scheduled.rawValue)), \(scope.now))
            """)
    }

    static func entry(_ id: RecordID, _ tx: Transaction) throws -> Entry? {
        try tx.first("SELECT \(columns) FROM sys_unmerge WHERE id = \(id)") { try Entry($0) }
    }

    /// The scheduled undos of a master, newest first; at most 100.
    static func list(of master: RecordID, only job: RecordID?, _ tx: Transaction) throws -> [Entry] {
        let one: SQL = job.map { " AND id = \($0)" } ?? ""
        return try tx.rows("SELECT \(columns) FROM sys_unmerge WHERE master_id = \(master)\(one) ORDER BY id DESC LIMIT 100") {
            try Entry($0)
        }
    }
}

extension ScheduledUndos.Entry {
    fileprivate init(_ row: borrowing Row) throws {
        id = RecordID(raw: row.integer(0) ?? 0)
        merge = RecordID(raw: row.integer(1) ?? 0)
        master = RecordID(raw: row.integer(2) ?? 0)
        user = UserID(raw: row.integer(3) ?? 0)
        state = MergeJournal.State(rawValue: row.text(4) ?? "") ?? .failure
        outcome = try JSONValue.parse(row.text(5) ?? "null")
    }

    /// The outcome is what an undo at once would have answered, or the refusal that ended it.
    var json: JSONValue {
        var json: JSONValue = ["job_id": .id(id), "journal_id": .id(merge), "status": .string(state.rawValue)]
        if state == .completed || state == .failure { json["outcome"] = outcome }
        return json
    }
}
