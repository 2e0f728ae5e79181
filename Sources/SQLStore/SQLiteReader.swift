/// The loop of one SQLite reading thread: each closure inside a transaction of its own, so that it sees one moment.
final class SQLiteReader {
    private let queue: WorkQueue
    private let slot: ConnectionSlot
    private let hub: NotificationHub
    private let observer: (@Sendable (String) throws -> Void)?
    private let open: () throws -> SQLiteDriver
    private var driver: SQLiteDriver?

    init(
        _ queue: WorkQueue, _ slot: ConnectionSlot, _ hub: NotificationHub, observer: (@Sendable (String) throws -> Void)?,
        open: @escaping () throws -> SQLiteDriver
    ) {
        self.queue = queue
        self.slot = slot
        self.hub = hub
        self.observer = observer
        self.open = open
    }

    func run() {
        while let work = queue.take() {
            slot.begin(work.id)
            let answer = answer(work)
            slot.end()
            answer()
        }
        slot.connect(nil)
        driver?.close()
    }

    private func answer(_ work: Work) -> () -> Void {
        do {
            let transaction = Transaction(try connection(), SQLiteDialect(), observer: observer)
            try transaction.control(.begin(.read))
            do {
                let deliver = try work.attempt(transaction)
                if let failure = transaction.failure { throw failure }
                try transaction.control(.commit)
                hub.carryOut(transaction.takeEffects())
                return deliver
            } catch {
                if driver?.isInTransaction == true { try transaction.control(.rollback) }
                throw error
            }
        } catch {
            return { work.fail(error) }
        }
    }

    /// Opened at the first use: most databases in tests never need all their readers.
    private func connection() throws(SQLFailure) -> SQLiteDriver {
        if let driver { return driver }
        do {
            let opened = try open()
            driver = opened
            slot.connect(opened.interrupter())
            return opened
        } catch {
            throw (error as? DriverFailure).map(SQLiteDialect().classify) ?? .connectionLost
        }
    }
}
