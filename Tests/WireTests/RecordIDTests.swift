import Testing

@testable import Wire

@Suite struct RecordIDTests {
    @Test(
        arguments: [
            ("1", 1), ("0", 0), ("007", 7), ("700000000000021", 700_000_000_000_021), ("9223372036854775807", .max),
        ] as [(String, Int64)])
    func digitsAreAnID(_ text: String, _ raw: Int64) {
        #expect(RecordID(text)?.raw == raw)
        #expect(RecordID(text[...]) == RecordID(raw: raw))
    }

    @Test(arguments: ["", "-1", "+1", " 1", "1 ", "1.0", "x", "9223372036854775808", "9999999999999999999", "00000000000000000001", "１"])
    func anythingElseIsNot(_ text: String) {
        #expect(RecordID(text) == nil)
    }

    @Test func idsAreOrderedAsNumbersAndWrittenAsStrings() {
        #expect(RecordID(raw: 9) < RecordID(raw: 10))
        #expect(JSONValue.id(RecordID(raw: 10)).text == "\"10\"")
    }
}
