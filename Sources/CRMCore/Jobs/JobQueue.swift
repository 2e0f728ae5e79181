import SQLStore
import Wire

/// A piece of work that outlives the request that asked for it.
package struct Job: Sendable {
    package let id: RecordID
    package let kind: String
    package let payload: JSONValue
    package let attempt: Int
    /// How many of the attempts before were put off rather than failed.
    var postponed = 0
    /// When it fails now, nobody will try again.
    package var isLastAttempt: Bool { attempt - postponed >= JobQueue.maximumAttempts }
}

/// Does jobs of one kind.
package protocol JobHandler: Sendable {
    static var kind: String { get }
    /// Long work of one kind does not keep the rest waiting: each lane has a worker of its own.
    static var lane: JobLane { get }
    /// At least once: it must be able to start again where an earlier run stopped.
    func run(_ job: Job, _ services: Services) async throws
}

extension JobHandler {
    package static var lane: JobLane { .records }
}

/// Which worker does a job.
package enum JobLane: Sendable, CaseIterable {
    /// Changes of records.
    case records
    /// Reading everything out: minutes for a large organisation.
    case exports
    /// Waiting for mail servers.
    case mails
}

/// Jobs waiting, running and done, in one table shared by all processes.
package enum JobQueue {
    package static let channel = "jobs"
    /// A worker that has not renewed for this long is taken for dead.
    static let leaseMilliseconds: Int64 = 10_000
    /// After as many failed runs a job is left as failed, for a person to look at.
    static let maximumAttempts = 5

    static let schema: [SQL] = [
        """
        CREATE TABLE sys_job (id \(.type(.integer)) PRIMARY KEY, kind \(.type(.text)) NOT NULL, payload \(.type(.text)) NOT NULL,
            state \(.type(.text)) NOT NULL, run_at \(.type(.integer)) NOT NULL, attempts \(.type(.integer)) NOT NULL DEFAULT 0,
            lease_until \(.type(.integer)), error \(.type(.text)), total \(.type(.integer)), done \(.type(.integer)), failed \(.type(.integer)),
            created_at \(.type(.integer)) NOT NULL, finished_at \(.type(.integer)))\(.strict)
        """,
        "CREATE INDEX sys_job_due ON sys_job (run_at) WHERE state IN ('waiting', 'running')",
    ]

    /// When a job was first taken; what is left of it is estimated from there.
    static let beganSchema: [SQL] = [
        "ALTER TABLE sys_job ADD COLUMN began_at \(.type(.integer))",
        "CREATE INDEX sys_job_finished ON sys_job (finished_at) WHERE finished_at IS NOT NULL",
    ]

    /// How often a job was put off.
    static let postponedSchema: [SQL] = ["ALTER TABLE sys_job ADD COLUMN postponed \(.type(.integer)) NOT NULL DEFAULT 0"]

    /// Part of the caller's transaction: the job exists when, and only when, the rest does. One that is due later waits until then,
    /// whatever is stopped and started in between.
    static func enqueue(_ kind: String, _ payload: JSONValue, id: RecordID, at: Instant, due: Instant? = nil, _ tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO sys_job (id, kind, payload, state, run_at, created_at)
            VALUES (\(id), \(.text(kind)), \(.text(payload.text)), 'waiting', \(due ?? at), \(at))
            """)
        try tx.notify(channel, kind)
    }

    /// Takes the job due longest, or one whose worker died. One that has outlived its attempts, because it takes its worker with it,
    /// is left as failed.
    /// `kinds` are those of a lane; `nil` takes any but `others`.
    static func claim(now: Instant, kinds: [String]? = nil, others: [String] = [], _ tx: Transaction) throws -> Job? {
        try tx.execute(
            """
            UPDATE sys_job SET state = 'failed', error = 'its workers died', lease_until = NULL, finished_at = \(now) WHERE state IN ('waiting', 'running') \
            AND run_at <= \(now) AND attempts - postponed > \(.integer(Int64(maximumAttempts * 2))) AND (state = 'waiting' OR lease_until < \(now))
            """)
        let lease = Instant(milliseconds: now.milliseconds + leaseMilliseconds)
        let wanted: SQL = kinds.map { "\(.memberTexts("kind", $0))" } ?? "NOT \(.memberTexts("kind", others))"
        let due: SQL = """
            SELECT id FROM sys_job WHERE state IN ('waiting', 'running') AND run_at <= \(now) AND (state = 'waiting' OR lease_until < \(now)) AND \(wanted) \
            ORDER BY run_at, id LIMIT 1\(.skipLocked)
            """
        return try tx.first(
            """
            UPDATE sys_job SET state = 'running', lease_until = \(lease), attempts = attempts + 1, began_at = coalesce(began_at, \(now)) \
            WHERE id = (\(due)) RETURNING id, kind, payload, attempts, postponed
            """
        ) { row in
            Job(
                id: RecordID(raw: row.integer(0) ?? 0), kind: row.text(1) ?? "", payload: try JSONValue.parse(row.text(2) ?? "null"),
                attempt: Int(row.integer(3) ?? 0), postponed: Int(row.integer(4) ?? 0))
        }
    }

    // Each of the following holds only for the attempt it speaks of: a worker that was taken for dead has no say any more.

    static func renew(_ job: Job, now: Instant, _ tx: Transaction) throws {
        let lease = Instant(milliseconds: now.milliseconds + leaseMilliseconds)
        try tx.execute("UPDATE sys_job SET lease_until = \(lease) WHERE \(isCurrent(job))")
    }

    private static func isCurrent(_ job: Job) -> SQL {
        "id = \(job.id) AND state = 'running' AND attempts = \(.integer(Int64(job.attempt)))"
    }

    static func finish(_ job: Job, now: Instant, _ tx: Transaction) throws {
        try tx.execute("UPDATE sys_job SET state = 'done', lease_until = NULL, finished_at = \(now) WHERE \(isCurrent(job))")
    }

    /// Puts a job back to be tried again, later each time; after the last attempt it stays as failed.
    static func fail(_ job: Job, _ error: String, now: Instant, _ tx: Transaction) throws {
        if job.isLastAttempt {
            try tx.execute(
                "UPDATE sys_job SET state = 'failed', error = \(.text(error)), lease_until = NULL, finished_at = \(now) WHERE \(isCurrent(job))"
            )
        } else {
            let pause = Int64(1_000) << Int64(job.attempt - job.postponed)
            let next = Instant(milliseconds: now.milliseconds + pause)
            try tx.execute(
                "UPDATE sys_job SET state = 'waiting', error = \(.text(error)), lease_until = NULL, run_at = \(next) WHERE \(isCurrent(job))"
            )
        }
    }

    /// Puts a job back until a moment, which is no failure: for handlers with a patience of their own.
    static func postpone(_ job: Job, until due: Instant, because reason: String, _ tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE sys_job SET state = 'waiting', error = \(.text(reason)), lease_until = NULL, run_at = \(due), postponed = postponed + 1 \
            WHERE \(isCurrent(job))
            """)
    }

    /// Frees jobs whose worker is known to be gone, because this process is the only one.
    static func freeAll(_ tx: Transaction) throws {
        try tx.execute("UPDATE sys_job SET state = 'waiting', lease_until = NULL WHERE state = 'running'")
    }
}
