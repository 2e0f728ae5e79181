package import Wire

/// One bound value: exactly what both engines can store.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    package init(_ text: String?) { self = text.map(SQLValue.text) ?? .null }
    package init(_ integer: Int64?) { self = integer.map(SQLValue.integer) ?? .null }
    package init(_ integer: Int?) { self = integer.map { .integer(Int64($0)) } ?? .null }
    package init(_ real: Double?) { self = real.map(SQLValue.real) ?? .null }
    package init(_ flag: Bool?) { self = flag.map { .integer($0 ? 1 : 0) } ?? .null }
    package init(_ instant: Instant?) { self = instant.map { .integer($0.milliseconds) } ?? .null }

    package static func id(_ id: RecordID?) -> SQLValue { id.map { .integer($0.raw) } ?? .null }

    package var isNull: Bool { if case .null = self { true } else { false } }

    /// As the engines compare: texts are equal when their bytes are, whatever they look like.
    package static func == (a: SQLValue, b: SQLValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.integer(let a), .integer(let b)): a == b
        case (.real(let a), .real(let b)): a == b
        case (.text(let a), .text(let b)): a.hasBytes(of: b)
        case (.blob(let a), .blob(let b)): a == b
        default: false
        }
    }
}

extension String {
    /// Whether both are written with the same bytes; `==` also takes signs for equal that are put together in another way.
    fileprivate func hasBytes(of other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return self == other && utf8.elementsEqual(other.utf8)
    }
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .real(value) }
    package init(booleanLiteral value: Bool) { self = .integer(value ? 1 : 0) }
    package init(nilLiteral: ()) { self = .null }
}

/// The four storage types. Everything the API knows is stored in one of them, on both engines alike.
package enum ColumnType: Sendable, Hashable, CaseIterable { case integer, real, text, blob }
