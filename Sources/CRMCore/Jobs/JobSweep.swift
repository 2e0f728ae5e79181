import Logging
import SQLStore
import Wire

/// Forgets jobs and mails that are over, so that the table does not grow for ever. Their status calls then answer as for a job nobody knows.
package struct JobSweep: Sendable {
    /// Long enough to look into what failed last month.
    package static let usualDays = 30
    private static let batch: Int64 = 500

    private let services: Services
    private let days: Int

    package init(_ services: Services, keepingDays days: Int = JobSweep.usualDays) {
        self.services = services
        self.days = days
    }

    /// At the start, and every hour until cancelled.
    package func run() async {
        repeat {
            do { try await sweep() } catch { services.logger.warning("old jobs could not be swept", metadata: ["error": "\(error)"]) }
        } while (try? await Task.sleep(for: .seconds(3600))) != nil
    }

    package func sweep() async throws {
        let limit = Instant(milliseconds: services.clock().milliseconds - Int64(days) * 86_400_000)
        while try await round(limit) == Self.batch {}
        while try await services.database.run(.write, { tx in try Outbox.forget(before: limit, limit: Self.batch, tx) }) == Self.batch {}
    }

    private func round(_ limit: Instant) async throws -> Int {
        try await services.database.run(.write) { tx in
            let old: SQL =
                "SELECT id FROM sys_job WHERE finished_at < \(limit) ORDER BY finished_at, id LIMIT \(.integer(Self.batch))\(.skipLocked)"
            return try tx.execute("DELETE FROM sys_job WHERE id IN (\(old)) AND state IN ('done', 'failed')")
        }
    }
}
