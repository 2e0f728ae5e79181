import SQLStore
import Wire

extension JobQueue {
    /// Tells every second how far a piece of work has come that is one transaction, or writes no row of its own.
    static func reporting<T: Sendable>(
        _ job: Job, _ services: Services, _ progress: @Sendable @escaping () -> (total: Int64, done: Int64),
        _ work: @Sendable @escaping () async throws -> T
    ) async throws -> T {
        let report: @Sendable () async -> Void = {
            let now = progress()
            try? await services.database.run(.write) { tx in
                try tx.execute(
                    """
                    UPDATE sys_job SET total = \(.integer(now.total)), done = \(.integer(now.done)) WHERE id = \(job.id) \
                    AND attempts = \(.integer(Int64(job.attempt))) AND state = 'running'
                    """)
            }
        }
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                while (try? await Task.sleep(for: .seconds(1))) != nil { await report() }
                return nil
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() ?? nil else { throw CancellationError() }
            await report()
            return result
        }
    }

    /// Whether the job is still this worker's. Holds the row, so that it stays so until the transaction ends.
    static func holds(_ job: Job, _ tx: Transaction) throws -> Bool {
        let current: SQL = "id = \(job.id) AND state = 'running' AND attempts = \(.integer(Int64(job.attempt)))"
        return try tx.first("SELECT 1 FROM sys_job WHERE \(current)\(.lockRowsForChange)") { _ in true } ?? false
    }
}
