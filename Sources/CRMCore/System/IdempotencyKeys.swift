import Metadata
import SQLStore
import Wire

/// Answers kept under a key of the caller's choice, so that a request sent again after a lost answer is not carried out again.
/// Only what changed something is kept: it commits or vanishes together with the change.
package struct IdempotencyKey: Sendable, Equatable {
    package let text: String
    /// What was asked; the same key with another digest is a mistake of the caller.
    package let digest: String

    /// Longest key; a UUID has 36.
    package static let maximumLength = 255

    package init(_ text: String, request: [UInt8]) {
        self.text = text
        digest = Secrets.hex(Secrets.sha256(request))
    }
}

enum IdempotencyKeys {
    /// How long an answer is kept.
    static let lifetimeMilliseconds: Int64 = 24 * 3_600_000
    /// How many old answers one request clears away: more than it adds, so that the table cannot grow for ever.
    private static let pruned: Int64 = 20

    static let schema: [SQL] = [
        """
        CREATE TABLE sys_idempotency (user_id \(.type(.integer)) NOT NULL, key \(.type(.text)) NOT NULL, digest \(.type(.text)) NOT NULL,
            answer \(.type(.text)), created_at \(.type(.integer)) NOT NULL, PRIMARY KEY (user_id, key))\(.strict)
        """,
        "CREATE INDEX sys_idempotency_age ON sys_idempotency (created_at)",
    ]

    /// The answer kept under the key; `nil` when this request is the first and must now be carried out. A second request
    /// with the same key waits here until the first one is done.
    static func begin(_ key: IdempotencyKey, _ scope: WriteScope) throws -> JSONValue? {
        let user = SQLValue.integer(scope.access.user.raw)
        let oldest = Instant(milliseconds: scope.now.milliseconds - lifetimeMilliseconds)
        try prune(before: oldest, scope.tx)
        let claimed = try scope.tx.execute(
            """
            INSERT INTO sys_idempotency (user_id, key, digest, created_at) VALUES (\(user), \(.text(key.text)), \(.text(key.digest)), \(scope.now)) \
            ON CONFLICT (user_id, key) DO UPDATE SET digest = excluded.digest, answer = NULL, created_at = excluded.created_at \
            WHERE sys_idempotency.created_at <= \(oldest)
            """)
        if claimed > 0 { return nil }
        let kept = try scope.tx.first("SELECT digest, answer FROM sys_idempotency WHERE user_id = \(user) AND key = \(.text(key.text))") {
            row in
            (digest: row.text(0) ?? "", answer: try JSONValue.parse(row.text(1) ?? "null"))
        }
        guard let kept, kept.digest == key.digest else { throw Rejection(.idempotencyKeyReused, .other("header", "Idempotency-Key")) }
        return kept.answer
    }

    static func keep(_ answer: JSONValue, under key: IdempotencyKey, _ scope: WriteScope) throws {
        try scope.tx.execute(
            """
            UPDATE sys_idempotency SET answer = \(.text(answer.text)) WHERE user_id = \(.integer(scope.access.user.raw)) AND key = \(.text(key.text))
            """)
    }

    private static func prune(before oldest: Instant, _ tx: Transaction) throws {
        let old: SQL =
            "SELECT user_id, key FROM sys_idempotency WHERE created_at <= \(oldest) ORDER BY created_at LIMIT \(.integer(pruned))\(.skipLocked)"
        try tx.execute("DELETE FROM sys_idempotency WHERE (user_id, key) IN (\(old))")
    }
}
