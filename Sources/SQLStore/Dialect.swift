/// How one engine spells SQL and names its failures. The conformance suite holds both to one meaning.
protocol Dialect: Sendable {
    /// The mark of the parameter at this position, counted from 1.
    func appendPlaceholder(_ position: Int, to text: inout String)
    func render(_ term: DialectTerm, into sql: inout RenderedSQL)
    func classify(_ failure: DriverFailure) -> SQLFailure
    /// Behind a clause that locks rows: fails at once, and so that the transaction is repeated, when another one has them.
    var withoutWaiting: String { get }
    /// The texts that do this, to be sent in order.
    func statements(for command: TransactionCommand) -> [String]
    /// Inserts of `rows` rows, cut into statements of the size this engine likes.
    func inserts(into table: TableName, _ columns: [ColumnName], rows: Int) -> [InsertChunk]
    /// Reads a result in portions. Nil when the engine never holds more than a row of it.
    func cursor(_ name: TableName, for query: SQL) -> (open: SQL, fetch: SQL, close: SQL)?
    /// Goes on numbering behind the highest number in the table. Nil when the engine does so by itself.
    func continueNumbers(of table: TableName, _ column: ColumnName) -> SQL?
    /// Nil when messages are delivered in process after the commit.
    func notification(_ channel: String, _ payload: String) -> SQL?
    /// Locks the rows that a SELECT in an order finds, and reads none of them. Nil when there is only one writer anyway.
    func lockForChange(_ select: SQL) -> SQL?
    /// Nil when there is only one writer anyway.
    func advisoryLock(_ key: Int64, exclusive: Bool) -> SQL?
}

/// One INSERT statement and how many of the rows it takes.
struct InsertChunk {
    let text: String
    let rows: Int
}

/// What moves a transaction on. Not shown to the observer: a statement counter counts what callers wrote.
enum TransactionCommand: Hashable {
    case begin(Database.Mode)
    case commit
    case rollback
    case savepoint(Int)
    case release(Int)
    /// Back to the savepoint, and forget it.
    case undo(Int)
}
