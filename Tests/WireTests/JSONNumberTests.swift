import Testing

@testable import Wire

@Suite struct JSONNumberTests {
    private func written(_ value: Double) -> String {
        var writer = JSONWriter()
        writer.double(value)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test(
        arguments: [
            (12.0, "12"), (0, "0"), (-0.0, "0"), (0.5, "0.5"), (-1.25, "-1.25"), (0.1, "0.1"), (0.07, "0.07"), (1.10, "1.1"),
            (0.005, "0.005"), (1234.565, "1234.565"), (99999999999.99, "99999999999.99"), (0.1 + 0.2, "0.30000000000000004"),
            (9_007_199_254_740_994, "9007199254740994"), (1e15, "1000000000000000"), (1e16, "10000000000000000"),
            (9_999_999_999_999_998, "9999999999999998"), (1.5e16, "15000000000000000"), (1.2345678901234567e19, "12345678901234567000"),
            (1e20, "100000000000000000000"), (1e21, "1e+21"), (0.0001, "0.0001"), (0.00001, "0.00001"), (-0.0000012, "-0.0000012"),
            (1e-7, "0.0000001"), (1e-8, "1e-08"), (-2.5e30, "-2.5e+30"), (Double.greatestFiniteMagnitude, "1.7976931348623157e+308"),
            (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
        ] as [(Double, String)])
    func doublesAreWrittenShortAndPlain(_ value: Double, _ expected: String) {
        #expect(written(value) == expected)
        #expect(JSONValue.real(value).text == expected)
    }

    @Test func everyDoubleReadsBackAsItself() throws {
        var random = FixedRandom(seed: 4)
        for _ in 0..<5000 {
            let value = random.double()
            guard value.isFinite else { continue }
            let text = written(value)
            #expect(Double(text) == value)
            #expect(JSONValue.number(text).double == value)
            #expect(text.utf8.count <= value.description.utf8.count || !text.contains("e"))
            _ = try JSONValue.parse(text)
        }
    }

    @Test(
        arguments: [
            ("1", 1), ("-1.5", -1.5), ("0.1", 0.1), ("123456789012.345", 123456789012.345), ("0.00000000000000001", 1e-17),
            ("3.141592653589793238", 3.141592653589793), ("1e3", 1000), ("1E-2", 0.01), ("100000000000000000000", 1e20),
            ("0.3", 0.3), ("9007199254740993", 9_007_199_254_740_992),
        ] as [(String, Double)])
    func numberTextsBecomeTheNearestDouble(_ text: String, _ expected: Double) {
        #expect(JSONValue.number(text).double == expected)
    }

    @Test func aNumberTooLargeForADoubleHasNone() {
        #expect(JSONValue.number("1e400").double == nil)
        #expect(JSONValue.number("-1e400").double == nil)
    }
}
