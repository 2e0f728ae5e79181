/// The name of a table that is known to be safe: a literal in code, or checked.
package struct TableName: Sendable, Hashable, ExpressibleByStringLiteral {
    package let raw: String

    package init(stringLiteral literal: StaticString) { raw = literal.description }

    /// Nil unless the name is made of `[a-z0-9_]` and at most 60 bytes long.
    package init?(checked name: String) {
        guard isSafeName(name) else { return nil }
        raw = name
    }
}

/// The name of a column that is known to be safe: a literal in code, or checked.
package struct ColumnName: Sendable, Hashable, ExpressibleByStringLiteral {
    package let raw: String

    package init(stringLiteral literal: StaticString) { raw = literal.description }

    /// Nil unless the name is made of `[a-z0-9_]` and at most 60 bytes long.
    package init?(checked name: String) {
        guard isSafeName(name) else { return nil }
        raw = name
    }
}

/// PostgreSQL cuts names at 63 bytes without a word; 60 leaves room for a suffix.
private func isSafeName(_ name: String) -> Bool {
    let bytes = name.utf8
    return (1...60).contains(bytes.count)
        && bytes.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
}
