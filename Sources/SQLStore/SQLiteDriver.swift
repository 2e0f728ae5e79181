import CSQLite

/// One SQLite connection. Without a mutex: its thread is the only one that touches it.
final class SQLiteDriver: Driver {
    enum Role { case writer, reader }

    private let database: OpaquePointer
    private var statements = StatementCache<SQLiteStatement>()
    private(set) var isOpen = true

    init(file: String, role: Role) throws(DriverFailure) {
        _ = Self.configured
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(file, &handle, flags, nil)
        guard let handle else { throw DriverFailure(code: String(code), message: "out of memory") }
        database = handle
        do throws(DriverFailure) {
            guard code == SQLITE_OK else { throw DriverFailure(sqlite: code, handle) }
            try prepareConnection(role)
        } catch {
            sqlite3_close_v2(handle)
            isOpen = false
            throw error
        }
    }

    private func prepareConnection(_ role: Role) throws(DriverFailure) {
        sqlite3_extended_result_codes(database, 1)
        guard tributary_sqlite_standard_quotes(database) == SQLITE_OK else { throw DriverFailure(sqlite: SQLITE_ERROR, database) }
        try SQLiteFunctions.register(in: database)
        // Waiting comes first: turning WAL on may already meet a lock.
        try pragma("busy_timeout = 5000")
        if role == .writer {
            try turnWALOn()
            // 16 MB between checkpoints instead of 4: each one is two more fsyncs.
            try pragma("wal_autocheckpoint = 4000")
            // A large job's WAL file is cut back to 64 MB afterwards.
            try pragma("journal_size_limit = 67108864")
        } else {
            try pragma("query_only = ON")
        }
        try pragma("synchronous = FULL")
        try pragma("foreign_keys = OFF")
        try pragma("temp_store = MEMORY")
        // Kibibytes, a ceiling and not a reservation.
        try pragma("cache_size = -8000")
        try pragma("mmap_size = 0")
    }

    private func pragma(_ setting: StaticString) throws(DriverFailure) {
        let code = sqlite3_exec(database, "PRAGMA \(setting)", nil, nil, nil)
        guard code == SQLITE_OK else { throw DriverFailure(sqlite: code, database) }
    }

    /// Some file systems cannot: then the journal silently stays what it was.
    private func turnWALOn() throws(DriverFailure) {
        let statement = try SQLiteStatement("PRAGMA journal_mode = WAL", database, persistent: false)
        defer { statement.finish() }
        _ = try statement.step(database)
        guard Row(.sqlite(statement.handle)).text(0) == "wal" else {
            throw DriverFailure(code: String(SQLITE_CANTOPEN), message: "the folder's file system does not allow a write-ahead log")
        }
    }

    var isInTransaction: Bool { sqlite3_get_autocommit(database) == 0 }

    func query(_ sql: RenderedSQL, each body: (borrowing Row) throws -> Bool) throws {
        let statement = try statement(for: sql)
        defer { statement.finish() }
        try statement.start(sql.binds)
        while try step(statement) {
            let row = Row(.sqlite(statement.handle))
            guard try body(row) else { return }
        }
    }

    func query(all statements: [RenderedSQL], each body: (Int, borrowing Row) throws -> Void) throws {
        for (number, sql) in statements.enumerated() {
            try query(sql) { row in
                try body(number, row)
                return true
            }
        }
    }

    func execute(_ sql: RenderedSQL) throws -> Int {
        let statement = try statement(for: sql)
        defer { statement.finish() }
        try statement.start(sql.binds)
        // sqlite3_changes keeps its last value through statements that change no rows, such as DDL.
        let before = sqlite3_total_changes64(database)
        while try step(statement) {}
        return sqlite3_total_changes64(database) == before ? 0 : Int(sqlite3_changes64(database))
    }

    func insert(_ text: String, rows: ArraySlice<[SQLValue]>, _ places: [Int]) throws {
        let statement = try statement(for: RenderedSQL(text: text))
        let memory = RowMemory()
        for row in rows {
            defer { statement.finish() }
            try statement.start(row, places, memory)
            while try step(statement) {}
        }
    }

    /// There is nothing to wait for: each is done at once.
    func post(_ call: Call) throws { _ = try run(call) }
    func run(_ calls: [Call]) throws -> [Int] { try calls.map(run) }
    func flush() {}

    private func run(_ call: Call) throws -> Int {
        switch call {
        case .statement(let sql): return try execute(sql)
        case .insert(let text, let rows, let places):
            try insert(text, rows: rows, places)
            return rows.count
        }
    }

    func control(_ command: TransactionCommand) throws {
        for text in SQLiteDialect().statements(for: command) { _ = try execute(RenderedSQL(text: text)) }
    }

    func interrupter() -> @Sendable () -> Void {
        // An address, because pointers are not Sendable. The connection outlives every call (`ConnectionSlot`).
        let address = UInt(bitPattern: database)
        return { OpaquePointer(bitPattern: address).map(sqlite3_interrupt) }
    }

    /// Moves what the WAL holds into the database file. Of the last connection, when all others are closed.
    func checkpoint() {
        _ = sqlite3_wal_checkpoint_v2(database, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        statements.removeAll()
        let code = sqlite3_close(database)
        // Busy means a statement is still running, which `query` makes impossible.
        assert(code == SQLITE_OK, "a statement outlived its connection")
    }

    private func statement(for sql: RenderedSQL) throws(DriverFailure) -> SQLiteStatement {
        let key = sql.key
        if let cached = statements.statement(for: key) {
            return cached.isRunning ? try SQLiteStatement(sql.text, database, persistent: false) : cached
        }
        let statement = try SQLiteStatement(sql.text, database, persistent: true)
        statements.insert(statement, for: key)
        return statement
    }

    private func step(_ statement: SQLiteStatement) throws(DriverFailure) -> Bool {
        do throws(DriverFailure) {
            return try statement.step(database)
        } catch {
            throw named(error)
        }
    }

    /// A unique failure gets the name of its index, as PostgreSQL reports it.
    private func named(_ failure: DriverFailure) -> DriverFailure {
        let unique = [tributary_sqlite_constraint_unique, tributary_sqlite_constraint_primarykey]
        guard let code = Int32(failure.code), unique.contains(code) else { return failure }
        let isPrimaryKey = code == tributary_sqlite_constraint_primarykey
        let constraint = SQLiteConstraint(failure.message, isPrimaryKey: isPrimaryKey).name { table in
            var indexes: [SQLiteConstraint.Index] = []
            try? query(RenderedSQL(text: SQLiteConstraint.indexes, binds: [.text(table)])) { row in
                indexes.append(.init(name: row.text(0) ?? "", origin: row.text(1) ?? "", columns: row.text(2) ?? ""))
                return true
            }
            return indexes
        }
        return DriverFailure(code: failure.code, message: failure.message, constraint: constraint)
    }

    /// Once in the process, before the first open.
    private static let configured: Void = {
        _ = tributary_sqlite_without_memory_statistics()
    }()
}
