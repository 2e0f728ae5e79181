import SQLStore
import Wire

/// Leases the process number inside ids, so that no two live processes share one.
package enum ProcessNumbers {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_process (number \(.type(.integer)) PRIMARY KEY, owner \(.type(.text)) NOT NULL,
            lease_until \(.type(.integer)) NOT NULL)\(.strict)
        """
    ]

    /// How long a lease lasts without renewal. A process renews every third of it.
    package static let leaseMilliseconds: Int64 = 60_000
    private static let lockKey: Int64 = 0x7072_6f63

    /// The lowest number whose lease has run out.
    static func lease(owner: String, now: Instant, _ tx: Transaction) throws -> Int64 {
        try tx.advisoryLock(lockKey, exclusive: true)
        let taken = Set(try tx.rows("SELECT number FROM sys_process WHERE lease_until > \(now)") { $0.integer(0) ?? 0 })
        guard let free = (0..<1024).map(Int64.init).first(where: { !taken.contains($0) }) else { throw BootstrapError.tooManyProcesses }
        let until = Instant(milliseconds: now.milliseconds + leaseMilliseconds)
        try tx.execute(
            """
            INSERT INTO sys_process (number, owner, lease_until) VALUES (\(.integer(free)), \(.text(owner)), \(until))
            ON CONFLICT (number) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
            """)
        return free
    }

    /// Extends the lease; false when another process has taken the number over.
    static func renew(_ number: Int64, owner: String, now: Instant, _ tx: Transaction) throws -> Bool {
        let until = Instant(milliseconds: now.milliseconds + leaseMilliseconds)
        return try tx.execute(
            "UPDATE sys_process SET lease_until = \(until) WHERE number = \(.integer(number)) AND owner = \(.text(owner))") == 1
    }

    /// Whether more than one process is there, or may be: one that was killed counts until its lease runs out.
    static func othersLive(now: Instant, _ tx: Transaction) throws -> Bool {
        try tx.first("SELECT count(*) FROM sys_process WHERE lease_until > \(now)") { $0.integer(0) ?? 0 } ?? 0 > 1
    }

    static func release(_ number: Int64, owner: String, _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_process WHERE number = \(.integer(number)) AND owner = \(.text(owner))")
    }
}
