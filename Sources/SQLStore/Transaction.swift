import Synchronization

/// The scope of one transaction. A class that is not Sendable cannot leave its closure or cross an await.
///
/// A failed statement spoils the transaction, on both engines alike: whatever follows fails with the same failure,
/// and so does the whole, unless the statement stood inside a `savepoint`.
///
/// Only the first statement that locks rows waits for them. The later ones, which may meet rows in any order, fail when another
/// transaction has them, and the closure is run again from its start: nobody waits while holding rows, so nobody waits in a circle.
package final class Transaction {
    let driver: any Driver
    let dialect: any Dialect
    private let observer: (@Sendable (String) throws -> Void)?
    private var depth = 0
    private var effects: [Effect] = []
    private var holdsRows = false
    /// How many `pipelined` we are in.
    var pipelines = 0
    /// The statement that spoilt it, if any.
    private(set) var failure: SQLFailure?

    /// What happens once the transaction is committed.
    enum Effect: Sendable {
        case call(@Sendable () -> Void)
        case notice(channel: String, payload: String)
    }

    init(_ driver: any Driver, _ dialect: any Dialect, observer: (@Sendable (String) throws -> Void)?) {
        self.driver = driver
        self.dialect = dialect
        self.observer = observer
    }

    package func rows<T>(_ sql: SQL, _ map: (borrowing Row) throws -> T) throws -> [T] { try rows(rendered(sql), map) }
    package func first<T>(_ sql: SQL, _ map: (borrowing Row) throws -> T) throws -> T? { try first(rendered(sql), map) }
    package func forEach(_ sql: SQL, _ body: (borrowing Row) throws -> Void) throws { try forEach(rendered(sql), body) }
    /// Rows changed.
    @discardableResult
    package func execute(_ sql: SQL) throws -> Int { try execute(rendered(sql)) }

    /// For statements that are rendered once and run often.
    package func rendered(_ sql: SQL) -> RenderedSQL { RenderedSQL(sql, dialect) }

    package func rows<T>(_ sql: RenderedSQL, _ map: (borrowing Row) throws -> T) throws -> [T] {
        var all: [T] = []
        try query(sql) { row in
            all.append(try map(row))
            return true
        }
        return all
    }

    /// Stops after one row. It does not add a LIMIT, which the engines plan better.
    package func first<T>(_ sql: RenderedSQL, _ map: (borrowing Row) throws -> T) throws -> T? {
        var found: T?
        try query(sql) { row in
            found = try map(row)
            return false
        }
        return found
    }

    package func forEach(_ sql: RenderedSQL, _ body: (borrowing Row) throws -> Void) throws {
        try query(sql) { row in
            try body(row)
            return true
        }
    }

    /// Hands out any number of rows without holding them all. `body` may not use the transaction.
    package func stream(_ sql: SQL, _ body: (borrowing Row) throws -> Void) throws {
        // A name of its own each time: the engine prepares statements by their text, and a text must keep its columns.
        let number = Self.streams.add(1, ordering: .relaxed).newValue
        guard let name = TableName(checked: "stream_\(number)"), let cursor = dialect.cursor(name, for: sql) else {
            return try forEach(sql, body)
        }
        try execute(cursor.open)
        var count = 0
        repeat {
            count = 0
            try forEach(cursor.fetch) { row in
                count += 1
                try body(row)
            }
        } while count > 0
        try execute(cursor.close)
    }

    private static let streams = Atomic<UInt64>(0)

    /// After rows were inserted with numbers of their own: new rows get the next ones.
    package func continueNumbers(of table: TableName, _ column: ColumnName) throws {
        if let statement = dialect.continueNumbers(of: table, column) { try forEach(statement) { _ in } }
    }

    @discardableResult
    package func execute(_ sql: RenderedSQL) throws -> Int {
        let sql = lockingInTurn(sql)
        return try statement(sql.text) { try driver.execute(sql) }
    }

    /// From so many rows on, it pays to look for columns that none of them fills.
    private static let many = 50

    /// Inserts many rows, each with a value for every column, in the order given. `sparse`: columns that are null in every row may
    /// be left to their defaults, which are null too.
    package func insert(into table: TableName, _ columns: [ColumnName], rows: [[SQLValue]], sparse: Bool = false) throws {
        if let odd = rows.first(where: { $0.count != columns.count }) {
            let failure = SQLFailure.other(.wrongCount(expected: columns.count, given: odd.count))
            self.failure = failure
            throw failure
        }
        guard !rows.isEmpty else { return }
        var rest = rows[...]
        var places = Array(columns.indices)
        if sparse, rows.count >= Self.many { places.removeAll { place in rows.allSatisfy { $0[place].isNull } } }
        for chunk in dialect.inserts(into: table, places.map { columns[$0] }, rows: rows.count) {
            let some = rest.prefix(chunk.rows)
            try statement(chunk.text) {
                if pipelines > 0 {
                    try driver.post(.insert(chunk.text, rows: some, places: places))
                } else {
                    try driver.insert(chunk.text, rows: some, places)
                }
            }
            rest = rest.dropFirst(chunk.rows)
        }
    }

    /// Does all of `body` or nothing of it: an error rolls back to here, and is thrown on.
    @discardableResult
    package func savepoint<T>(_ body: () throws -> T) throws -> T {
        if let failure { throw failure }
        depth += 1
        defer { depth -= 1 }
        let level = depth
        let kept = effects.count
        try control(.savepoint(level))
        do {
            let result = try body()
            // The body may have swallowed the failure of a statement; what it did is spoilt all the same.
            if let failure { throw failure }
            try control(.release(level))
            return result
        } catch {
            effects.removeSubrange(kept...)
            // A failure that ended the transaction or the connection leaves nothing to go back to.
            guard driver.isOpen, driver.isInTransaction else { throw error }
            failure = nil
            try control(.undo(level))
            throw error
        }
    }

    /// Runs after commit, in order; dropped on rollback. For waking workers, not for work.
    package func afterCommit(_ body: @escaping @Sendable () -> Void) { effects.append(.call(body)) }

    /// Tells all processes on this database, after commit. The payload is not empty (that means "messages were lost")
    /// and under 8,000 bytes (PostgreSQL's limit).
    package func notify(_ channel: String, _ payload: String) throws {
        if let notification = dialect.notification(channel, payload) {
            try forEach(notification) { _ in }
        } else {
            effects.append(.notice(channel: channel, payload: payload))
        }
    }

    /// Locks what a SELECT finds, in its order, before a statement changes it; the rows themselves are not read.
    package func lockForChange(_ select: SQL) throws {
        if let lock = dialect.lockForChange(select) { try forEach(lock) { _ in } }
    }

    /// Held until the end of the transaction.
    package func advisoryLock(_ key: Int64, exclusive: Bool) throws {
        if let lock = dialect.advisoryLock(key, exclusive: exclusive) { try perform(rendered(lock)) }
    }

    /// Handed out once, to whoever committed.
    func takeEffects() -> [Effect] {
        defer { effects = [] }
        return effects
    }

    private func query(_ sql: RenderedSQL, _ body: (borrowing Row) throws -> Bool) throws {
        let sql = lockingInTurn(sql)
        try statement(sql.text) { try driver.query(sql, each: body) }
    }

    func lockingInTurn(_ sql: RenderedSQL) -> RenderedSQL {
        guard sql.locksRows else { return sql }
        defer { holdsRows = true }
        guard holdsRows else { return sql }
        var sql = sql
        sql.text += dialect.withoutWaiting
        // Another text, so another statement. Templates are numbered from one.
        if let number = sql.number { sql.number = number | 1 << 63 }
        return sql
    }

    /// Every statement of a caller goes through here.
    func statement<T>(_ text: String, _ run: () throws -> T) throws -> T {
        if let failure { throw failure }
        return try engine {
            try observe(text)
            return try run()
        }
    }

    /// A refusal of the engine, in our words, spoils the transaction.
    func engine<T>(_ run: () throws -> T) throws -> T {
        do {
            return try run()
        } catch let refused as DriverFailure {
            let failure = dialect.classify(refused)
            self.failure = failure
            throw failure
        }
    }

    /// What the observer throws looks like a failure of the engine.
    func observe(_ text: String) throws {
        guard let observer else { return }
        do {
            try observer(text)
        } catch let failure as SQLFailure {
            self.failure = failure
            throw failure
        } catch {
            throw DriverFailure(code: "observer", message: String(describing: error))
        }
    }

    /// BEGIN, COMMIT and the like. A failure among them spoils the transaction as any other does.
    func control(_ command: TransactionCommand) throws(SQLFailure) {
        do {
            try driver.control(command)
        } catch {
            let failure = (error as? DriverFailure).map(dialect.classify) ?? .other(DriverFailure(code: "", message: "\(error)"))
            self.failure = failure
            throw failure
        }
    }
}
