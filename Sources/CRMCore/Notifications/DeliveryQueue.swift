import Metadata
import SQLStore
import Wire

/// What channels are still to be told, a row for each record and change. A channel is served by one worker at a time, which holds
/// it by a lease, and from the front: so no endpoint hears of a record's changes in another order than they happened.
package enum DeliveryQueue {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_delivery (id \(.identityKey), channel \(.type(.integer)) NOT NULL, module_id \(.type(.integer)) NOT NULL,
            record_id \(.type(.integer)) NOT NULL, operation \(.type(.text)) NOT NULL, payload \(.type(.text)) NOT NULL,
            state \(.type(.text)) NOT NULL, attempts \(.type(.integer)) NOT NULL DEFAULT 0, error \(.type(.text)),
            at \(.type(.integer)) NOT NULL)\(.strict)
        """,
        "CREATE INDEX sys_delivery_channel ON sys_delivery (channel, state, id)",
    ]

    /// Twice what a request may take, so that its worker is surely done with it, or dead.
    static let leaseMilliseconds: Int64 = 20_000
    /// After as many failures a delivery is left for a person to look at; the pauses between them add up to three quarters of an hour.
    package static let maximumAttempts = 12
    private static let longestPause: Int64 = 600_000
    /// Records in one call.
    static let mostIDs = 100
    /// As far ahead a worker looks for records that may share a call.
    private static let window: Int64 = 500

    struct Row: Sendable {
        let id: Int64
        let module: ModuleID
        let record: RecordID
        let operation: ChangeOperation
        let payload: JSONValue
        let attempts: Int64
    }

    /// A channel taken for one call.
    struct Claim: Sendable {
        let channel: RecordID
        let number: Int64
        let url: OutgoingURL
        let token: String?
        let origin: String
        let withValues: Bool
        let failures: Int64
        /// Counts the workers that have held the channel; only the last has a say.
        let lease: Int64
        let rows: [Row]
    }

    static func insert(_ rows: [[SQLValue]], _ tx: Transaction) throws {
        try tx.insert(
            into: "sys_delivery", ["channel", "module_id", "record_id", "operation", "payload", "state", "at"], rows: rows)
    }

    /// In one order for all, since workers wait for each other here.
    static func makeDue(_ channels: Set<RecordID>, now: Instant, _ tx: Transaction) throws {
        for id in channels.sorted() {
            // A loop over the channels told, each of which has rows of its own in the same transaction.
            try tx.execute("UPDATE sys_channel SET due_at = coalesce(due_at, \(now)) WHERE id = \(id)")
        }
    }

    /// Takes the channel due longest. Those whose last call failed are left out unless asked for. `nil` when none is due.
    static func claim(includingFailing: Bool, now: Instant, _ vault: FieldVault?, _ tx: Transaction) throws -> Claim? {
        let lease = Instant(milliseconds: now.milliseconds + leaseMilliseconds)
        let healthy: SQL = includingFailing ? "" : " AND failures = 0"
        let due: SQL = """
            SELECT id FROM sys_channel WHERE due_at <= \(now) AND expires_at > \(now) AND (lease_until IS NULL OR lease_until < \(now))\(healthy) \
            ORDER BY due_at, id LIMIT 1\(.skipLocked)
            """
        while true {
            let taken = try tx.first(
                """
                UPDATE sys_channel SET lease_until = \(lease), lease = lease + 1 WHERE id = (\(due)) \
                RETURNING id, number, notify_url, token, origin, with_values, failures, lease
                """
            ) { row in
                (
                    id: RecordID(raw: row.integer(0) ?? 0), number: row.integer(1) ?? 0, url: OutgoingURL(row.text(2) ?? ""),
                    token: row.text(3), origin: row.text(4) ?? "", withValues: row.integer(5) == 1, failures: row.integer(6) ?? 0,
                    lease: row.integer(7) ?? 0
                )
            }
            guard let taken else { return nil }
            let rows = batch(try waiting(taken.id, vault, tx))
            if let url = taken.url, !rows.isEmpty {
                return Claim(
                    channel: taken.id, number: taken.number, url: url, token: taken.token, origin: taken.origin,
                    withValues: taken.withValues, failures: taken.failures, lease: taken.lease, rows: rows)
            }
            // Nothing left: it rests until there is. Whoever adds something meanwhile waits for this row, and sets it due again.
            try tx.execute("UPDATE sys_channel SET due_at = NULL, lease_until = NULL WHERE id = \(taken.id)")
        }
    }

    private static func waiting(_ channel: RecordID, _ vault: FieldVault?, _ tx: Transaction) throws -> [Row] {
        try tx.rows(
            """
            SELECT id, module_id, record_id, operation, payload, attempts FROM sys_delivery WHERE channel = \(channel) AND state = 'waiting' \
            ORDER BY id LIMIT \(.literal(window))
            """
        ) { row in
            Row(
                id: row.integer(0) ?? 0, module: ModuleID(raw: row.integer(1) ?? 0), record: RecordID(raw: row.integer(2) ?? 0),
                operation: ChangeOperation(rawValue: row.text(3) ?? "") ?? .update,
                payload: try JSONValue.parse(vault?.open(text: row.text(4) ?? "{}") ?? row.text(4) ?? "{}"),
                attempts: row.integer(5) ?? 0)
        }
    }

    /// The first row, and those after it that say the same of other records. A record of which something else is to be told first
    /// waits, so that its changes keep their order.
    static func batch(_ rows: [Row]) -> [Row] {
        guard let first = rows.first else { return [] }
        var taken: [Row] = []
        var seen: Set<RecordID> = []
        for row in rows where taken.count < mostIDs {
            let isFirstOfRecord = seen.insert(row.record).inserted
            if isFirstOfRecord, row.module == first.module, row.operation == first.operation { taken.append(row) }
        }
        return taken
    }

    static func succeed(_ claim: Claim, now: Instant, _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_delivery WHERE \(.memberIDs("id", claim.rows.map(\.id)))")
        // Due again at once: the next to take it finds out whether there is more.
        try tx.execute("UPDATE sys_channel SET lease_until = NULL, failures = 0, due_at = \(now) WHERE \(isCurrent(claim))")
    }

    /// Puts the rows back, to be tried again later each time; after the last attempt they stay as failed.
    static func fail(_ claim: Claim, _ error: String, now: Instant, _ tx: Transaction) throws {
        let next = Instant(milliseconds: now.milliseconds + pause(after: claim.failures + 1))
        let held = try tx.execute(
            "UPDATE sys_channel SET lease_until = NULL, failures = failures + 1, due_at = \(next) WHERE \(isCurrent(claim))")
        guard held > 0 else { return }
        let last = SQLValue.integer(Int64(maximumAttempts))
        try tx.execute(
            """
            UPDATE sys_delivery SET state = CASE WHEN attempts + 1 >= \(last) THEN 'failed' ELSE state END, attempts = attempts + 1, \
            error = \(.text(error)) WHERE \(.memberIDs("id", claim.rows.map(\.id)))
            """)
    }

    /// Gives the channel back as it was, since this process is ending.
    static func release(_ claim: Claim, _ tx: Transaction) throws {
        try tx.execute("UPDATE sys_channel SET lease_until = NULL WHERE \(isCurrent(claim))")
    }

    private static func isCurrent(_ claim: Claim) -> SQL { "id = \(claim.channel) AND lease = \(.integer(claim.lease))" }

    /// Twice as long each time up to ten minutes, and then by chance down to half of it: many that failed together do not come
    /// back together.
    private static func pause(after failures: Int64) -> Int64 {
        let whole = failures > 10 ? longestPause : min(longestPause, 1000 << (failures - 1))
        return Int64.random(in: whole / 2...whole)
    }

    /// Frees channels whose worker is known to be gone, because this process is the only one.
    static func freeAll(_ tx: Transaction) throws {
        try tx.execute("UPDATE sys_channel SET lease_until = NULL WHERE lease_until IS NOT NULL")
    }
}
