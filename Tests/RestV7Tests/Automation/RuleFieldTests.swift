import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What rules ask about stays; and what settings need a right. Contract: fields, U8 (`used_in`); record-locking-configuration, 103 to 105.
@Suite struct RuleFieldTests {
    @Test(arguments: TestServer.engines) func aFieldThatARuleAsksIsKept(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let made = await cast.send(
                "POST", "settings/fields?module=Leads", ["fields": [["field_label": "Shade", "data_type": "text", "length": 40]]])
            let field = made.first("fields")["details"]?["id"]?.string ?? ""
            let criteria: JSONValue = ["comparator": "equal", "field": ["api_name": "Shade"], "value": "blue"]
            var wanted = cast.cityRule()
            wanted["rule_entries"] = .array(
                (wanted["rule_entries"]?.array ?? []).map { entry in
                    var entry = entry
                    entry["criteria"] = criteria
                    return entry
                })
            _ = try await cast.rule(wanted)
            let refused = await cast.send("DELETE", "settings/fields/\(field)?module=Leads")
            #expect(refused.status == 400 || refused.status == 403, "\(refused.text)")
            #expect(refused.text.contains("assignment_rule: Web leads"), "\(refused.text)")
            #expect(await cast.send("GET", "settings/fields/\(field)?module=Leads").status == 200)
        }
    }

    @Test(arguments: TestServer.engines) func locksAreConfiguredByThoseWhoMay(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let path = "settings/record_locking_configurations?module=Leads"
            let body: JSONValue = ["record_locking_configurations": [["lock_type": "manual"]]]
            // The clerk's profile lets nobody shape the organisation.
            for (method, path) in [("POST", path), ("PUT", path), ("DELETE", "settings/record_locking_configurations/1?module=Leads")] {
                let answer = await cast.send(method, path, method == "DELETE" ? nil : body, token: cast.clerk.token)
                #expect(answer.status == 403 && answer.text.contains("NO_PERMISSION"), "\(method) \(answer.text)")
            }
            #expect(await cast.send("GET", path).status == 204)
            let rules = JSONValue.array(
                (0..<200).map { index in
                    [
                        "name": .string("r\(index)"),
                        "criteria": ["comparator": "equal", "field": ["api_name": "City"], "value": .string("\(index)")],
                    ]
                })
            let many = await cast.send(
                "POST", path, ["record_locking_configurations": [["lock_type": "automatic", "locking_rules": rules]]])
            #expect(many.text.contains("LIMIT_EXCEEDED"), "\(many.text)")
        }
    }
}
