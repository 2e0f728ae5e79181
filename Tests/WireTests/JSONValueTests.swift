import Testing

@testable import Wire

@Suite struct JSONValueTests {
    @Test func literalsReadAsJSONAndKeepTheOrder() {
        let name = "Kim"
        let value: JSONValue = ["z": 1, "a": [true, nil, 2.5], "text": "Hello \(name)"]
        #expect(value.text == #"{"z":1,"a":[true,null,2.5],"text":"Hello Kim"}"#)
    }

    @Test func membersAreReadSetAndRemovedByName() {
        var value: JSONValue = ["a": 1, "b": 2]
        value["a"] = "x"
        value["c"] = .null
        value["b"] = nil
        value["absent"] = nil
        #expect(value == ["a": "x", "c": nil])
        #expect(value["c"]?.isNull == true)
        #expect(value["b"] == nil)
        var text: JSONValue = "no object"
        text["a"] = 1
        #expect(text == ["a": 1])
    }

    @Test func accessorsAnswerOnlyForTheirKind() {
        #expect(JSONValue.string("a").string == "a")
        #expect(JSONValue.integer(5).string == nil)
        #expect(JSONValue.number("5.0").int64 == nil)
        #expect(JSONValue.number("9223372036854775808").int64 == nil)
        #expect(JSONValue.string("5").int64 == nil)
        #expect(JSONValue.bool(true).bool == true)
        #expect(JSONValue.null.isNull)
        #expect(JSONValue.array([1]).array == [1])
        #expect(JSONValue.array([1]).members == nil)
        #expect(JSONValue.object([]).members == [])
    }

    @Test(
        arguments: [
            (JSONValue.number("1234567890123456789"), 1_234_567_890_123_456_789), ("700000000000021", 700_000_000_000_021),
            (-5, -5), ("-5", nil), ("", nil), (" 5", nil), ("5.0", nil), (5.5, nil), (nil, nil), ([], nil),
        ] as [(JSONValue, Int64?)])
    func idsComeAsNumbersOrAsDigits(_ value: JSONValue, _ expected: Int64?) {
        #expect(value.looseInt64 == expected)
    }

    @Test func aSuccessHasTheFourKeys() {
        #expect(
            JSONValue.success("record added", details: ["id": "1"]).text
                == #"{"code":"SUCCESS","details":{"id":"1"},"message":"record added","status":"success"}"#)
        #expect(
            JSONValue.success("later", code: "SCHEDULED").text
                == #"{"code":"SCHEDULED","details":{},"message":"later","status":"success"}"#)
    }
}
