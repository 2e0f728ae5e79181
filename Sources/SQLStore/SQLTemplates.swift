import Synchronization

/// Statements rendered once and used again with other values: for SQL that is long, made of metadata, and asked for often.
///
/// `make` is given numbers that stand for the values, and may use them as ids, in lists of ids, and in texts; where they end up in the
/// statement, the values are put. What else `make` says must follow from the key, and no value may become part of the text.
package final class SQLTemplates: Sendable {
    package struct Key: Hashable, Sendable {
        let name: String
        let first: Int64
        let second: Int64
        let count: Int

        package init(_ name: String, _ first: Int64 = 0, _ second: Int64 = 0, count: Int = 0) {
            self.name = name
            self.first = first
            self.second = second
            self.count = count
        }
    }

    private struct Place: Hashable {
        let key: Key
        let dialect: ObjectIdentifier
    }

    /// Beyond so many something is wrong with the keys; then all are made anew.
    private static let limit = 2048
    private static let numbers = StatementNumbers()
    private let templates = Mutex<[Place: SQLTemplate]>([:])

    package init() {}

    package var count: Int { templates.withLock(\.count) }

    /// What `make` is given in place of so many values.
    package static func signs(_ count: Int) -> [Int64] { SQLTemplate.signs(count) }

    /// The statement with these values.
    package func statement(_ key: Key, _ values: [Int64], _ tx: Transaction, _ make: ([Int64]) -> SQL) -> RenderedSQL {
        let place = Place(key: key, dialect: ObjectIdentifier(type(of: tx.dialect)))
        if let known = templates.withLock({ $0[place] }), known.count == values.count { return known.filled(values) }
        let rendered = tx.rendered(make(SQLTemplate.signs(values.count)))
        guard let template = SQLTemplate(rendered, count: values.count, number: Self.numbers.number(of: rendered.text)) else {
            assertionFailure("a value is part of the text of \(key.name)")
            return tx.rendered(make(values))
        }
        templates.withLock { templates in
            if templates.count >= Self.limit { templates = [:] }
            templates[place] = template
        }
        return template.filled(values)
    }
}

/// Numbers for texts. Templates with the same text have the same number, whoever made them, so that a connection prepares it once.
private final class StatementNumbers: Sendable {
    /// Beyond so many texts all get new numbers, and connections prepare them anew.
    private static let limit = 4096
    private let known = Mutex<(numbers: [String: UInt64], last: UInt64)>(([:], 0))

    func number(of text: String) -> UInt64 {
        known.withLock { known in
            if let number = known.numbers[text] { return number }
            if known.numbers.count >= Self.limit { known.numbers = [:] }
            known.last += 1
            known.numbers[text] = known.last
            return known.last
        }
    }
}

/// A rendered statement, and where its values go.
struct SQLTemplate: Sendable {
    private enum Part: Sendable {
        case text(String)
        case value(Int)
    }
    private enum Slot: Sendable {
        case integer(at: Int, value: Int)
        case text(at: Int, [Part])
    }

    let count: Int
    private let rendered: RenderedSQL
    private let slots: [Slot]

    /// Numbers that nothing else is: far below every id and every moment.
    static func signs(_ count: Int) -> [Int64] { (0..<Int64(count)).map { first + $0 } }
    private static let first: Int64 = -4_611_686_018_427_380_000
    /// What all of them begin with.
    private static let beginning = "-46116860184273"

    /// `nil` when a sign is part of the text.
    init?(_ sql: RenderedSQL, count: Int, number: UInt64) {
        guard !sql.text.contains(Self.beginning) else { return nil }
        var rendered = sql
        rendered.number = number
        self.rendered = rendered
        self.count = count
        slots = sql.binds.enumerated().compactMap { position, bind in
            switch bind {
            case .integer(let integer):
                let value = integer &- Self.first
                return value >= 0 && value < count ? .integer(at: position, value: Int(value)) : nil
            case .text(let text):
                let parts = Self.parts(text, count)
                return parts.count > 1 || text.hasPrefix(Self.beginning) ? .text(at: position, parts) : nil
            case .null, .real, .blob: return nil
            }
        }
    }

    func filled(_ values: [Int64]) -> RenderedSQL {
        var sql = rendered
        for slot in slots {
            switch slot {
            case .integer(let position, let value): sql.binds[position] = .integer(values[value])
            case .text(let position, let parts):
                var text = ""
                for part in parts {
                    switch part {
                    case .text(let fixed): text += fixed
                    case .value(let value): text += String(values[value])
                    }
                }
                sql.binds[position] = .text(text)
            }
        }
        return sql
    }

    private static func parts(_ text: String, _ count: Int) -> [Part] {
        var parts: [Part] = []
        var rest = text[...]
        while let start = rest.firstRange(of: beginning)?.lowerBound {
            let end = rest.index(start, offsetBy: 20, limitedBy: rest.endIndex) ?? rest.endIndex
            guard let sign = Int64(rest[start..<end]), (0..<Int64(count)).contains(sign - first) else { break }
            if start > rest.startIndex { parts.append(.text(String(rest[..<start]))) }
            parts.append(.value(Int(sign - first)))
            rest = rest[end...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        return parts
    }
}
