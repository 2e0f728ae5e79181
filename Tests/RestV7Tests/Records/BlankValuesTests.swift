import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// A text of nothing but blanks is no value, wherever one is needed (`common.md` §10, mandatory keys).
@Suite struct BlankValuesTests {
    @Test(arguments: TestServer.engines) func blanksAreNoName(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(
                "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.templates.email.ALL")
            func send(_ method: String, _ path: String, _ body: JSONValue) async -> TestServer.Answer {
                await server.send(method, "/crm/v7/" + path, body, token: token)
            }
            func code(_ answer: TestServer.Answer, _ wrapper: String) -> JSONValue? { answer.json?[wrapper]?.array?.first?["code"] }
            for blank: JSONValue in [" ", "\t \u{2003}"] {
                let lead = await send("POST", "Leads", ["data": [["Last_Name": blank, "Company": "K"]]])
                #expect(code(lead, "data") == "MANDATORY_NOT_FOUND", "\(lead.text)")
                let profile = server.services.catalog.current().documents(.profile)[0].id
                let role = server.services.catalog.current().documents(.role)[0].id
                let user = await send(
                    "POST", "users",
                    ["users": [["last_name": blank, "email": "b@x.example", "profile": .id(profile), "role": .id(role)]]])
                #expect(code(user, "users") == "MANDATORY_NOT_FOUND", "\(user.text)")
                let top = server.services.catalog.current().territories.top?.id ?? RecordID(raw: 0)
                let territory = await send(
                    "POST", "settings/territories",
                    ["territories": [["name": blank, "reporting_to": ["id": .id(top)], "permission_type": "read_only"]]])
                #expect(code(territory, "territories") == "MANDATORY_NOT_FOUND", "\(territory.text)")
                let rule: JSONValue = ["name": blank, "criteria": ["field": ["api_name": "City"], "comparator": "equal", "value": "x"]]
                let named: [(String, String, JSONValue)] = [
                    ("settings/tags?module=Leads", "tags", ["name": blank]),
                    ("settings/email_templates", "email_templates", ["name": blank, "module": ["api_name": "Leads"], "content": "x"]),
                    (
                        "settings/record_locking_configurations?module=Leads", "record_locking_configurations",
                        ["lock_type": "automatic", "locking_rules": [rule]]
                    ),
                    ("settings/variables", "variables", ["name": blank, "api_name": "b", "type": "text", "value": "x"]),
                    ("Contacts/roles", "contact_roles", ["name": blank]),
                    ("settings/profiles/\(profile)/actions/clone", "profiles", ["name": blank]),
                    (
                        "settings/fields?module=Leads", "fields",
                        ["field_label": "P", "data_type": "picklist", "pick_list_values": [["display_value": blank]]]
                    ),
                ]
                for (path, wrapper, item) in named {
                    let answer = await send("POST", path, .object([.init(wrapper, [item])]))
                    let codes: [JSONValue?] = ["MANDATORY_NOT_FOUND", "REQUIRED_PARAM_MISSING"]
                    #expect(
                        answer.status == 400 && codes.contains(code(answer, wrapper) ?? answer.json?["code"]), "\(path): \(answer.text)")
                }
            }
            let made = await send("POST", "Leads", ["data": [["Last_Name": "Kim", "Company": "K", "City": "  "]]])
            let id = made.json?["data"]?.array?.first?["details"]?["id"]?.string ?? ""
            #expect(await server.record("Leads", id, token: token)?["City"] == .null)
            let renamed = await send("PUT", "Leads/\(id)", ["data": [["Last_Name": "  "]]])
            #expect(code(renamed, "data") == "MANDATORY_NOT_FOUND")
            #expect(await server.record("Leads", id, token: token)?["Last_Name"] == "Kim")
        }
    }
}
