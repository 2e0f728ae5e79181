/// SQL as one engine reads it, with its values in order.
package struct RenderedSQL: Sendable, Hashable {
    package var text: String
    package var binds: [SQLValue]
    /// Positions in `binds` whose text is an array literal of the engine, with the type of its elements.
    var arrays: [Int: ColumnType] = [:]
    /// It ends in a clause that locks the rows it reads.
    var locksRows = false
    /// Of a template, which stands for its text: connections find what they prepared without reading the text again.
    var number: UInt64?

    var key: StatementKey { number.map(StatementKey.number) ?? .text(text) }

    package init(text: String = "", binds: [SQLValue] = []) {
        self.text = text
        self.binds = binds
    }

    init(_ sql: SQL, _ dialect: some Dialect) {
        self.init()
        text.reserveCapacity(256)
        append(sql, dialect)
    }

    mutating func append(_ sql: SQL, _ dialect: some Dialect) {
        for piece in sql.pieces {
            switch piece {
            case .text(let literal): text += literal
            case .bind(let value): bind(value, dialect)
            case .table(let name): appendName(name.raw)
            case .column(let name, let alias):
                if let alias {
                    appendName(alias)
                    text += "."
                }
                appendName(name.raw)
            case .nested(let inner): append(inner, dialect)
            case .term(let term): dialect.render(term, into: &self)
            }
        }
    }

    mutating func bind(_ value: SQLValue, _ dialect: some Dialect) {
        binds.append(value)
        dialect.appendPlaceholder(binds.count, to: &text)
    }

    /// A name in double quotes, so that `order` and `user` are names like any other.
    mutating func appendName(_ name: String) {
        text += "\""
        // Bytes in a row are searched many times faster than a view of characters; names are a large part of a statement.
        let isPlain = name.utf8.withContiguousStorageIfAvailable { !$0.contains(UInt8(ascii: "\"")) }
        if isPlain != true, name.utf8.contains(UInt8(ascii: "\"")) {
            for character in name.unicodeScalars { text += character == "\"" ? "\"\"" : String(character) }
        } else {
            text += name
        }
        text += "\""
    }

    /// A text literal in single quotes.
    mutating func appendLiteral(_ literal: String) {
        text += "'"
        if literal.utf8.contains(UInt8(ascii: "'")) {
            for character in literal.unicodeScalars { text += character == "'" ? "''" : String(character) }
        } else {
            text += literal
        }
        text += "'"
    }
}
