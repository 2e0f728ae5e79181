import Wire

/// The same sequence on every run.
struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
    mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
    mutating func chance(_ part: Int, of whole: Int) -> Bool { below(whole) < part }
}

enum PlainValue: Hashable, Sendable {
    case text(String)
    case number(Double)
    case day(String)
    case flag(Bool)

    var json: JSONValue {
        switch self {
        case .text(let text), .day(let text): .string(text)
        case .number(let number): number == number.rounded() ? .integer(Int64(number)) : .real(number)
        case .flag(let flag): .bool(flag)
        }
    }
}

/// A record as the evaluator keeps it: only what was given, and whose account it is by index.
struct PlainRow: Sendable {
    var id = ""
    var account: Int?
    var values: [String: PlainValue]
    var json: JSONValue { .object(values.sorted { $0.key < $1.key }.map { .init($0.key, $0.value.json) }) }
}

enum RandomRows {
    static let words = [
        "Ärger", "ärmel", "Zoe", "zoe", "O'Brien", "Straße", "100%", "a_b", "Alpha", "alphabet", "Beta", "béta", "x", "ΟΔΟΣ",
    ]
    static let industries = ["Energy", "Banking", "energy"]
    static let stages = ["Qualification", "Closed Won", "Needs Analysis"]

    static func accounts(_ dice: inout Dice) -> [PlainRow] {
        (0..<12).map { number in
            var values: [String: PlainValue] = ["Account_Name": .text("\(dice.pick(words)) \(number)")]
            if dice.chance(2, of: 3) { values["Industry"] = .text(dice.pick(industries)) }
            if dice.chance(2, of: 3) { values["Annual_Revenue"] = .number(Double(dice.below(9)) * 100.5) }
            return PlainRow(values: values)
        }
    }

    static func deals(_ dice: inout Dice) -> [PlainRow] {
        (0..<180).map { _ in
            var values: [String: PlainValue] = ["Deal_Name": .text(dice.pick(words)), "Stage": .text(dice.pick(stages))]
            if dice.chance(3, of: 4) { values["Amount"] = .number(Double(dice.below(40)) / 4) }
            if dice.chance(2, of: 3) { values["Next_Step"] = .text(dice.pick(words)) }
            if dice.chance(3, of: 4) { values["Closing_Date"] = .day("2025-0\(1 + dice.below(9))-1\(dice.below(10))") }
            return PlainRow(account: dice.chance(3, of: 4) ? dice.below(12) : nil, values: values)
        }
    }
}

/// A query over Deals as a tree, and the text that asks for it.
struct RandomQuery: Sendable {
    indirect enum Test: Sendable {
        case all(Test, Test)
        case any(Test, Test)
        case compare(path: String, operation: String, [PlainValue])
        case like(path: String, negated: Bool, String)
        case empty(path: String, negated: Bool)
        case account(operation: String, [Int])
        case subquery(Test)
    }
    enum Shape: Sendable {
        case rows
        case groups(by: String)
    }

    static let texts = ["Deal_Name", "Next_Step", "Account_Name.Account_Name", "Account_Name.Industry"]
    static let numbers = ["Amount", "Account_Name.Annual_Revenue"]
    static let ordered = ["Deal_Name", "Next_Step", "Amount", "Closing_Date", "Account_Name.Account_Name", "Account_Name.Annual_Revenue"]

    let test: Test
    let shape: Shape
    let order: [(path: String, descending: Bool)]
    let limit: Int
    let offset: Int
    private let accounts: [String]

    init(_ dice: inout Dice, accounts: [PlainRow]) {
        self.accounts = accounts.map(\.id)
        test = Self.test(&dice, depth: 0)
        shape =
            dice.chance(1, of: 4)
            ? .groups(by: dice.pick(["Next_Step", "Account_Name.Industry", "Closing_Date", "Account_Name.Annual_Revenue"])) : .rows
        order = (0..<dice.below(3)).map { _ in (dice.pick(Self.ordered), dice.chance(1, of: 2)) }
            .reduce(into: []) { kept, key in if !kept.contains(where: { $0.path == key.0 }) { kept.append(key) } }
        limit = dice.pick([1, 5, 50, 200, 2000])
        offset = dice.pick([0, 0, 0, 3, 40])
    }

