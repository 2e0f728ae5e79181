import Metadata
import Wire

/// Reads search criteria such as `((Last_Name:equals:Kim)and(Company:starts_with:Ac))` (`records.md`, 131).
package struct CriteriaParser {
    /// At most ten conditions.
    private static let maximumTests = 10, maximumDepth = 20

    private let module: Module
    private var text: [Character] = []
    private var position = 0
    private var tests = 0

    package init(_ module: Module) { self.module = module }

    package func parse(_ criteria: String) throws(Rejection) -> Condition {
        var parser = self
        parser.text = Array(criteria)
        let condition = try parser.expression(depth: 0)
        guard parser.position == parser.text.count else { throw parser.malformed() }
        return condition
    }

    /// Tests joined by `and` and `or`, in brackets or bare. Mixed without brackets they bind from the left, as upstream reads them.
    private mutating func expression(depth: Int) throws(Rejection) -> Condition {
        guard depth < Self.maximumDepth else { throw malformed() }
        var left = try term(depth: depth)
        while let joint = joint() {
            let right = try term(depth: depth)
            left = joint == "and" ? .all([left, right]) : .any([left, right])
        }
        return left
    }

    private mutating func term(depth: Int) throws(Rejection) -> Condition {
        skipBlanks()
        guard position < text.count, text[position] == "(" else { return try test() }
        position += 1
        skipBlanks()
        let inner = try expression(depth: depth + 1)
        skipBlanks()
        guard position < text.count, text[position] == ")" else { throw malformed() }
        position += 1
        return inner
    }

    private mutating func joint() -> String? {
        skipBlanks()
        for word in ["and", "or"] {
            let end = position + word.count
            if end <= text.count, String(text[position..<end]).lowercased() == word {
                position = end
                return word
            }
        }
        return nil
    }

    private mutating func test() throws(Rejection) -> Condition {
        tests += 1
        guard tests <= Self.maximumTests else { throw Rejection(.invalidQuery, .other("reason", "more than ten conditions")) }
        let name = try part()
        let word = try part()
        guard let field = module.field(name) else { throw Rejection(.invalidQuery, .apiName(name), .other("reason", "invalid field")) }
        let values = values()
        guard let comparator = comparator(word, field) else {
            throw Rejection(
                .invalidQuery, .other("reason", "the operator does not fit the field"), .apiName(name), .other("operator", .string(word)))
        }
        guard !values.isEmpty, values.count <= CriteriaLimits.values, comparator == .between ? values.count == 2 : true else {
            throw malformed()
        }
        let single = comparator == .among || comparator == .between ? values : [values.joined(separator: ",")]
        if word.lowercased() == "equals" || comparator == .notEqual, single == ["${EMPTY}"] || single == ["null"] {
            return .test(field: name, comparator == .notEqual ? .notEmpty : .empty, [])
        }
        return .test(field: name, comparator, single.map(JSONValue.string))
    }

    /// The operators of `records.md` by kind of field; `equals` on text finds what contains the value.
    private func comparator(_ word: String, _ field: Field) -> Comparator? {
        switch (word.lowercased(), field.type.comparison) {
        case ("equals", .text), ("equals", .longText): .contains
        // `Search_Records`: only equals is supported for encrypted fields.
        case ("equals", .sealed): .equal
        case (_, .sealed): nil
        case ("equals", _): .equal
        case ("not_equal", _): .notEqual
        case ("starts_with", .none) where field.type.cell == .territories: .startsWith
        case ("starts_with", .text), ("starts_with", .longText), ("starts_with", .choices): .startsWith
        case ("in", .flag), ("in", .longText): nil
        case ("in", _): .among
        case ("greater_than", .number), ("greater_than", .date), ("greater_than", .instant): .greater
        case ("greater_equal", .number), ("greater_equal", .date), ("greater_equal", .instant): .greaterOrEqual
        case ("less_than", .number), ("less_than", .date), ("less_than", .instant): .less
        case ("less_equal", .number), ("less_equal", .date), ("less_equal", .instant): .lessOrEqual
        case ("between", .number), ("between", .date), ("between", .instant): .between
        default: nil
        }
    }

    /// Up to the next colon.
    private mutating func part() throws(Rejection) -> String {
        let start = position
        while position < text.count, text[position] != ":", text[position] != "(", text[position] != ")" { position += 1 }
        guard position < text.count, text[position] == ":", position > start else { throw malformed() }
        position += 1
        return String(text[start..<position - 1]).trimmed
    }

    /// Values up to the closing bracket, parted by commas; a backslash makes the next character plain.
    private mutating func values() -> [String] {
        var values: [String] = []
        var current = ""
        while position < text.count, text[position] != ")" {
            if text[position] == "\\", position + 1 < text.count {
                position += 1
                current.append(text[position])
            } else if text[position] == "," {
                values.append(current.trimmed)
                current = ""
            } else {
                current.append(text[position])
            }
            position += 1
        }
        if !current.isEmpty { values.append(current.trimmed) }
        return values
    }

    private mutating func skipBlanks() { while position < text.count, text[position] == " " { position += 1 } }

    private func malformed() -> Rejection {
        Rejection(.invalidQuery, .other("reason", .string("the criteria cannot be read at character \(position)")), .parameter("criteria"))
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first == " " { text = text.dropFirst() }
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}
