/// Reads the text of a formula: numbers, quoted texts, `true`, `false`, `${Field}`, calls, and operators by precedence.
struct FormulaParser {
    private static let deepest = 60

    private var rest: Substring
    private var depth = 0
    private(set) var names: Set<String> = []

    init(_ text: String) throws(Formula.Mistake) { rest = text[...] }

    mutating func formula() throws(Formula.Mistake) -> Formula.Node {
        let node = try expression(above: 0)
        skipBlanks()
        guard rest.isEmpty else { throw Formula.Mistake(reason: "unexpected '\(rest.prefix(10))'") }
        return node
    }

    /// Signs from the loosest to the tightest; longer spellings before those they begin with.
    private static let signs: [(spelling: String, sign: Formula.Operator, precedence: Int)] = [
        ("||", .or, 1), ("&&", .and, 2), ("==", .equal, 3), ("!=", .notEqual, 3), ("<>", .notEqual, 3), ("<=", .lessOrEqual, 3),
        (">=", .greaterOrEqual, 3), ("=", .equal, 3), ("<", .less, 3), (">", .greater, 3), ("+", .plus, 4), ("-", .minus, 4),
        ("*", .times, 5), ("/", .divided, 5), ("%", .remainder, 5), ("^", .power, 7),
    ]

    private mutating func expression(above floor: Int) throws(Formula.Mistake) -> Formula.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.deepest else { throw Formula.Mistake(reason: "nested too deeply") }
        var left = try operand()
        while true {
            skipBlanks()
            guard let found = Self.signs.first(where: { rest.hasPrefix($0.spelling) }), found.precedence > floor else { return left }
            rest = rest.dropFirst(found.spelling.count)
            // A power binds to its right, everything else to its left.
            let right = try expression(above: found.sign == .power ? found.precedence - 1 : found.precedence)
            left = .binary(found.sign, left, right)
        }
    }

    private mutating func operand() throws(Formula.Mistake) -> Formula.Node {
        skipBlanks()
        guard let first = rest.first else { throw Formula.Mistake(reason: "ends too early") }
        switch first {
        case "-":
            rest = rest.dropFirst()
            return .negative(try expression(above: 6))
        case "+":
            rest = rest.dropFirst()
            return try expression(above: 6)
        case "!":
            rest = rest.dropFirst()
            return .not(try expression(above: 6))
        case "(":
            rest = rest.dropFirst()
            let inner = try expression(above: 0)
            try take(")")
            return inner
        case "'", "\"": return .text(try quoted(first))
        case "$": return .field(try field())
        case "0"..."9", ".": return .number(try number())
        default: return try word()
        }
    }

    private mutating func quoted(_ mark: Character) throws(Formula.Mistake) -> String {
        rest = rest.dropFirst()
        var text = ""
        while let next = rest.popFirst() {
            if next == mark { return text }
            if next == "\\", let escaped = rest.popFirst() { text.append(escaped) } else { text.append(next) }
        }
        throw Formula.Mistake(reason: "a text without its end")
    }

    /// `${Amount}` or `${Deals.Amount}`.
    private mutating func field() throws(Formula.Mistake) -> String {
        guard rest.hasPrefix("${"), let close = rest.firstIndex(of: "}") else { throw Formula.Mistake(reason: "unexpected '$'") }
        let path = rest[rest.index(rest.startIndex, offsetBy: 2)..<close]
        rest = rest[rest.index(after: close)...]
        guard let name = path.split(separator: ".").last.map(String.init) else { throw Formula.Mistake(reason: "a field without a name") }
        names.insert(name)
        return name
    }

    private mutating func number() throws(Formula.Mistake) -> Double {
        let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(digits) else { throw Formula.Mistake(reason: "'\(digits)' is no number") }
        rest = rest.dropFirst(digits.count)
        return value
    }

    private mutating func word() throws(Formula.Mistake) -> Formula.Node {
        let word = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard !word.isEmpty else { throw Formula.Mistake(reason: "unexpected '\(rest.prefix(1))'") }
        rest = rest.dropFirst(word.count)
        skipBlanks()
        guard rest.first == "(" else {
            switch word.lowercased() {
            case "true": return .flag(true)
            case "false": return .flag(false)
            default: throw Formula.Mistake(reason: "unexpected '\(word)'")
            }
        }
        guard let function = FormulaFunction(rawValue: word.lowercased()) else { throw Formula.Mistake(reason: "no function \(word)") }
        rest = rest.dropFirst()
        var arguments: [Formula.Node] = []
        skipBlanks()
        if rest.first == ")" {
            rest = rest.dropFirst()
            return .call(function, [])
        }
        while true {
            arguments.append(try expression(above: 0))
            skipBlanks()
            guard let next = rest.popFirst() else { throw Formula.Mistake(reason: "a call without its end") }
            if next == ")" { return .call(function, arguments) }
            guard next == "," else { throw Formula.Mistake(reason: "unexpected '\(next)'") }
        }
    }

    private mutating func take(_ mark: Character) throws(Formula.Mistake) {
        skipBlanks()
        guard rest.first == mark else { throw Formula.Mistake(reason: "'\(mark)' is missing") }
        rest = rest.dropFirst()
    }

    private mutating func skipBlanks() { rest = rest.drop(while: \.isWhitespace) }
}
