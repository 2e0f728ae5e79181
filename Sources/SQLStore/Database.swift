import Synchronization

/// A database with its connections. Work comes as closures; each runs in a transaction on a connection's own thread.
package final class Database: Sendable {
    package enum Location: Sendable, Hashable {
        /// A folder, made when it is not there, with `tributary.db` and a lock file in it. One process at a time.
        case sqlite(folder: String)
        case postgres(url: String)
    }

    package struct Options: Sendable {
        /// Reading threads on SQLite, beside the one that writes; all connections on PostgreSQL.
        package var readers = 4
        /// Beyond so many waiting closures, more are refused as busy.
        package var maximumQueue = 1024
        /// Called with each statement's text before it runs; what it throws fails that statement as the engine would.
        /// BEGIN, COMMIT and savepoints are not shown. Must be quick and thread-safe.
        package var observer: (@Sendable (String) throws -> Void)?
        /// PostgreSQL: how long one statement waits for a lock before it fails as busy.
        package var lockTimeoutMilliseconds: Int

        package init(
            readers: Int = 4, maximumQueue: Int = 1024, observer: (@Sendable (String) throws -> Void)? = nil,
            lockTimeoutMilliseconds: Int = 5000
        ) {
            self.readers = readers
            self.maximumQueue = maximumQueue
            self.observer = observer
            self.lockTimeoutMilliseconds = lockTimeoutMilliseconds
        }
    }

    package enum Engine: String, Sendable { case sqlite, postgres }
    package enum Mode: Sendable, Hashable { case read, write }

    /// For logs and benches only: whoever needs to know it for SQL needs a `DialectTerm`.
    package var engine: Engine { pool.engine }

    let pool: Pool
    private let nextID = Atomic<UInt64>(0)

    /// The transaction that all closures run in, where there is one.
    private let held: HeldTransaction?

    private init(_ pool: Pool) {
        self.pool = pool
        held = nil
    }

    /// Uses the pool of `other`, which must outlive it.
    init(within held: HeldTransaction, of other: Database) {
        pool = other.pool
        self.held = held
    }

    /// Throws `DatabaseError`.
    package static func open(_ location: Location, _ options: Options = .init()) async throws -> Database {
        switch location {
        case .sqlite(let folder): Database(try await .sqlite(folder, options))
        case .postgres(let url): Database(try await .postgres(url, options))
        }
    }

    deinit { if held == nil { pool.stop() } }

    /// Runs the closure in a transaction and returns its value after the commit. An error it throws rolls back.
    ///
    /// The closure may run again (serialization failure, lost connection): it may touch nothing but the transaction.
    /// Throws `SQLFailure` for what the engine refused, `.busy` when too many wait, `.cancelled` when the task was
    /// cancelled while waiting or reading.
    @discardableResult
    package func run<T: Sendable>(_ mode: Mode, _ body: @Sendable @escaping (Transaction) throws -> T) async throws -> T {
        let id = nextID.add(1, ordering: .relaxed).newValue
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let work = Work(
                    id: id, mode: mode,
                    attempt: { transaction in
                        let value = try body(transaction)
                        return { continuation.resume(returning: value) }
                    },
                    fail: { continuation.resume(throwing: $0) })
                if let refusal = Task.isCancelled ? .cancelled : (held?.queue ?? pool.queue(mode)).add(work) { return work.fail(refusal) }
                // A cancellation between the check and the queue found nothing to cancel.
                if Task.isCancelled { cancel(id, mode) }
            }
        } onCancel: {
            cancel(id, mode)
        }
    }

    private func cancel(_ id: UInt64, _ mode: Mode) {
        if let held { held.queue.remove(id)?.fail(SQLFailure.cancelled) } else { pool.cancel(id, mode) }
    }

    /// The payloads sent to a channel by any process, from now on. An empty one means: messages may have been lost, look
    /// for yourself. PostgreSQL sends it when its connection begins to listen, and after each reconnection.
    package func notifications(_ channel: String) -> AsyncStream<String> { pool.listen(channel) }

    /// Finishes what waits, refuses what comes, and returns when all connections are closed.
    package func close() async {
        pool.stop()
        await pool.threads.wait()
    }
}
