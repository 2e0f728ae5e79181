import Glibc

/// The loop of one PostgreSQL thread. Runs closures again where that is right, and connects again where it must.
final class PostgresWorker {
    private let queue: WorkQueue
    private let slot: ConnectionSlot
    private let hub: NotificationHub
    private let observer: (@Sendable (String) throws -> Void)?
    private let open: () throws -> PostgresDriver
    private var driver: PostgresDriver?

    /// How long a closure is run again and again while others have the rows it wants: as long as it might have waited for them.
    private let patience: Duration
    /// However long they take.
    private static let fewest = 5

    init(
        _ queue: WorkQueue, _ slot: ConnectionSlot, _ hub: NotificationHub, observer: (@Sendable (String) throws -> Void)?,
        patience: Duration,
        open: @escaping () throws -> PostgresDriver
    ) {
        self.queue = queue
        self.slot = slot
        self.hub = hub
        self.observer = observer
        self.patience = patience
        self.open = open
    }

    func run() {
        while let work = next() {
            if work.mode == .read { slot.begin(work.id) }
            let answer = answer(work)
            if work.mode == .read { slot.end() }
            answer()
        }
        disconnect()
    }

    private func next() -> Work? {
        if let work = queue.takeWaiting(atMost: 1).first { return work }
        // If that fails, the next use finds the connection lost.
        try? driver?.settle()
        return queue.take()
    }

    /// Connects, so that whoever opens the database learns at once if it cannot be.
    func connect() throws(DatabaseError) {
        do {
            use(try open())
        } catch {
            let failure = error as? DriverFailure
            let message = failure?.message ?? String(describing: error)
            throw failure?.code == PostgresConnection.unsuitable ? .unsuitable(message) : .cannotOpen(message)
        }
    }

    private func answer(_ work: Work) -> () -> Void {
        let begin = ContinuousClock.now
        for attempt in 1... {
            do {
                return try once(work)
            } catch {
                let isOver = attempt >= Self.fewest && (error.repetition == .few || ContinuousClock.now - begin > patience)
                guard error.repetition != .none, !isOver else { return { work.fail(error.cause) } }
                // Up to 4, 16, then 64 ms. Jittered, so that two that collided do not collide again.
                usleep(.random(in: 500...(1000 << (2 * UInt32(min(attempt, 3))))))
            }
        }
        return {}
    }

    /// An error of one attempt.
    private struct Failed: Error {
        let cause: any Error
        let repetition: Repetition
    }

    private enum Repetition {
        case none
        /// The connection was lost before anything could be committed.
        case few
        /// The engine asks for it: others have what it wants.
        case patient
    }

    private func once(_ work: Work) throws(Failed) -> () -> Void {
        var transaction: Transaction?
        var isCommitting = false
        do {
            let driver = try connection()
            let current = Transaction(driver, PostgresDialect(), observer: observer)
            transaction = current
            try current.control(.begin(work.mode))
            let deliver = try work.attempt(current)
            if let failure = current.failure { throw failure }
            isCommitting = true
            try current.control(.commit)
            let effects = current.takeEffects()
            return { [hub] in
                hub.carryOut(effects)
                deliver()
            }
        } catch {
            // The closure may have thrown an error of its own over a failure that calls for another attempt.
            let failure = transaction?.failure ?? error as? SQLFailure
            rollBack()
            switch failure {
            case .serialization: throw Failed(cause: error, repetition: .patient)
            case .connectionLost: throw Failed(cause: error, repetition: isCommitting ? .none : .few)
            default: throw Failed(cause: error, repetition: .none)
            }
        }
    }

    private func rollBack() {
        guard let driver, driver.isOpen else { return disconnect() }
        guard driver.isInTransaction else { return }
        // A transaction that cannot be ended must not meet the next closure.
        do { try driver.control(.rollback) } catch { disconnect() }
    }

    private func connection() throws(SQLFailure) -> PostgresDriver {
        if let driver, driver.isOpen { return driver }
        disconnect()
        do {
            let opened = try open()
            use(opened)
            return opened
        } catch {
            throw (error as? DriverFailure).map(PostgresDialect().classify) ?? .connectionLost
        }
    }

    private func use(_ opened: PostgresDriver) {
        driver = opened
        slot.connect(opened.interrupter())
    }

    private func disconnect() {
        // First, so that nobody interrupts a connection that is gone.
        slot.connect(nil)
        driver?.close()
        driver = nil
    }
}