    private static func test(_ dice: inout Dice, depth: Int, of module: [String]? = nil) -> Test {
        if depth < 3, dice.chance(2, of: 5) {
            let left = test(&dice, depth: depth + 1, of: module)
            let right = test(&dice, depth: depth + 1, of: module)
            return dice.chance(1, of: 2) ? .all(left, right) : .any(left, right)
        }
        let texts = module ?? Self.texts
        switch dice.below(module == nil ? 8 : 4) {
        case 0:
            return .compare(
                path: dice.pick(texts), operation: dice.pick(["=", "!="]), [.text(dice.pick(RandomRows.words + RandomRows.industries))])
        case 1:
            return .compare(
                path: dice.pick(texts), operation: dice.pick(["in", "not in"]),
                (0...dice.below(4)).map { _ in .text(dice.pick(RandomRows.words)) })
        case 2:
            let part = dice.pick(["z", "A", "ß", "%", "_", "'", "oe", "ta", "σ", "é"])
            let negated = dice.chance(1, of: 4)
            return .like(
                path: dice.pick(texts), negated: negated,
                negated || part == "%" ? "%\(part == "%" ? "0" : part)%" : dice.pick(["\(part)%", "%\(part)", "%\(part)%"]))
        case 3: return .empty(path: dice.pick(texts), negated: dice.chance(1, of: 2))
        case 4:
            let operation = dice.pick(["=", "!=", ">", ">=", "<", "<=", "between", "not between", "in", "not in"])
            let count = operation.hasSuffix("in") ? 1 + dice.below(3) : operation.hasSuffix("between") ? 2 : 1
            return .compare(
                path: dice.pick(numbers), operation: operation,
                (0..<count).map { _ in .number(Double(dice.below(20)) / 4 * (dice.chance(1, of: 3) ? 100 : 1)) })
        case 5:
            let operation = dice.pick(["=", "!=", ">", ">=", "<", "<=", "between", "not between"])
            return .compare(
                path: "Closing_Date", operation: operation,
                (0..<(operation.hasSuffix("between") ? 2 : 1)).map { _ in .day("2025-0\(1 + dice.below(9))-15") })
        case 6: return .account(operation: dice.pick(["=", "!=", "in", "not in"]), (0...dice.below(3)).map { _ in dice.below(12) })
        default: return .subquery(test(&dice, depth: 2, of: ["Account_Name", "Industry"]))
        }
    }

    var text: String {
        let tail = " from Deals where \(Self.text(test, accounts))"
        let page = " limit \(limit) offset \(offset)"
        switch shape {
        case .rows:
            let keys = order.isEmpty ? "" : " order by " + order.map { "\($0.path)\($0.descending ? " desc" : "")" }.joined(separator: ", ")
            return "select Deal_Name, Account_Name.Industry" + tail + keys + page
        case .groups(let path):
            return "select \(path), COUNT(id), SUM(Amount), MIN(Amount), MAX(Closing_Date)" + tail + " group by \(path)" + page
        }
    }

    private static func text(_ test: Test, _ accounts: [String]) -> String {
        switch test {
        case .all(let left, let right): return "(\(text(left, accounts)) and \(text(right, accounts)))"
        case .any(let left, let right): return "(\(text(left, accounts)) or \(text(right, accounts)))"
        case .compare(let path, let operation, let values): return "\(path) \(operation) \(operands(operation, values.map(literal)))"
        case .like(let path, let negated, let pattern): return "\(path) \(negated ? "not like" : "like") \(literal(.text(pattern)))"
        case .empty(let path, let negated): return "\(path) is \(negated ? "not null" : "null")"
        case .account(let operation, let numbers):
            return "Account_Name \(operation) \(operands(operation, numbers.map { "'\(accounts[$0])'" }))"
        case .subquery(let inner): return "Account_Name in (select id from Accounts where \(text(inner, accounts)))"
        }
    }

    private static func operands(_ operation: String, _ values: [String]) -> String {
        operation.hasSuffix("in")
            ? "(\(values.joined(separator: ", ")))" : operation.hasSuffix("between") ? values.joined(separator: " and ") : values[0]
    }

    private static func literal(_ value: PlainValue) -> String {
        switch value {
        case .text(let text), .day(let text): "'\(text.replacing("'", with: "''"))'"
        case .number(let number): String(number)
        case .flag(let flag): String(flag)
        }
    }

    /// An answered row as the evaluator writes it. Sums are cut to where the engines' orders of adding agree.
    @Sendable func reading(_ row: JSONValue) -> [String] {
        switch shape {
        case .rows: ["id", "Deal_Name", "Account_Name.Industry"].map { row[$0]?.string ?? "-" }
        case .groups(let path): [path, "COUNT(id)", "SUM(Amount)", "MIN(Amount)", "MAX(Closing_Date)"].map { Self.shown(row[$0]) }
        }
    }

    static func shown(_ value: JSONValue?) -> String { value?.string ?? value?.double.map { String(($0 * 100).rounded()) } ?? "-" }
}
