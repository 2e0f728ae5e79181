import Testing

@testable import Wire

@Suite struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(capacity: 1)
        body(&writer)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test func commasAreSetBetweenMembersAndElementsOnly() {
        let name = JSONKey("a")
        let text = written { writer in
            writer.beginObject()
            writer.key(name)
            writer.beginArray()
            writer.integer(1)
            writer.beginObject()
            writer.endObject()
            writer.beginArray()
            writer.endArray()
            writer.null()
            writer.bool(true)
            writer.bool(false)
            writer.raw(Array("[9]".utf8))
            writer.endArray()
            writer.key("b\"")
            writer.digits(-12)
            writer.key(name)
            writer.value(["x": [1, "y"]])
            writer.key("c")
            writer.string("")
            writer.endObject()
        }
        #expect(text == #"{"a":[1,{},[],null,true,false,[9]],"b\"":"-12","a":{"x":[1,"y"]},"c":""}"#)
    }

    @Test(arguments: [
        ("\"", #""\"""#),
        ("\\", #""\\""#),
        ("/", #""/""#),
        ("\u{0}\u{1F}\u{7F}", "\"\\u0000\\u001f\u{7F}\""),
        ("\u{8}\t\n\u{C}\r\u{B}", #""\b\t\n\f\r\u000b""#),
        ("exactly8", #""exactly8""#),
        ("seven b\"eight by\nand a long tail of text", #""seven b\"eight by\nand a long tail of text""#),
        ("straße 日本 😀", "\"straße 日本 😀\""),
    ])
    func textIsEscapedWhereItMustBe(_ text: String, _ expected: String) {
        #expect(written { $0.string(text) } == expected)
        #expect(written { writer in Array(text.utf8).withUnsafeBufferPointer { writer.text($0) } } == expected)
    }

    @Test func textThatNeedsOnlyEscapesGrowsTheBuffer() throws {
        let text = String(repeating: "\u{1}", count: 5000)
        #expect(try JSONValue.parse(written { $0.string(text) }) == .string(text))
    }

    @Test func everyLengthAndPositionOfAnEscapeIsWrittenRight() throws {
        for length in 0..<40 {
            for position in 0..<max(length, 1) {
                var bytes = [UInt8](repeating: UInt8(ascii: "x"), count: length)
                if length > 0 { bytes[position] = UInt8(ascii: "\n") }
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(try JSONValue.parse(written { $0.string(text) }) == .string(text))
            }
        }
    }

    @Test(
        arguments: [
            (0, "0"), (7, "7"), (10, "10"), (-1, "-1"), (99, "99"), (Int64.max, "9223372036854775807"),
            (Int64.min, "-9223372036854775808"),
        ] as [(Int64, String)])
    func integersAndDigits(_ value: Int64, _ expected: String) {
        #expect(written { $0.integer(value) } == expected)
        #expect(written { $0.digits(value) } == "\"\(expected)\"")
    }

    @Test func anInstantIsWrittenAsAString() {
        let text = written { writer in
            writer.beginArray()
            writer.instant(Instant(milliseconds: 0), offsetMinutes: 330)
            writer.instant(Instant(milliseconds: Int64.min), offsetMinutes: Int.min)
            writer.integer(1)
            writer.endArray()
        }
        #expect(text.hasPrefix(#"["1970-01-01T05:30:00+05:30","-"#))
        #expect(text.hasSuffix("\",1]"))
    }

    @Test func countIsTheBytesWrittenSoFar() {
        var writer = JSONWriter()
        writer.string("ä")
        #expect(writer.count == 4)
    }

    @Test func aKeyIsEscapedOnce() {
        #expect(JSONKey("Last_Name").escaped == Array(#""Last_Name":"#.utf8))
        #expect(JSONKey("a\"b").escaped == Array(#""a\"b":"#.utf8))
    }
}
