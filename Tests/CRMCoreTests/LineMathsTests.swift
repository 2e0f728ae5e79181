import Testing
import Wire

@testable import CRMCore

/// Percentages as lines of products give them (`metadata/conversions.md`, "Line maths").
struct LineMathsTests {
    @Test(arguments: [("10%", 10.0), ("12.5 %", 12.5), ("0%", 0.0)])
    func aPercentageIsReadFromText(_ text: String, _ expected: Double) {
        #expect(LineMaths.percentage(.string(text)) == expected)
    }

    @Test(arguments: [.string("10"), .string("%"), .string("x%"), .string("inf%"), .real(10), .null] as [JSONValue])
    func anythingElseIsNoPercentage(_ value: JSONValue) {
        #expect(LineMaths.percentage(value) == nil)
    }

    @Test func aShareHasNineDecimals() {
        #expect(LineMaths.share(10, of: 1.1) == 0.11)
        #expect(LineMaths.share(100.0 / 3, of: 100) == 33.333333333)
    }
}
