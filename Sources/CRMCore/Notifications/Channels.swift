import Metadata
import SQLStore
import Wire

/// The channels of all users, in two tables: a channel, and a row for each module it is told of. A change of either changes the
/// epoch, by which writers know that what they remember of them is old.
enum Channels {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_channel (id \(.type(.integer)) PRIMARY KEY, user_id \(.type(.integer)) NOT NULL, number \(.type(.integer)) NOT NULL,
            notify_url \(.type(.text)) NOT NULL, token \(.type(.text)), expires_at \(.type(.integer)) NOT NULL,
            related \(.type(.integer)) NOT NULL, with_values \(.type(.integer)) NOT NULL, origin \(.type(.text)) NOT NULL,
            since \(.type(.integer)) NOT NULL, due_at \(.type(.integer)), lease_until \(.type(.integer)),
            lease \(.type(.integer)) NOT NULL DEFAULT 0, failures \(.type(.integer)) NOT NULL DEFAULT 0,
            UNIQUE (user_id, number))\(.strict)
        """,
        "CREATE INDEX sys_channel_due ON sys_channel (due_at, id) WHERE due_at IS NOT NULL",
        "CREATE INDEX sys_channel_expiry ON sys_channel (expires_at)",
        """
        CREATE TABLE sys_subscription (channel \(.type(.integer)) NOT NULL, module_id \(.type(.integer)) NOT NULL,
            events \(.type(.integer)) NOT NULL, condition \(.type(.text)), PRIMARY KEY (channel, module_id))\(.strict)
        """,
        "CREATE INDEX sys_subscription_module ON sys_subscription (module_id)",
        "CREATE TABLE sys_channel_epoch (epoch \(.type(.integer)) NOT NULL)\(.strict)",
        "INSERT INTO sys_channel_epoch (epoch) VALUES (0)",
    ]

    /// A scalar: changes with every change of a channel; 0 before the first.
    static let epoch: SQL = "SELECT epoch FROM sys_channel_epoch"

    private static let columns: SQL =
        "ch.id, ch.user_id, ch.number, ch.notify_url, ch.token, ch.expires_at, ch.related, ch.with_values, ch.origin, ch.since, s.module_id, s.events, s.condition"

    /// Channels that have not expired, each with those of its subscriptions that the condition lets through; the oldest first.
    static func find(_ condition: SQL, now: Instant, page: SQL = .empty, _ tx: Transaction) throws -> [Channel] {
        var found: [Channel] = []
        try tx.forEach(
            """
            SELECT \(columns) FROM sys_channel ch JOIN sys_subscription s ON s.channel = ch.id WHERE ch.expires_at > \(now) AND \(condition) \
            ORDER BY ch.id, s.module_id\(page)
            """
        ) { row in
            let id = RecordID(raw: row.integer(0) ?? 0)
            if found.last?.id != id {
                guard let url = OutgoingURL(row.text(3) ?? "") else { return }
                found.append(
                    Channel(
                        id: id, user: UserID(raw: row.integer(1) ?? 0), number: row.integer(2) ?? 0, url: url, token: row.text(4),
                        expiresAt: Instant(milliseconds: row.integer(5) ?? 0), related: row.integer(6) == 1,
                        withValues: row.integer(7) == 1, origin: row.text(8) ?? "",
                        since: Instant(milliseconds: row.integer(9) ?? 0)))
            }
            let condition = try row.text(12).flatMap { FieldSelection(try JSONValue.parse($0)) }
            found[found.count - 1].subscriptions.append(
                .init(ModuleID(raw: row.integer(10) ?? 0), ChannelEvents(rawValue: row.integer(11) ?? 0), condition))
        }
        return found
    }

    static func find(_ number: Int64, of user: UserID, now: Instant, _ tx: Transaction) throws -> Channel? {
        try find("ch.user_id = \(.integer(user.raw)) AND ch.number = \(.integer(number))", now: now, tx).first
    }

    /// Writes a channel in place of what was kept of it.
    static func store(_ channel: Channel, _ tx: Transaction) throws {
        let number = SQLValue.integer(channel.number)
        let user = SQLValue.integer(channel.user.raw)
        // What expired under the number is not there any more.
        let expired = try tx.rows(
            "SELECT id FROM sys_channel WHERE user_id = \(user) AND number = \(number) AND id <> \(channel.id)"
        ) { RecordID(raw: $0.integer(0) ?? 0) }
        try remove(expired, tx)
        try tx.execute(
            """
            INSERT INTO sys_channel (id, user_id, number, notify_url, token, expires_at, related, with_values, origin, since) \
            VALUES (\(channel.id), \(user), \(number), \(.text(channel.url.text)), \(SQLValue(channel.token)), \(channel.expiresAt), \
            \(.integer(channel.related ? 1 : 0)), \(.integer(channel.withValues ? 1 : 0)), \(.text(channel.origin)), \(channel.since)) \
            ON CONFLICT (id) DO UPDATE SET notify_url = excluded.notify_url, token = excluded.token, expires_at = excluded.expires_at, \
            related = excluded.related, with_values = excluded.with_values, origin = excluded.origin
            """)
        try tx.execute("DELETE FROM sys_subscription WHERE channel = \(channel.id)")
        try tx.insert(
            into: "sys_subscription", ["channel", "module_id", "events", "condition"],
            rows: channel.subscriptions.map {
                [.id(channel.id), .integer($0.module.raw), .integer($0.events.rawValue), .init($0.condition?.json.text)]
            })
    }

    static func remove(_ ids: [RecordID], _ tx: Transaction) throws {
        guard !ids.isEmpty else { return }
        let raw = ids.map(\.raw)
        try tx.execute("DELETE FROM sys_subscription WHERE \(.memberIDs("channel", raw))")
        try tx.execute("DELETE FROM sys_delivery WHERE \(.memberIDs("channel", raw))")
        try tx.execute("DELETE FROM sys_channel WHERE \(.memberIDs("id", raw))")
    }

    /// Clears away what has expired, so that nobody is kept busy by it.
    static func sweep(now: Instant, _ ids: any IDSource, _ tx: Transaction) throws {
        // As many at a time, so that no transaction is long.
        let old = try tx.rows("SELECT id FROM sys_channel WHERE expires_at <= \(now) ORDER BY id LIMIT 100\(.skipLocked)") {
            RecordID(raw: $0.integer(0) ?? 0)
        }
        guard !old.isEmpty else { return }
        try remove(old, tx)
        try bump(ids, tx)
    }

    /// Never the same number twice, even when a transaction that wrote one is taken back.
    static func bump(_ ids: any IDSource, _ tx: Transaction) throws {
        try tx.execute("UPDATE sys_channel_epoch SET epoch = \(ids.next())")
    }
}
