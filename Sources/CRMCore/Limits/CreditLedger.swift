import SQLStore
import Synchronization
import Wire

/// How much of the API the organisation has used within the last 24 hours. Contract: common, §13.
///
/// Counted in memory and written down every few seconds, so that a request costs no statement. Processes on one database add to the
/// same rows and read each other's there: what one has used since its last round the others do not know yet. The window moves on in
/// steps of five minutes: credits come back up to five minutes late and never early.
package final class CreditLedger: Sendable {
    static let schema: [SQL] = [
        "CREATE TABLE sys_credit (bucket \(.type(.integer)) PRIMARY KEY, used \(.type(.integer)) NOT NULL)\(.strict)"
    ]

    private static let bucketMilliseconds: Int64 = 300_000
    /// 24 hours, and the step that is under way.
    private static let buckets: Int64 = 289
    /// How far processes may be apart: short enough that a limit is passed by little, long enough to cost nothing.
    private static let roundSeconds = 5

    private struct Counts {
        /// As the database had it, with what other processes used.
        var shared: [Int64: Int64] = [:]
        /// Used here and not yet written down.
        var pending: [Int64: Int64] = [:]
        /// On its way into the database.
        var flying: [Int64: Int64] = [:]
        /// The sum of all three over the window that ends with `newest`.
        var used: Int64 = 0
        var newest: Int64 = 0

        mutating func move(to bucket: Int64) {
            guard bucket != newest else { return }
            newest = bucket
            let oldest = bucket - CreditLedger.buckets
            shared = shared.filter { $0.key > oldest }
            pending = pending.filter { $0.key > oldest }
            sum()
        }

        mutating func sum() {
            let oldest = newest - CreditLedger.buckets
            used = [shared, pending, flying].reduce(0) { total, part in total + part.reduce(0) { $1.key > oldest ? $0 + $1.value : $0 } }
        }
    }

    private let counts = Mutex(Counts())
    private let database: Database
    private let clock: @Sendable () -> Instant

    package init(_ services: Services) {
        database = services.database
        clock = services.clock
    }

    /// Uses credits if so many are left, and says how many remain; `nil` when they are not, and then nothing is used.
    package func use(_ credits: Int, of limit: Int64) -> Int64? {
        let bucket = Self.bucket(clock())
        return counts.withLock { counts in
            counts.move(to: bucket)
            guard counts.used + Int64(credits) <= limit else { return nil }
            counts.pending[bucket, default: 0] += Int64(credits)
            counts.used += Int64(credits)
            return limit - counts.used
        }
    }

    /// Uses credits whether they are left or not: for what has been done already.
    package func add(_ credits: Int) {
        let bucket = Self.bucket(clock())
        counts.withLock { counts in
            counts.move(to: bucket)
            counts.pending[bucket, default: 0] += Int64(credits)
            counts.used += Int64(credits)
        }
    }

    /// Writes down what was used here, and reads what others have used.
    package func flush() async throws {
        let newest = Self.bucket(clock())
        let oldest = newest - Self.buckets
        let own = counts.withLock { counts in
            counts.move(to: newest)
            for (bucket, used) in counts.pending { counts.flying[bucket, default: 0] += used }
            counts.pending = [:]
            return counts.flying
        }
        // In the order of the buckets, so that processes never wait for each other in a circle.
        let rows = own.sorted { $0.key < $1.key }
        let all = try await database.run(.write) { tx -> [Int64: Int64] in
            for (bucket, used) in rows {
                try tx.execute(
                    """
                    INSERT INTO sys_credit (bucket, used) VALUES (\(.integer(bucket)), \(.integer(used)))
                    ON CONFLICT (bucket) DO UPDATE SET used = sys_credit.used + excluded.used
                    """)
            }
            try tx.execute("DELETE FROM sys_credit WHERE bucket <= \(.integer(oldest))")
            var all: [Int64: Int64] = [:]
            try tx.forEach("SELECT bucket, used FROM sys_credit WHERE bucket > \(.integer(oldest)) LIMIT 1000") { row in
                all[row.integer(0) ?? 0] = row.integer(1)
            }
            return all
        }
        counts.withLock { counts in
            counts.shared = all
            counts.flying = [:]
            counts.sum()
        }
    }

    /// A round every few seconds until cancelled. What could not be written is written with the next.
    package func run() async {
        repeat { try? await flush() } while (try? await Task.sleep(for: .seconds(Self.roundSeconds))) != nil
        // Cancelled, and a cancelled task may not write; the last seconds get a task of their own.
        await Task.detached { [self] in try? await flush() }.value
    }

    private static func bucket(_ instant: Instant) -> Int64 { instant.milliseconds / bucketMilliseconds }
}
