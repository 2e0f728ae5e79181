import Logging
import SQLStore
import Wire

/// Forgets bulk jobs past their time, with what they have collected. Their results are files, which expire by themselves.
package struct BulkSweep: Sendable {
    private static let batch: Int64 = 200

    private let services: Services

    package init(_ services: Services) { self.services = services }

    /// At the start, and every ten minutes until cancelled.
    package func run() async {
        repeat {
            do { try await sweep() } catch {
                services.logger.warning("bulk jobs could not be swept", metadata: ["error": "\(error)"])
            }
        } while (try? await Task.sleep(for: .seconds(600))) != nil
    }

    package func sweep() async throws {
        let now = services.clock()
        var more = true
        while more {
            more = try await services.database.run(.write) { tx in
                let due = try tx.rows(
                    "SELECT id FROM sys_bulk_job WHERE expires_at < \(now) ORDER BY expires_at, id LIMIT \(.integer(Self.batch))\(.skipLocked)"
                ) { $0.integer(0) ?? 0 }
                guard !due.isEmpty else { return false }
                try BulkParts.drop(due, now: now, tx)
                try tx.execute("DELETE FROM sys_bulk_job WHERE \(.memberIDs("id", due))")
                return due.count == Int(Self.batch)
            }
        }
    }
}
