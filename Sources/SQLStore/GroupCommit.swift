/// The loop of the SQLite writing thread. Up to 64 waiting closures share one COMMIT, and so one fsync.
///
/// Each has a savepoint of its own when there are several: one that throws is undone alone. Nobody is answered before
/// the COMMIT.
final class GroupCommit {
    /// The answer of one closure, given after the commit.
    private struct Outcome {
        let work: Work
        let result: Result<@Sendable () -> Void, any Error>
        let effects: [Transaction.Effect]
    }

    private let queue: WorkQueue
    private let hub: NotificationHub
    private let driver: SQLiteDriver
    private let observer: (@Sendable (String) throws -> Void)?

    /// Beyond this many the fsync's share of each is small, and the first has waited long enough.
    static let most = 64

    init(_ queue: WorkQueue, _ hub: NotificationHub, _ driver: SQLiteDriver, observer: (@Sendable (String) throws -> Void)?) {
        self.queue = queue
        self.hub = hub
        self.driver = driver
        self.observer = observer
    }

    func run() {
        while let first = queue.take() {
            let group = [first] + queue.takeWaiting(atMost: Self.most - 1)
            if !commit(group) {
                // The engine gave the whole transaction up (disk full, out of memory). Only one of them is to blame.
                for work in group { _ = commit([work]) }
            }
        }
    }

    /// False when nothing happened and nobody was answered: the transaction was lost to one of several.
    private func commit(_ group: [Work]) -> Bool {
        let whole = transaction()
        do {
            try whole.control(.begin(.write))
        } catch {
            for work in group { work.fail(error) }
            return true
        }
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(group.count)
        for work in group {
            outcomes.append(outcome(of: work, alone: group.count == 1))
            guard driver.isInTransaction || group.count == 1 else { return false }
        }
        finish(outcomes, whole)
        return true
    }

    private func outcome(of work: Work, alone: Bool) -> Outcome {
        let transaction = transaction()
        do {
            let deliver = alone ? try attempt(work, transaction) : try transaction.savepoint { try attempt(work, transaction) }
            return Outcome(work: work, result: .success(deliver), effects: transaction.takeEffects())
        } catch {
            return Outcome(work: work, result: .failure(error), effects: [])
        }
    }

    private func attempt(_ work: Work, _ transaction: Transaction) throws -> @Sendable () -> Void {
        let deliver = try work.attempt(transaction)
        if let failure = transaction.failure { throw failure }
        return deliver
    }

    private func finish(_ outcomes: [Outcome], _ whole: Transaction) {
        var failure: (any Error)?
        do {
            let isAlone = outcomes.count == 1
            if isAlone, case .failure(let error) = outcomes[0].result { throw error }
            try whole.control(.commit)
        } catch {
            if driver.isInTransaction { try? whole.control(.rollback) }
            failure = error
        }
        if failure == nil { for outcome in outcomes { hub.carryOut(outcome.effects) } }
        for outcome in outcomes {
            switch outcome.result {
            case .success(let deliver): if let failure { outcome.work.fail(failure) } else { deliver() }
            case .failure(let error): outcome.work.fail(error)
            }
        }
    }

    private func transaction() -> Transaction { Transaction(driver, SQLiteDialect(), observer: observer) }
}
