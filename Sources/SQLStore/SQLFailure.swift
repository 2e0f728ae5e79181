/// Failures by kind. Callers match a case, never a text.
package enum SQLFailure: Error, Sendable, Hashable {
    /// A unique index refused a row. The name is that of the index, or `table_pkey` for a primary key.
    case unique(constraint: String)
    /// The statement names a column that is not there: planned on old metadata.
    case missingColumn
    case missingTable
    /// The engine could not order this transaction among the others, however often it was tried: at least five times, and for as long as a lock is waited for.
    case serialization
    /// Too many are waiting, or a lock was not to be had in time.
    case busy
    case cancelled
    /// The server went away. Of a write it is unknown whether it was committed.
    case connectionLost
    case other(DriverFailure)
}

/// What an engine said, before it is given a meaning.
package struct DriverFailure: Error, Sendable, Hashable {
    /// An SQLSTATE on PostgreSQL, an extended result code on SQLite; a word where the refusal is ours.
    package let code: String
    package let message: String
    package let constraint: String?

    package init(code: String, message: String, constraint: String? = nil) {
        self.code = code
        self.message = message
        self.constraint = constraint
    }
}

extension DriverFailure {
    /// PostgreSQL's texts end at a NUL; on SQLite we refuse it too, so that data can move.
    static let nulInText = DriverFailure(code: "nul-in-text", message: "text with a NUL character")
    static func wrongCount(expected: Int, given: Int) -> DriverFailure {
        DriverFailure(code: "wrong-count", message: "statement has \(expected) parameters, \(given) values were bound")
    }
    static let emptyStatement = DriverFailure(code: "empty-statement", message: "a text without a statement")
    static let manyStatements = DriverFailure(code: "many-statements", message: "more than one statement in one text")
}
