import SQLStore
import Testing
import Wire

@testable import CRMCore
@testable import Metadata

/// The language of formula fields: what it yields, and what it refuses. Contract: `metadata/types.md`, formula.
@Suite struct FormulaTests {
    private static let catalog: Catalog? = (try? StandardSeed(administratorName: "Ada Admin", email: "a@example.test", organization: "Org"))
        .map { Catalog(version: 1, documents: $0.documents) }
    private static let kinds: [String: Formula.Kind] = ["Amount": .number, "Name": .text, "Vip": .flag, "Due": .date, "Seen": .instant]

    private func parse(_ text: String, _ kind: Formula.Kind) throws -> Formula {
        try Formula(text, yielding: kind, assumesDefaults: false) { Self.kinds[$0] }
    }

    /// Formulas that read no field can be worked out without a record.
    private func value(_ text: String, _ kind: Formula.Kind) throws -> FormulaValue {
        let record = Record(try #require(Self.catalog?.module("Leads")), id: RecordID(raw: 1))
        let clock = FormulaClock(now: Instant(milliseconds: 1_700_000_000_000), zone: .utc)
        return FormulaEvaluator(record: record, assumesDefaults: false, clock: clock).value(try parse(text, kind).root)
    }

    @Test func numbersBindByPrecedence() throws {
        let expected: [(String, Double)] = [
            ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("2 ^ 3 ^ 2", 512), ("-2 ^ 2", -4), ("10 - 4 - 3", 3), ("7 % 4", 3), ("8 / 4 / 2", 1),
            ("Abs(-3) + Ceil(1.2) + Floor(1.8)", 6), ("Max(1, 5, 3) - Min(4, 2)", 3), ("Sqrt(16)", 4), ("Len('abc')", 3),
            ("Find('banana', 'an', 2)", 4), ("If(1 < 2, 10, 20)", 10), ("Weekday(Newdate(1970, 1, 1, 0, 0, 'AM'))", 5),
            ("Datecomp(Newdate(2024, 3, 1, 1, 0, 'AM'), Newdate(2024, 2, 29, 1, 0, 'AM'))", 1440),
            ("Dayofmonth(Adddate(Newdate(2024, 1, 31, 1, 0, 'PM'), 1, 'MONTH'))", 29), ("Year(Now())", 2023), ("Base10log(1000)", 3),
        ]
        for (text, number) in expected { #expect(try value(text, .number) == .number(number), "\(text)") }
        #expect(try value("1 / 0", .number) == .null && value("Sqrt(-1)", .number) == .null)
    }

    @Test func textsAndFlags() throws {
        let texts: [(String, String)] = [
            ("'a' + \"b\"", "ab"), ("Concat(Upper('x'), Lower('Y'), Trim('  z '))", "Xyz"), ("Substring('abcdef', 2, 3)", "bcd"),
            ("Replace('a-b-c', '-', '+')", "a+b+c"), ("Tostring(3)", "3"), ("Tostring(true)", "true"), ("'it\\'s'", "it's"),
            ("Timepart(Newdate(2024, 1, 1, 12, 5, 'PM'))", "12:05"),
        ]
        for (text, expected) in texts { #expect(try value(text, .text) == .text(expected), "\(text)") }
        let flags: [(String, Bool)] = [
            ("1 == 1 && !(2 > 3)", true), ("Contains('abc', 'bc')", true), ("Startswith('abc', 'b') || Endswith('abc', 'c')", true),
            ("And(true, 1 <> 1)", false), ("Or(false, 1 <= 1)", true), ("'a' < 'b'", true), ("Not(true)", false),
        ]
        for (text, expected) in flags { #expect(try value(text, .flag) == .flag(expected), "\(text)") }
    }

    /// No formula, however written, takes the server down or makes what no field could hold.
    @Test func nothingGrowsBeyondBounds() throws {
        let days = String(repeating: "+999999999", count: 110)
        #expect(try value("Year(Datepart(Now())\(days))", .number) == .null)
        #expect(try value("Now()+11000000", .instant) == .null && value("Now()-11000000", .instant) == .null)
        #expect(try value("Adddate(Adddate(Datepart(Now()), 900000000, 'DAY'), 900000000, 'DAY')", .date) == .null)
        #expect(try value("(-1)^0.5", .number) == .null && value("9^9^9", .number) == .null && value("5 % 0", .number) == .null)
        let many = String(repeating: "a", count: 900)
        let grown = "Replace(Replace(Replace(Replace('a','a','\(many)'),'a','\(many)'),'a','\(many)'),'a','\(many)')"
        #expect(try value("Len(\(grown))", .number) == .null)
        #expect(try value("Len(Replace('banana', 'an', 'x'))", .number) == .number(4))
    }

    /// Field values are empty here.
    @Test func anEmptyValueMakesTheResultEmpty() throws {
        #expect(try parse("${Amount} * 2", .number).names == ["Amount"])
        #expect(try parse("${Deals.Amount} * 2", .number).names == ["Amount"])
    }

    @Test func whatDoesNotFitIsRefused() {
        let wrong: [(String, Formula.Kind)] = [
            ("", .number), ("1 +", .number), ("(1", .number), ("'open", .text), ("${Amount", .number), ("${Nope}", .number),
            ("Foo(1)", .number),
            ("Abs()", .number), ("Abs(1, 2)", .number), ("Abs('a')", .number), ("1 + 'a'", .number), ("'a' * 2", .text), ("1 2", .number),
            ("If(1, 2, 3)", .number), ("If(true, 1, 'a')", .number), ("${Name}", .number), ("${Amount} == ${Name}", .flag), ("1", .text),
            ("${Vip} + 1", .number), ("Adddate(1, 2, 'DAY')", .date), ("1 == 1 == 1", .flag), ("$Amount", .number), ("1..2", .number),
            (String(repeating: "(", count: 500) + "1", .number), (String(repeating: "-", count: 500) + "1", .number), ("#", .number),
            (",", .text),
        ]
        for (text, kind) in wrong { #expect(throws: Formula.Mistake.self, "\(text.prefix(40))") { try parse(text, kind) } }
    }

    /// Whatever is typed, the parser answers.
    @Test func noTextBreaksTheParser() {
        let pieces = [
            "1", "+", "-", "(", ")", "'", "\"", "${Amount}", "${", "}", "If(", ",", "^", "%", "==", "=", "&&", "!", "true", "Max(", "é",
            " ", "\\",
        ]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0...25, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            _ = try? parse(text, .number)
        }
    }
}
