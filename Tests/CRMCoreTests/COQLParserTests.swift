import Testing
import Wire

@testable import CRMCore

/// Contract: query-api, section notes (grammar).
@Suite struct COQLParserTests {
    /// The same sequence on every run.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    @Test func aStatementIsReadPartByPart() throws {
        let read = try COQLParser.parse(
            """
            SELECT a, Max(b), 'c->D.e' AS "two words", COUNT(id) FROM Leads#12 WHERE (a = 'it''s' OR b not in (1, 2)) AND c between -1.5 and 2025-01-01
            GROUP BY a ORDER BY COUNT(id) DESC, a LIMIT 5, 10
            """.replacing("Max(b)", with: "MAX(b)"))
        #expect(read.columns.map(\.text) == ["a", "MAX(b)", "c->D.e", "COUNT(id)"] && read.columns[2].alias == "two words")
        #expect(read.columns[2].value.name.steps == [.init("c", module: "D"), .init("e")])
        #expect(read.source.module == "Leads" && read.source.view == "12" && read.groups.map(\.text) == ["a"])
        #expect(read.order.map(\.descending) == [true, false] && read.limit == 10 && read.offset == 5)
        guard case .all(.any(.test(let first), .test(let second)), .test(let third)) = read.condition else {
            return #expect(Bool(false), "\(read.condition)")
        }
        #expect(
            first.operands == [.quoted("it's")] && second.operation == .notAmong
                && third.operands == [.literal("-1.5"), .literal("2025-01-01")])
    }

    @Test func deepBracketsAreRefusedAndDoNotExhaustTheStack() {
        for depth in [51, 100_000] {
            let text = "select id from Leads where \(String(repeating: "(", count: depth))id = 1\(String(repeating: ")", count: depth))"
            #expect(throws: Rejection.self) { try COQLParser.parse(text) }
        }
        #expect(throws: Rejection.self) { try COQLParser.parse(String(repeating: "x", count: COQLTokenizer.maximumLength + 1)) }
    }

    @Test func anyTextIsReadOrRefused() {
        let words = [
            "select", "from", "where", "and", "or", "not", "in", "like", "is", "null", "between", "group", "by", "order", "limit", "offset",
            "as", "asc", "(", ")", ",", "#", "!", "=", "!=",
            ">=", "'a'", "\"b\"", "'", "\"", "1", "-2.5", "2025-01-01T00:00:00+01:00", "id", "Last_Name", "A.B.C", "'X->Y.Z'", "COUNT",
            "SUM(", "\u{0}", "é", "→", "%", ".", "$", "\n", "🙂",
        ]
        var dice = Dice(state: 7)
        for round in 0..<4_000 {
            var text = round % 2 == 0 ? "select id from Leads where " : ""
            for _ in 0..<Int.random(in: 0...24, using: &dice) {
                text += words[Int.random(in: 0..<words.count, using: &dice)] + (Bool.random(using: &dice) ? " " : "")
            }
            do throws(Rejection) {
                let read = try COQLParser.parse(text)
                #expect(!read.columns.isEmpty)
            } catch {
                #expect(error.status == 400)
            }
        }
    }
}
