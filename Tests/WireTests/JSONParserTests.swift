import Foundation
import Testing

@testable import Wire

@Suite struct JSONParserTests {
    @Test(
        arguments: [
            ("null", nil),
            (" true ", true),
            ("false", false),
            ("0", 0),
            ("-0", .number("-0")),
            ("1234567890123456789", .number("1234567890123456789")),
            ("1.50e+10", .number("1.50e+10")),
            ("1E5", .number("1E5")),
            (#""""#, ""),
            (#""plain text""#, "plain text"),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u00e4\u20AC\ud83d\ude00""#, "ä€😀"),
            (#""\u0000""#, "\u{0}"),
            ("\"straße 日本 😀\"", "straße 日本 😀"),
            ("[]", []),
            ("[ ]", []),
            ("[1, [2, []]]", [1, [2, []]]),
            ("{}", [:]),
            (#"{ "a" : 1 , "b" : {"c":null} }"#, ["a": 1, "b": ["c": nil]]),
            (#"{"":1,"\u0061":2}"#, ["": 1, "a": 2]),
        ] as [(String, JSONValue)])
    func aValidTextIsRead(_ text: String, _ expected: JSONValue) throws {
        #expect(try JSONValue.parse(text) == expected)
    }

    @Test(
        arguments: [
            ("", .unexpectedEnd),
            ("  ", .unexpectedEnd),
            ("nul", .badLiteral),
            ("nulL", .badLiteral),
            ("True", .unexpectedByte),
            ("1 2", .trailingBytes),
            ("{}x", .trailingBytes),
            ("01", .trailingBytes),
            ("-", .badNumber),
            ("+1", .unexpectedByte),
            (".5", .unexpectedByte),
            ("1.", .badNumber),
            ("1e", .badNumber),
            ("1e+", .badNumber),
            ("NaN", .unexpectedByte),
            ("\"abc", .unexpectedEnd),
            ("\"abcdefghijklmnop", .unexpectedEnd),
            (#""abc\"#, .badEscape),
            (#""\x""#, .badEscape),
            (#""\u12""#, .badEscape),
            (#""\u12g4""#, .badEscape),
            (#""\ud800""#, .loneSurrogate),
            (#""\ud800\n""#, .loneSurrogate),
            (#""\ud800\u0041""#, .loneSurrogate),
            (#""\ude00""#, .loneSurrogate),
            ("\"a\nb\"", .controlCharacter),
            ("\"abcdefgh\u{0}\"", .controlCharacter),
            ("[1,]", .unexpectedByte),
            ("[1 2]", .unexpectedByte),
            ("[1", .unexpectedEnd),
            ("[", .unexpectedEnd),
            ("{", .unexpectedEnd),
            ("{a:1}", .unexpectedByte),
            (#"{"a" 1}"#, .unexpectedByte),
            (#"{"a":}"#, .unexpectedByte),
            (#"{"a":1,}"#, .unexpectedByte),
            (#"{"a":1"#, .unexpectedEnd),
            ("{'a':1}", .unexpectedByte),
            ("\u{FEFF}1", .unexpectedByte),
            ("/**/1", .unexpectedByte),
        ] as [(String, JSONSyntaxError.Reason)])
    func anInvalidTextIsRefused(_ text: String, _ reason: JSONSyntaxError.Reason) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(text) }
        #expect(error?.reason == reason)
    }

    @Test(
        arguments: [
            [0x80], [0xC3], [0xC3, 0x28], [0xC0, 0xAF], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x98],
            [0xF4, 0x90, 0x80, 0x80], [0xFF],
        ] as [[UInt8]])
    func badUTF8IsRefusedWhereverItStands(_ bad: [UInt8]) {
        for padding in ["", "seven b", "long enough not to be small "] {
            for escape in ["", "\\n"] {
                let string = [0x22] + Array((padding + escape).utf8) + bad + [0x22]
                #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(string) }
                #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(Array("{".utf8) + string + Array(":1}".utf8)) }
            }
        }
    }

    @Test func theReplacementCharacterItselfIsGoodUTF8() throws {
        #expect(try JSONValue.parse("\"\u{FFFD} and more text\"") == "\u{FFFD} and more text")
    }

    @Test func anErrorSaysWhere() {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(#"{"a": 1, "b": x}"#) }
        #expect(error == JSONSyntaxError(reason: .unexpectedByte, offset: 14))
    }

    @Test func nestingGoes256DeepAndNoFurther() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try JSONValue.parse(nested(256))
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(nested(257)) }
        #expect(error?.reason == .tooDeep)
        #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(String(repeating: "{\"a\":", count: 100_000)) }
    }

    @Test func moreValuesThanAskedForAreRefused() throws {
        // The array, its two members, and what is in the second.
        let text = Array(#"[1, {"a": true, "b": null}]"#.utf8)
        #expect(try JSONValue.parse(text, most: 5).array?.count == 2)
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(text, most: 4) }
        #expect(error?.reason == .tooManyValues)
    }

    @Test func theDeepestTextFitsTheStackOfASmallThread() {
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            let text = String(repeating: "{\"a\":[", count: 128) + String(repeating: "]}", count: 128)
            let value = try? JSONValue.parse(text)
            #expect(value?.text == text)
            #expect(value?.hashValue == value?.hashValue)
            done.signal()
        }
        thread.stackSize = 512 * 1024
        thread.start()
        done.wait()
    }

    @Test(arguments: [2, 40, 300])
    func ofRepeatedNamesTheLastWins(_ others: Int) throws {
        let members = (0..<others).map { "\"Field_Number_\($0)\":\($0)" }
        let text = "{\"twice\":1," + members.joined(separator: ",") + ",\"nested\":{\"twice\":7,\"twice\":8},\"twice\":2}"
        let value = try JSONValue.parse(text)
        #expect(value["twice"] == 2)
        #expect(value["nested"]?["twice"] == 8)
        #expect(value["nested"]?.members?.count == 1)
        #expect(value.members?.count == others + 2)
        #expect(value["Field_Number_\(others - 1)"]?.int64 == Int64(others - 1))
    }

    @Test func namesThatRepeatAcrossRecordsAreReadRight() throws {
        let records: [JSONValue] = (0..<300).map { index in
            .object((0..<40).map { .init("Field_\($0 * (index % 7 + 1))_\(index % 3)", .integer(index + $0)) })
        }
        let value = JSONValue.array(records)
        #expect(try JSONValue.parse(value.encoded()) == value)
    }
}
