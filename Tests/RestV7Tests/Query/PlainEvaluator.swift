import SQLStore
import Wire

/// What a query should find, worked out the slow and obvious way.
struct PlainEvaluator {
    let deals: [PlainRow]
    let accounts: [PlainRow]

    func run(_ query: RandomQuery) -> (rows: [[String]], more: Bool) {
        let found = deals.filter { holds(query.test, $0) }.sorted { $0.id < $1.id }
        let rows: [[String]]
        switch query.shape {
        case .rows:
            let sorted = found.sorted { a, b in
                for key in query.order {
                    let order = compare(value(key.path, a), value(key.path, b)) * (key.descending ? -1 : 1)
                    if order != 0 { return order < 0 }
                }
                return a.id < b.id
            }
            rows = sorted.map { [$0.id, text(value("Deal_Name", $0)), text(value("Account_Name.Industry", $0))] }
        case .groups(let path):
            let groups = Dictionary(grouping: found) { value(path, $0) }.sorted { compare($0.key, $1.key) < 0 }
            rows = groups.map { key, members in
                let amounts = members.compactMap { number(value("Amount", $0)) }
                let days = members.compactMap { row in value("Closing_Date", row).map { text($0) } }
                let sum = amounts.isEmpty ? nil : PlainValue.number(amounts.reduce(0, +))
                return [
                    shown(key), shown(.number(Double(members.count))), shown(sum), shown(amounts.min().map(PlainValue.number)),
                    days.max() ?? "-",
                ]
            }
        }
        let rest = rows.dropFirst(query.offset)
        return (Array(rest.prefix(query.limit)), rest.count > query.limit)
    }

    private func value(_ path: String, _ row: PlainRow) -> PlainValue? {
        guard path.hasPrefix("Account_Name.") else { return row.values[path] }
        return row.account.flatMap { accounts[$0].values[String(path.dropFirst(13))] }
    }

    private func holds(_ test: RandomQuery.Test, _ row: PlainRow) -> Bool {
        switch test {
        case .all(let left, let right): holds(left, row) && holds(right, row)
        case .any(let left, let right): holds(left, row) || holds(right, row)
        case .empty(let path, let negated): (value(path, row) == nil) != negated
        case .like(let path, let negated, let pattern): like(value(path, row), pattern, negated)
        case .compare(let path, let operation, let operands): self.holds(operation, value(path, row), operands)
        // Ids are compared as numbers; here each account is its index.
        case .account(let operation, let numbers):
            holds(operation, row.account.map { .number(Double($0)) }, numbers.map { .number(Double($0)) })
        case .subquery(let inner): row.account.map { holds(inner, accounts[$0]) } ?? false
        }
    }

    /// What differs, is not among, or does not contain, includes what is empty.
    private func holds(_ operation: String, _ value: PlainValue?, _ operands: [PlainValue]) -> Bool {
        guard let value else { return ["!=", "not in", "not between"].contains(operation) }
        let orders = operands.map { compare(folded(value), folded($0)) }
        return switch operation {
        case "=": orders[0] == 0
        case "!=": orders[0] != 0
        case ">": orders[0] > 0
        case ">=": orders[0] >= 0
        case "<": orders[0] < 0
        case "<=": orders[0] <= 0
        case "in": orders.contains(0)
        case "not in": !orders.contains(0)
        case "between": orders[0] >= 0 && orders[1] <= 0
        default: orders[0] < 0 || orders[1] > 0
        }
    }

    private func like(_ value: PlainValue?, _ pattern: String, _ negated: Bool) -> Bool {
        guard let value else { return negated }
        let whole = TextFolding.fold(text(value))
        let part = TextFolding.fold(pattern.filter { $0 != "%" })
        let found = pattern.hasPrefix("%") ? pattern.hasSuffix("%") ? whole.contains(part) : whole.hasSuffix(part) : whole.hasPrefix(part)
        return found != negated
    }

    private func folded(_ value: PlainValue) -> PlainValue {
        if case .text(let text) = value { .text(TextFolding.fold(text)) } else { value }
    }

    /// Texts without case and then by their bytes; empty after everything.
    private func compare(_ a: PlainValue?, _ b: PlainValue?) -> Int {
        switch (a, b) {
        case (nil, nil): 0
        case (nil, _): 1
        case (_, nil): -1
        case (.number(let x)?, .number(let y)?): x < y ? -1 : x > y ? 1 : 0
        case (let x?, let y?):
            bytes(TextFolding.fold(text(x)), TextFolding.fold(text(y))) != 0
                ? bytes(TextFolding.fold(text(x)), TextFolding.fold(text(y))) : bytes(text(x), text(y))
        }
    }

    private func bytes(_ a: String, _ b: String) -> Int {
        if a.utf8.elementsEqual(b.utf8) { return 0 }
        return a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : 1
    }

    private func number(_ value: PlainValue?) -> Double? { if case .number(let number)? = value { number } else { nil } }
    private func text(_ value: PlainValue?) -> String {
        switch value {
        case .text(let text)?, .day(let text)?: text
        case .number(let number)?: String(number)
        case .flag(let flag)?: String(flag)
        case nil: "-"
        }
    }
    private func shown(_ value: PlainValue?) -> String { RandomQuery.shown(value?.json) }
}
