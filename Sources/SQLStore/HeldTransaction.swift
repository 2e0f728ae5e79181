import Glibc
import Synchronization

/// One transaction that stays open while closures come to it one after another. It holds its connection for that long, and on
/// SQLite every other writer waits: for a handful of statements, not for work that waits on anything else.
final class HeldTransaction: Sendable {
    /// Rolled back because whoever held it said so. No failure of the engine, so that nobody tries again.
    struct Undone: Error {}

    private static let attempts = 10
    let queue = WorkQueue(limit: 64)
    private let state = Mutex((hasBegun: false, keeps: false))

    /// Runs on the connection's thread until `end`.
    func serve(_ tx: Transaction) throws {
        let isFirst = state.withLock { state in
            defer { state.hasBegun = true }
            return !state.hasBegun
        }
        // A second run could not repeat what the first was asked to do.
        guard isFirst else { throw Undone() }
        while let work = queue.take() {
            do {
                try run(work, tx)()
            } catch {
                work.fail(error)
            }
        }
        guard state.withLock({ $0.keeps }) else { throw Undone() }
    }

    /// Rows that others have may be free a moment later; the savepoint gives back what this attempt has locked.
    private func run(_ work: Work, _ tx: Transaction) throws -> @Sendable () -> Void {
        for attempt in 1..<Self.attempts {
            do {
                return try tx.savepoint { try work.attempt(tx) }
            } catch SQLFailure.serialization {
                usleep(.random(in: 500...(4000 * UInt32(attempt))))
            }
        }
        return try tx.savepoint { try work.attempt(tx) }
    }

    func end(keeping: Bool) {
        state.withLock { $0.keeps = keeping }
        queue.close()
    }

    /// There will be no transaction: what waits for it is told why.
    func refuse(_ error: any Error) {
        queue.close()
        for work in queue.takeWaiting(atMost: .max) { work.fail(error) }
    }
}

extension Database {
    /// Hands out a database whose every closure runs in one and the same transaction, each in a savepoint of its own, and
    /// commits when `body` returns. An error of `body` rolls everything back. Answers inside are given before the commit.
    package func together<T: Sendable>(_ body: @Sendable (Database) async throws -> T) async throws -> T {
        let held = HeldTransaction()
        async let ended: Void = hold(held)
        do {
            let result = try await body(Database(within: held, of: self))
            held.end(keeping: true)
            try await ended
            return result
        } catch {
            held.end(keeping: false)
            do { try await ended } catch is HeldTransaction.Undone {}
            throw error
        }
    }

    private func hold(_ held: HeldTransaction) async throws {
        do {
            try await run(.write) { tx in try held.serve(tx) }
        } catch {
            held.refuse(error)
            throw error
        }
    }
}
