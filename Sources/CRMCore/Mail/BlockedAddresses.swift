import SQLStore
import Wire

/// Addresses that mails came back from. Nothing is sent to them until they are unblocked; one that does not exist never is.
/// Contract: emails, 231 and 232. Owns `sys_blocked_address`.
package enum BlockedAddresses {
    /// As often may one address be unblocked.
    static let mostUnblocks: Int64 = 5

    static let schema: [SQL] = [
        """
        CREATE TABLE sys_blocked_address (address \(.type(.text)) PRIMARY KEY, blocked \(.type(.integer)) NOT NULL,
            permanent \(.type(.integer)) NOT NULL, unblocked \(.type(.integer)) NOT NULL, changed_at \(.type(.integer)) NOT NULL)\(.strict)
        """
    ]

    struct Entry: Sendable {
        let isBlocked: Bool
        let isPermanent: Bool
        let unblocked: Int64
    }

    static func block(_ address: MailAddress, forGood: Bool, now: Instant, _ tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO sys_blocked_address (address, blocked, permanent, unblocked, changed_at)
            VALUES (\(.text(address.folded)), 1, \(.init(forGood)), 0, \(now)) ON CONFLICT (address) DO UPDATE SET blocked = 1,
                permanent = CASE WHEN sys_blocked_address.permanent = 1 THEN 1 ELSE excluded.permanent END, changed_at = excluded.changed_at
            """)
    }

    /// By the folded address.
    static func entries(_ addresses: [MailAddress], locked: Bool = false, _ tx: Transaction) throws -> [String: Entry] {
        guard !addresses.isEmpty else { return [:] }
        let lock: SQL = locked ? "\(.lockRowsForChange)" : ""
        let found = try tx.rows(
            """
            SELECT address, blocked, permanent, unblocked FROM sys_blocked_address WHERE \(.memberTexts("address", addresses.map(\.folded))) \
            ORDER BY address\(lock)
            """
        ) { row in
            (row.text(0) ?? "", Entry(isBlocked: row.integer(1) == 1, isPermanent: row.integer(2) == 1, unblocked: row.integer(3) ?? 0))
        }
        return Dictionary(found, uniquingKeysWith: { first, _ in first })
    }

    static func unblock(_ addresses: [MailAddress], now: Instant, _ tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE sys_blocked_address SET blocked = 0, unblocked = unblocked + 1, changed_at = \(now) \
            WHERE \(.memberTexts("address", addresses.map(\.folded)))
            """)
    }
}
