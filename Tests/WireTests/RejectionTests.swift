import Testing

@testable import Wire

@Suite struct RejectionTests {
    private let path = JSONPath().appending("merge").appending(0).appending("data")

    @Test func theResultHasTheFourKeysInOrder() {
        let rejection = Rejection(.invalidData, .apiName("id"), .jsonPath(path.appending(1).appending("id")))
        #expect(
            rejection.result.text
                == #"{"code":"INVALID_DATA","details":{"api_name":"id","json_path":"$.merge[0].data[1].id"},"message":"invalid data","status":"error"}"#
        )
    }

    @Test func messageAndStatusAreTheUsualOnesUnlessGiven() {
        #expect(Rejection(.noPermission).status == 403)
        #expect(Rejection(.noPermission).message == "permission denied")
        let other = Rejection(.noPermission, message: "no", status: 400)
        #expect(other.status == 400)
        #expect(other.message == "no")
        #expect(other.details == [:])
    }

    @Test func everyDetailHasItsExactKeys() {
        let rejection = Rejection(
            .dependentFieldMissing, .apiName("a"), .jsonPath(path), .parameter("p"), .expectedType("text"), .maximumLength(2),
            .minimumLength(1), .resourcePathIndex(0), .id(RecordID(raw: 5)), .permissions(["x"]), .supportedValues(["y", "z"]),
            .dependee("b", path.appending("b")), .other("limit_due_to", []))
        #expect(
            rejection.details == [
                "api_name": "a", "json_path": "$.merge[0].data", "param": "p", "param_name": "p", "expected_data_type": "text",
                "maximum_length": 2, "minimum_length": 1, "resource_path_index": 0, "id": "5", "permissions": ["x"],
                "supported_values": ["y", "z"], "dependee": ["api_name": "b", "json_path": "$.merge[0].data.b"], "limit_due_to": [],
            ])
    }

    @Test(
        arguments: [
            (
                Rejection.missing("id", at: JSONPath([.member("data"), .index(0)])), "MANDATORY_NOT_FOUND",
                ["api_name": "id", "json_path": "$.data[0].id"]
            ),
            (
                .missing("id", at: JSONPath([.member("data"), .index(0), .member("id")])), "MANDATORY_NOT_FOUND",
                ["api_name": "id", "json_path": "$.data[0].id"]
            ),
            (
                .unsupported(["asc"], at: JSONPath([.member("order")])), "INVALID_DATA",
                ["api_name": "order", "json_path": "$.order", "supported_values": ["asc"]]
            ),
            (.duplicate(at: JSONPath([.member("name")])), "DUPLICATE_DATA", ["api_name": "name", "json_path": "$.name"]),
            (.notAllowed(at: JSONPath([.member("name")])), "NOT_ALLOWED", ["api_name": "name", "json_path": "$.name"]),
            (.invalid(at: JSONPath([.member("name")])), "INVALID_DATA", ["api_name": "name", "json_path": "$.name"]),
            (.invalidModule(), "INVALID_MODULE", ["resource_path_index": 0]),
            (.invalidPathID(1), "INVALID_DATA", ["resource_path_index": 1]),
            (.missingParameter("fields"), "REQUIRED_PARAM_MISSING", ["param": "fields", "param_name": "fields"]),
            (.invalidParameter("page"), "INVALID_DATA", ["param": "page", "param_name": "page"]),
            (.noPermission(), "NO_PERMISSION", [:]),
            (.noPermission("Crm_Implied_View_Leads"), "NO_PERMISSION", ["permissions": ["Crm_Implied_View_Leads"]]),
        ] as [(Rejection, String, JSONValue)])
    func commonRefusalsHaveCodeAndDetails(_ rejection: Rejection, _ code: String, _ details: JSONValue) {
        #expect(rejection.code.name == code)
        #expect(rejection.details == details)
    }
}
