/// One connection of one engine. Blocking, and used from its own thread only: deliberately not Sendable.
///
/// Throws `DriverFailure` for what the engine refused; errors of the row closure pass through as they are.
protocol Driver: AnyObject {
    /// False when the connection is of no more use.
    var isOpen: Bool { get }
    /// False when the engine has given the transaction up by itself.
    var isInTransaction: Bool { get }
    /// Hands each row to `body` until it returns false.
    func query(_ sql: RenderedSQL, each body: (borrowing Row) throws -> Bool) throws
    /// Asks them in order, and hands out the rows of each with its number.
    func query(all statements: [RenderedSQL], each body: (Int, borrowing Row) throws -> Void) throws
    /// Rows changed.
    func execute(_ sql: RenderedSQL) throws -> Int
    /// The text takes one row (SQLite: run for each) or all of them (PostgreSQL). `places` are the values that it takes of each.
    func insert(_ text: String, rows: ArraySlice<[SQLValue]>, _ places: [Int]) throws
    /// Runs it now or ahead of the next statement, whose failure may be this one's. Nobody needs its answer.
    func post(_ call: Call) throws
    /// Runs them in order. Rows changed by each.
    func run(_ calls: [Call]) throws -> [Int]
    /// Runs what was posted.
    func flush() throws
    func control(_ command: TransactionCommand) throws
    /// Stops the running statement; may be called from any thread while the connection is open.
    func interrupter() -> @Sendable () -> Void
    func close()
}

/// A statement with its values.
enum Call {
    case statement(RenderedSQL)
    /// As `Driver.insert`.
    case insert(String, rows: ArraySlice<[SQLValue]>, places: [Int])
}
