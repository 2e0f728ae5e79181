import Metadata
import SQLStore
import Wire

/// A bulk read or bulk write as its row has it.
package struct BulkJob: Sendable {
    package enum Operation: String, Sendable { case read, insert, update, upsert }
    package enum State: String, Sendable { case added, running, completed, failed }

    /// How long a job, its result and the tokens it gave out stay (the pages name no time; decision 2).
    package static let lifetimeMilliseconds: Int64 = 7 * 24 * 3_600_000

    package let id: RecordID
    package let operation: Operation
    package let user: UserID
    package let state: State
    package let request: JSONValue
    package let progress: JSONValue
    /// The refusal it ended with.
    package let failure: JSONValue?
    package let result: RecordID?
    package let createdAt: Instant
    /// Its turn has not come: others are ahead, or it waits to be tried again.
    package let isQueued: Bool
}

/// The rows of bulk jobs.
package enum BulkJobs {
    /// Part of the caller's transaction: the job, and the work that does it.
    static func add(_ operation: BulkJob.Operation, kind: String, _ request: JSONValue, progress: JSONValue, _ scope: WriteScope) throws
        -> RecordID
    {
        let id = scope.ids.next()
        try scope.tx.insert(
            into: "sys_bulk_job", ["id", "operation", "user_id", "state", "request", "progress", "created_at", "expires_at"],
            rows: [
                [
                    .integer(id.raw), .text(operation.rawValue), .integer(scope.access.user.raw), .text(BulkJob.State.added.rawValue),
                    .text(request.text), .text(progress.text), .integer(scope.now.milliseconds), .integer(expiry(scope.now)),
                ]
            ])
        try JobQueue.enqueue(kind, ["bulk": .id(id)], id: id, at: scope.now, scope.tx)
        return id
    }

    static func expiry(_ now: Instant) -> Int64 { now.milliseconds + BulkJob.lifetimeMilliseconds }

    /// `locked` keeps other workers out until the end of the transaction.
    static func find(_ id: RecordID, locked: Bool = false, _ tx: Transaction) throws -> BulkJob? {
        let lock: SQL = locked ? "\(.lockRows)" : ""
        let job = try tx.first(
            """
            SELECT operation, user_id, state, request, progress, failure, result, created_at FROM sys_bulk_job WHERE id = \(id)\(lock)
            """
        ) { row in
            try BulkJob(
                id: id, operation: .init(rawValue: row.text(0) ?? "") ?? .read, user: UserID(raw: row.integer(1) ?? 0),
                state: .init(rawValue: row.text(2) ?? "") ?? .failed, request: .parse(row.text(3) ?? "null"),
                progress: .parse(row.text(4) ?? "null"), failure: row.text(5).map { try JSONValue.parse($0) },
                result: row.integer(6).map(RecordID.init(raw:)), createdAt: Instant(milliseconds: row.integer(7) ?? 0), isQueued: false)
        }
        return locked ? job : try job.map { try $0.withQueue(tx) }
    }

    static func set(_ id: RecordID, state: BulkJob.State? = nil, progress: JSONValue, _ tx: Transaction) throws {
        let word: SQL = state.map { ", state = \(.text($0.rawValue))" } ?? ""
        try tx.execute("UPDATE sys_bulk_job SET progress = \(.text(progress.text))\(word) WHERE id = \(id)")
    }

    /// The end of a job: its pieces are needed no more.
    static func finish(
        _ id: RecordID, progress: JSONValue, failure: Rejection? = nil, result: RecordID? = nil, now: Instant, _ tx: Transaction
    )
        throws
    {
        let state: BulkJob.State = failure == nil ? .completed : .failed
        try tx.execute(
            """
            UPDATE sys_bulk_job SET state = \(.text(state.rawValue)), progress = \(.text(progress.text)), failure = \(.init(failure?.result.text)),
                result = \(.id(result)), expires_at = \(.integer(expiry(now))) WHERE id = \(id)
            """)
        try BulkParts.drop([id.raw], now: now, tx)
    }

    /// Counts a download of the user's; returns how many there were in this minute, across all processes.
    package static func countDownload(_ job: BulkJob, now: Instant, _ tx: Transaction) throws -> Int64 {
        let minute = SQLValue.integer(now.milliseconds / 60_000)
        try tx.execute(
            """
            UPDATE sys_bulk_job SET downloads = CASE WHEN download_minute = \(minute) THEN downloads + 1 ELSE 1 END, download_minute = \(minute)
            WHERE id = \(job.id)
            """)
        return try tx.first(
            "SELECT CAST(sum(downloads) AS BIGINT) FROM sys_bulk_job WHERE user_id = \(.integer(job.user.raw)) AND download_minute = \(minute)"
        ) { $0.integer(0) ?? 0 } ?? 0
    }
}

extension BulkJob {
    /// With what the queue knows: a job whose workers died has failed, and one behind others waits for them.
    fileprivate func withQueue(_ tx: Transaction) throws -> BulkJob {
        guard state == .added || state == .running else { return self }
        let work = try tx.first("SELECT state, attempts, run_at FROM sys_job WHERE id = \(id)") { row in
            (state: row.text(0) ?? "", attempts: row.integer(1) ?? 0, due: row.integer(2) ?? 0)
        }
        guard let work, work.state != "failed" else { return copy(state: .failed, isQueued: false) }
        guard work.state == "waiting" else { return copy(state: .running, isQueued: false) }
        let ahead = try tx.first(
            """
            SELECT 1 FROM sys_job WHERE state IN ('waiting', 'running') AND run_at <= \(.integer(work.due)) AND id < \(id)
            AND kind IN ('bulk_read', 'bulk_write') LIMIT 1
            """
        ) { _ in true }
        return copy(state: .added, isQueued: work.attempts > 0 || ahead == true)
    }

    private func copy(state: State, isQueued: Bool) -> BulkJob {
        BulkJob(
            id: id, operation: operation, user: user, state: state, request: request, progress: progress, failure: failure, result: result,
            createdAt: createdAt, isQueued: isQueued)
    }
}

extension Services {
    /// A bulk job of that user's; nobody learns of others.
    package func bulkJob(_ id: RecordID, of user: UserID) async throws -> BulkJob? {
        let job = try await database.run(.read) { tx in try BulkJobs.find(id, tx) }
        return job?.user == user ? job : nil
    }

    /// Whether the user may download once more in this minute (`bulk-read.md`, section notes).
    package func mayDownload(_ job: BulkJob) async throws -> Bool {
        let now = clock()
        return try await database.run(.write) { tx in try BulkJobs.countDownload(job, now: now, tx) } <= 10
    }
}
