import CLibPQ
import CSQLite

/// The current row of a running statement. It cannot leave the closure it is handed to; text is read in place.
package struct Row: ~Copyable {
    /// Where the cells are: a SQLite statement standing on the row, or a finished PostgreSQL result and the row's number.
    enum Source {
        case sqlite(OpaquePointer)
        case postgres(OpaquePointer, Int32)
    }

    private let source: Source

    init(_ source: Source) { self.source = source }

    package var count: Int {
        switch source {
        case .sqlite(let statement): Int(sqlite3_data_count(statement))
        case .postgres(let result, _): Int(PQnfields(result))
        }
    }

    package func isNull(_ column: Int) -> Bool {
        switch source {
        case .sqlite(let statement): sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL
        case .postgres(let result, let row): PQgetisnull(result, row, Int32(column)) != 0
        }
    }

    package func integer(_ column: Int) -> Int64? {
        switch source {
        case .sqlite(let statement):
            guard sqlite3_column_type(statement, Int32(column)) != SQLITE_NULL else { return nil }
            return sqlite3_column_int64(statement, Int32(column))
        case .postgres(let result, let row):
            return PostgresCell(result, row, Int32(column))?.integer
        }
    }

    package func real(_ column: Int) -> Double? {
        switch source {
        case .sqlite(let statement):
            guard sqlite3_column_type(statement, Int32(column)) != SQLITE_NULL else { return nil }
            return sqlite3_column_double(statement, Int32(column))
        case .postgres(let result, let row):
            return PostgresCell(result, row, Int32(column))?.real
        }
    }

    package func text(_ column: Int) -> String? {
        utf8(column).map { String(decoding: $0, as: UTF8.self) }
    }

    package func blob(_ column: Int) -> [UInt8]? {
        switch source {
        case .sqlite(let statement):
            guard sqlite3_column_type(statement, Int32(column)) != SQLITE_NULL else { return nil }
            // The pointer is null for an empty blob. Bytes after pointer: the manual's order.
            let start = sqlite3_column_blob(statement, Int32(column))
            return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, Int32(column)))))
        case .postgres(let result, let row):
            return PostgresCell(result, row, Int32(column))?.blob
        }
    }

    package func value(_ column: Int, as type: ColumnType) -> SQLValue {
        switch type {
        case .integer: SQLValue(integer(column))
        case .real: SQLValue(real(column))
        case .text: SQLValue(text(column))
        case .blob: blob(column).map(SQLValue.blob) ?? .null
        }
    }

    /// Hands out the text where it lies, nil for null. Valid inside `body` only.
    @inlinable
    package func withText<R>(_ column: Int, _ body: (UnsafeBufferPointer<UInt8>?) throws -> R) rethrows -> R {
        try body(utf8(column))
    }

    /// Without a scope: use `withText` unless the bytes are read at once.
    package func utf8(_ column: Int) -> UnsafeBufferPointer<UInt8>? {
        switch source {
        case .sqlite(let statement):
            // Null text is a null pointer here; an empty text is not.
            guard let start = sqlite3_column_text(statement, Int32(column)) else { return nil }
            return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, Int32(column))))
        case .postgres(let result, let row):
            return PostgresCell(result, row, Int32(column))?.utf8
        }
    }
}
