import SQLStore
import Wire

/// How far a job has come, as its status call tells.
package struct JobProgress: Sendable {
    package enum State: String, Sendable { case waiting, running, done, failed }

    package let state: State
    package let payload: JSONValue
    package let total: Int64
    package let done: Int64
    package let failed: Int64
}

extension JobQueue {
    /// A job of that kind; `nil` when there is none.
    static func progress(_ id: RecordID, kind: String, locked: Bool = false, _ tx: Transaction) throws -> JobProgress? {
        let lock: SQL = locked ? "\(.lockRows)" : ""
        return try tx.first("SELECT state, payload, total, done, failed FROM sys_job WHERE id = \(id) AND kind = \(.text(kind))\(lock)") {
            row in
            JobProgress(
                state: JobProgress.State(rawValue: row.text(0) ?? "") ?? .failed, payload: try JSONValue.parse(row.text(1) ?? "null"),
                total: row.integer(2) ?? 0, done: row.integer(3) ?? 0, failed: row.integer(4) ?? 0)
        }
    }

    static func setTotal(_ id: RecordID, _ total: Int, _ tx: Transaction) throws {
        try tx.execute("UPDATE sys_job SET total = \(.integer(Int64(total))) WHERE id = \(id)")
    }

    /// What a job has still to do, counted when it first runs and kept from then on.
    static func countOnce(_ job: Job, _ services: Services, _ count: @Sendable @escaping (Transaction) throws -> Int64) async throws {
        try await services.database.run(.write) { tx in
            let isKnown = try tx.first("SELECT total FROM sys_job WHERE id = \(job.id)") { $0.integer(0) != nil } ?? true
            guard !isKnown else { return }
            try setTotal(job.id, Int(try count(tx)), tx)
        }
    }

    /// Adds to the counts, and keeps where the next run goes on. Part of the transaction that did the work.
    static func advance(_ id: RecordID, done: Int, failed: Int, payload: JSONValue? = nil, _ tx: Transaction) throws {
        let kept: SQL = payload.map { ", payload = \(.text($0.text))" } ?? ""
        try tx.execute(
            """
            UPDATE sys_job SET done = coalesce(done, 0) + \(.integer(Int64(done))), failed = coalesce(failed, 0) + \(.integer(Int64(failed)))\(kept) \
            WHERE id = \(id)
            """)
    }
}

extension Services {
    /// A job of that kind as it stands; `nil` when there is none.
    package func job(_ id: RecordID, kind: String) async throws -> JobProgress? {
        try await database.run(.read) { tx in try JobQueue.progress(id, kind: kind, tx) }
    }
}
