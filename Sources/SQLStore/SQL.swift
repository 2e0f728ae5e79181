package import Wire

/// SQL text and its bound values, grown together. A value interpolated is a value bound; a plain `String` does not fit.
///
///     let sql: SQL = "SELECT name FROM \(table) WHERE id = \(id) AND \(.startsFolded("name", "ac"))"
package struct SQL: Sendable, ExpressibleByStringInterpolation {
    package enum Piece: Sendable {
        case text(String)
        case bind(SQLValue)
        case table(TableName)
        case column(ColumnName, of: String?)
        case nested(SQL)
        case term(DialectTerm)
    }

    package private(set) var pieces: [Piece]

    package static let empty = SQL(pieces: [])

    private init(pieces: [Piece]) { self.pieces = pieces }
    package init(stringLiteral text: String) { pieces = [.text(text)] }
    package init(stringInterpolation parts: Parts) { pieces = parts.pieces }
    package init(_ term: DialectTerm) { pieces = [.term(term)] }
    package init(_ column: ColumnName, of alias: String? = nil) { pieces = [.column(column, of: alias)] }
    package init(_ table: TableName) { pieces = [.table(table)] }
    package init(_ value: SQLValue) { pieces = [.bind(value)] }

    package var isEmpty: Bool { pieces.isEmpty }

    package static func + (left: SQL, right: SQL) -> SQL { SQL(pieces: left.pieces + right.pieces) }
    package static func += (left: inout SQL, right: SQL) { left.pieces.append(contentsOf: right.pieces) }

    /// The parts in order with `separator` between them; empty when there are none.
    package static func joined(_ parts: [SQL], by separator: StaticString) -> SQL {
        let between = Piece.text(separator.description)
        var pieces: [Piece] = []
        pieces.reserveCapacity(parts.count * 2)
        for part in parts {
            if !pieces.isEmpty { pieces.append(between) }
            pieces.append(.nested(part))
        }
        return SQL(pieces: pieces)
    }

    /// Columns as one text, made once for a list that is used again and again. Both engines write names alike.
    package static func fixed(_ columns: [ColumnName], of alias: String) -> SQL {
        var rendered = RenderedSQL()
        for column in columns {
            if !rendered.text.isEmpty { rendered.text += ", " }
            rendered.appendName(alias)
            rendered.text += "."
            rendered.appendName(column.raw)
        }
        return SQL(pieces: [.text(rendered.text)])
    }

    package static func joined(_ columns: [ColumnName], of alias: String? = nil, by separator: StaticString = ", ") -> SQL {
        joined(columns.map { SQL($0, of: alias) }, by: separator)
    }

    /// What an SQL literal is made of while the compiler takes it apart.
    package struct Parts: StringInterpolationProtocol {
        fileprivate var pieces: [Piece] = []

        package init(literalCapacity: Int, interpolationCount: Int) { pieces.reserveCapacity(interpolationCount * 2 + 1) }

        package mutating func appendLiteral(_ text: String) {
            if !text.isEmpty { pieces.append(.text(text)) }
        }
        package mutating func appendInterpolation(_ value: SQLValue) { pieces.append(.bind(value)) }
        package mutating func appendInterpolation(_ id: RecordID) { pieces.append(.bind(.integer(id.raw))) }
        package mutating func appendInterpolation(_ instant: Instant) { pieces.append(.bind(.integer(instant.milliseconds))) }
        package mutating func appendInterpolation(_ table: TableName) { pieces.append(.table(table)) }
        package mutating func appendInterpolation(_ column: ColumnName, of alias: String? = nil) {
            pieces.append(.column(column, of: alias))
        }
        package mutating func appendInterpolation(_ sql: SQL) { pieces.append(.nested(sql)) }
        package mutating func appendInterpolation(_ term: DialectTerm) { pieces.append(.term(term)) }
    }
    package typealias StringInterpolation = Parts
}
