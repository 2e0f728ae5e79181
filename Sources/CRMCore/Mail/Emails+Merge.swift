import Metadata
import SQLStore
import Wire

/// What becomes of mails when their records take each other's place, or are gone for good.
extension Emails {
    /// Mails of the leavers are the heir's, those that only showed them too. What each held is in the log. Returns how many moved.
    static func follow(_ succession: Succession, _ scope: WriteScope) throws -> Int {
        let own = try move(succession, "record_id", "module_id", .mailMoved, scope)
        return own + (try move(succession, "linked_id", "linked_module", .mailLinkMoved, scope))
    }

    private static func move(
        _ succession: Succession, _ column: ColumnName, _ module: ColumnName, _ kind: ChangeLog.Kind, _ scope: WriteScope
    ) throws -> Int {
        let leavers: SQL = .joined(succession.leavers.map { "\($0.id)" }, by: ", ")
        let heir = succession.heir
        // The entry is the mail's own: under its id, with what its column held.
        try scope.tx.execute(
            """
            INSERT INTO sys_change (group_id, at, user_id, origin, module_id, record_id, kind, before, after)
            SELECT \(scope.group), \(scope.now), \(.integer(scope.access.user.raw)), \(.text(scope.origin.rawValue)), e.\(module), e.id,
                \(.text(kind.rawValue)), \(.textOf("e.\(column)")), \(.text(String(heir.id.raw))) FROM sys_email e
            WHERE e.\(column) IN (\(leavers)) ORDER BY e.id\(.lockRowsForChange)
            """)
        return try scope.tx.execute(
            "UPDATE sys_email SET \(column) = \(heir.id), \(module) = \(.integer(heir.module.raw)) WHERE \(column) IN (\(leavers))")
    }

    /// How many `follow` would move; writes nothing.
    static func count(_ succession: Succession, _ scope: WriteScope) throws -> Int {
        let leavers: SQL = .joined(succession.leavers.map { "\($0.id)" }, by: ", ")
        func count(_ column: ColumnName) throws -> Int64 {
            try scope.tx.first("SELECT count(*) FROM sys_email WHERE \(column) IN (\(leavers))") { $0.integer(0) ?? 0 } ?? 0
        }
        return Int(try count("record_id") + count("linked_id"))
    }

    /// Records are gone for good: mails that another record shows are that one's from now on, the others go with their files.
    static func erase(_ records: [RecordID], at now: Instant, _ tx: Transaction) throws {
        let ids = records.map(\.raw)
        try tx.execute("UPDATE sys_email SET linked_id = NULL, linked_module = NULL WHERE \(.memberIDs("linked_id", ids))")
        try tx.execute(
            """
            UPDATE sys_email SET record_id = linked_id, module_id = linked_module, linked_id = NULL, linked_module = NULL \
            WHERE \(.memberIDs("record_id", ids)) AND linked_id IS NOT NULL
            """)
        let gone = try tx.rows("DELETE FROM sys_email WHERE \(.memberIDs("record_id", ids)) RETURNING id") {
            RecordID(raw: $0.integer(0) ?? 0)
        }
        if !gone.isEmpty { try FieldFiles.removeAll(of: gone, at: now, tx) }
    }
}
