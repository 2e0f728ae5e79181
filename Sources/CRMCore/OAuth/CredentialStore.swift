import Metadata
import SQLStore
import Wire

/// Passwords of the people who sign in. Owns `sys_credential`.
package struct CredentialStore: Sendable {
    private let database: Database
    private let clock: @Sendable () -> Instant
    /// After this many wrong passwords in a row an account rests for the time below; ten leaves room for honest slips.
    private let allowedFailures: Int64 = 10
    private let restMilliseconds: Int64 = 15 * 60 * 1000

    package init(_ database: Database, clock: @escaping @Sendable () -> Instant) {
        self.database = database
        self.clock = clock
    }

    package func setPassword(_ password: String, of user: UserID) async throws {
        guard let hash = await PasswordHash.make(password) else { throw PasswordFailure() }
        let now = clock()
        try await database.run(.write) { tx in try Self.put(hash, of: user, at: now, tx) }
    }

    static func put(_ hash: PasswordHash, of user: UserID, at now: Instant, _ tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO sys_credential (user_id, password_hash, changed_at, failures)
            VALUES (\(.integer(user.raw)), \(.text(hash.text)), \(now), 0) ON CONFLICT (user_id) DO UPDATE SET
                password_hash = excluded.password_hash, changed_at = excluded.changed_at, failures = 0, failed_at = NULL
            """)
    }

    package func hasPassword(_ user: UserID) async throws -> Bool { try await load(user) != nil }

    package enum Verdict: Sendable { case accepted, refused, resting }

    /// Takes the same time for a user without a password, or for nobody at all.
    package func verify(_ password: String, of user: UserID?) async throws -> Verdict {
        guard let user, let stored = try await load(user) else {
            _ = await PasswordHash.nobody.matches(password)
            return .refused
        }
        if stored.failures >= allowedFailures, clock().milliseconds - stored.failedAt < restMilliseconds { return .resting }
        let right = await stored.hash.matches(password)
        if !right || stored.failures > 0 { try await note(right, user) }
        return right ? .accepted : .refused
    }

    private struct Stored: Sendable { let hash: PasswordHash, failures: Int64, failedAt: Int64 }

    private func load(_ user: UserID) async throws -> Stored? {
        try await database.run(.read) { tx in
            try tx.first(
                "SELECT password_hash, failures, failed_at FROM sys_credential WHERE user_id = \(.integer(user.raw))"
            ) { row in
                Stored(hash: PasswordHash(stored: row.text(0) ?? ""), failures: row.integer(1) ?? 0, failedAt: row.integer(2) ?? 0)
            }
        }
    }

    private func note(_ right: Bool, _ user: UserID) async throws {
        let now = clock()
        let id = SQLValue.integer(user.raw)
        try await database.run(.write) { tx in
            let change: SQL = right ? "failures = 0" : "failures = failures + 1, failed_at = \(now)"
            try tx.execute("UPDATE sys_credential SET \(change) WHERE user_id = \(id)")
        }
    }
}

/// The password could not be hashed: no memory, or a broken libcrypto.
package struct PasswordFailure: Error {}
