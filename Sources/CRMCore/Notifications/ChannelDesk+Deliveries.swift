import Metadata
import SQLStore
import Wire

/// What a channel has not been told yet, or was given up.
package struct PendingDelivery: Sendable {
    package let id: Int64
    package let channel: Int64
    package let module: ModuleID
    package let record: RecordID
    package let operation: String
    /// `waiting` or `failed`.
    package let state: String
    package let attempts: Int64
    /// What the last attempt met.
    package let error: String?
    /// When the record changed.
    package let at: Instant
    /// When the channel's next call is.
    package let nextAttempt: Instant?
}

extension ChannelDesk {
    package static let states = ["waiting", "failed"]

    /// The oldest first, and whether there are more.
    package func deliveries(number: Int64?, state: String?, skipping: Int, limit: Int) async throws -> (list: [PendingDelivery], more: Bool)
    {
        let named: SQL = number.map { " AND ch.number = \(.integer($0))" } ?? ""
        let within: SQL = state.map { " AND d.state = \(.text($0))" } ?? ""
        let sql: SQL = """
            SELECT d.id, ch.number, d.module_id, d.record_id, d.operation, d.state, d.attempts, d.error, d.at, ch.due_at \
            FROM sys_channel ch JOIN sys_delivery d ON d.channel = ch.id WHERE ch.user_id = \(.integer(user.raw)) AND ch.expires_at > \(services.clock()) \
            \(named)\(within) ORDER BY d.id LIMIT \(.integer(Int64(limit) + 1)) OFFSET \(.integer(Int64(skipping)))
            """
        let found = try await services.database.run(.read) { tx in
            try tx.rows(sql) { row in
                PendingDelivery(
                    id: row.integer(0) ?? 0, channel: row.integer(1) ?? 0, module: ModuleID(raw: row.integer(2) ?? 0),
                    record: RecordID(raw: row.integer(3) ?? 0), operation: row.text(4) ?? "", state: row.text(5) ?? "",
                    attempts: row.integer(6) ?? 0, error: row.text(7), at: Instant(milliseconds: row.integer(8) ?? 0),
                    nextAttempt: row.text(5) == "waiting" ? row.integer(9).map(Instant.init(milliseconds:)) : nil)
            }
        }
        return (Array(found.prefix(limit)), found.count > limit)
    }
}
