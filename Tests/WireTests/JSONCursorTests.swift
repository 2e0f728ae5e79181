import Testing

@testable import Wire

@Suite struct JSONCursorTests {
    private let body = JSONCursor([
        "data": [
            ["id": "123", "Last_Name": "Kim", "Age": 41, "Active": true, "Nothing": nil, "Tags": ["a", "b", "c"], "Owner": ["id": 7]]
        ]
    ])

    private func record() throws -> JSONCursor {
        try #require(try body.required("data").elements().first)
    }

    private func refusal(_ body: (JSONCursor) throws -> Void) throws -> Rejection {
        let record = try record()
        return try #require(#expect(throws: Rejection.self) { try body(record) })
    }

    @Test func valuesOfTheRightTypeAreTaken() throws {
        let record = try record()
        #expect(record.path.description == "$.data[0]")
        #expect(record.name == "data")
        #expect(try record.required("Last_Name").string(max: 3, min: 3) == "Kim")
        #expect(try record.required("Age").integer() == 41)
        #expect(try record.required("Active").bool())
        #expect(try record.required("id").recordID() == RecordID(raw: 123))
        #expect(try record.required("Owner").required("id").recordID() == RecordID(raw: 7))
        #expect(try record.required("Owner").object().map(\.name) == ["id"])
        #expect(try record.required("Tags").elements(1...3).last?.path.description == "$.data[0].Tags[2]")
        #expect(record.optional("absent") == nil)
        #expect(record.optional("Nothing")?.value.isNull == true)
        #expect(record.optional("Last_Name")?.optional("deeper") == nil)
    }

    @Test(arguments: ["absent", "Nothing"])
    func anAbsentOrNullKeyIsMandatoryNotFound(_ name: String) throws {
        let rejection = try refusal { _ = try $0.required(name) }
        #expect(rejection.code == .mandatoryNotFound)
        #expect(rejection.details == ["api_name": .string(name), "json_path": "$.data[0].\(name)"])
    }

    @Test func aKeyOfSomethingThatIsNoObjectRefusesThat() throws {
        let rejection = try refusal { _ = try $0.required("Age").required("id") }
        #expect(rejection.code == .invalidData)
        #expect(rejection.details == ["expected_data_type": "jsonobject", "api_name": "Age", "json_path": "$.data[0].Age"])
    }

    @Test func theBodyItselfHasAPathButNoName() throws {
        let rejection = try #require(#expect(throws: Rejection.self) { try JSONCursor([]).required("data") })
        #expect(rejection.details == ["expected_data_type": "jsonobject", "json_path": "$"])
    }

    @Test func eachWrongTypeIsNamed() throws {
        let cases: [(String, String, (JSONCursor) throws -> Void)] = [
            ("Age", "text", { _ = try $0.string() }),
            ("Last_Name", "boolean", { _ = try $0.bool() }),
            ("Last_Name", "integer", { _ = try $0.integer() }),
            ("Last_Name", "jsonarray", { _ = try $0.elements() }),
            ("Last_Name", "jsonarray", { _ = try $0.elements(1...2) }),
            ("Last_Name", "jsonobject", { _ = try $0.object() }),
            ("Last_Name", "bigint", { _ = try $0.recordID() }),
            ("Active", "bigint", { _ = try $0.recordID() }),
        ]
        for (name, type, read) in cases {
            let rejection = try refusal { try read($0.required(name)) }
            #expect(rejection.code == .invalidData)
            #expect(rejection.message == "invalid data")
            #expect(
                rejection.details
                    == ["expected_data_type": .string(type), "api_name": .string(name), "json_path": "$.data[0].\(name)"])
        }
    }

    @Test func lengthsOutOfBoundsAreRefusedWithTheBound() throws {
        let long = try refusal { _ = try $0.required("Last_Name").string(max: 2) }
        #expect(long.details == ["api_name": "Last_Name", "json_path": "$.data[0].Last_Name", "maximum_length": 2])
        let short = try refusal { _ = try $0.required("Last_Name").string(min: 4) }
        #expect(short.details == ["api_name": "Last_Name", "json_path": "$.data[0].Last_Name", "minimum_length": 4])
        let many = try refusal { _ = try $0.required("Tags").elements(1...2) }
        #expect(many.details == ["api_name": "Tags", "json_path": "$.data[0].Tags", "maximum_length": 2])
        let few = try refusal { _ = try $0.required("Tags").elements(4...9) }
        #expect(few.details == ["api_name": "Tags", "json_path": "$.data[0].Tags", "minimum_length": 4])
    }

    @Test func lengthIsCountedInCharactersOfUnicode() throws {
        #expect(try JSONCursor("ßß😀").string(max: 3) == "ßß😀")
        #expect(throws: Rejection.self) { try JSONCursor("ßß😀").string(max: 2) }
    }
}
