import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Making and changing processes: an extension of ours, documented in `docs/blueprints.md`.
@Suite struct BlueprintSettingsTests {
    @Test(arguments: TestServer.engines) func aBlueprintIsMadeChangedAndDeleted(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            let path = BlueprintBench.settings
            #expect(await bench.caller.send("GET", path).status == 204)
            let id = try await bench.make()
            let one = await bench.caller.send("GET", "\(path)/\(id)").json?["blueprints"]?.array?.first ?? .null
            #expect(one["name"] == "Nurture" && one["active"] == true && one["field"]?["api_name"] == "Lead_Status")
            let transitions = one["transitions"]?.array ?? []
            #expect(transitions.map { $0["sequence"]?.int64 } == [1, 2] && transitions[0]["id"]?.string != nil)
            #expect(one["created_by"]?["id"] == .string(String(server.administrator.id.raw)))
            #expect(await bench.caller.send("GET", path + "?module=Leads").json?["blueprints"]?.array?.count == 1)
            #expect(await bench.caller.send("GET", path + "?module=Deals").status == 204)

            let lead = try await bench.lead()
            let off = await bench.caller.send("PUT", "\(path)/\(id)", ["blueprints": [["active": false]]])
            #expect(off.status == 200 && off.json?["blueprints"]?.array?.first?["message"] == "blueprint updated", "\(off.text)")
            #expect(await bench.caller.send("GET", bench.path(lead)).code == "RECORD_NOT_IN_PROCESS")
            #expect(await bench.caller.send("PUT", "Leads/\(lead)", ["data": [["Lead_Status": "Contacted"]]]).codes == ["SUCCESS"])
            await bench.caller.send("PUT", "Leads/\(lead)", ["data": [["Lead_Status": "Not Contacted"]]])
            await bench.caller.send("PUT", "\(path)/\(id)", ["blueprints": [["active": true, "name": "Again"]]])
            let view = await bench.shown(lead)
            #expect(view["process_info"]?["name"] == "Again")
            #expect(view["transitions"]?.array?.first?["id"] == transitions[0]["id"], "ids stay")

            let gone = await bench.caller.send("DELETE", "\(path)/\(id)")
            #expect(gone.status == 200, "\(gone.text)")
            #expect(await bench.caller.send("GET", bench.path(lead)).code == "RECORD_NOT_IN_PROCESS")
            #expect(await bench.caller.send("DELETE", "\(path)/\(id)").code == nil)
            #expect(await bench.caller.send("GET", path).status == 204)
        }
    }

    @Test(arguments: TestServer.engines) func whatCannotBeAProcessIsRefused(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            func transition(_ change: @escaping (inout JSONValue) -> Void) -> (inout JSONValue) -> Void {
                { body in
                    var transitions = body["transitions"]?.array ?? []
                    change(&transitions[0])
                    body["transitions"] = .array(transitions)
                }
            }
            let bad: [((inout JSONValue) -> Void, String, String)] = [
                ({ $0["name"] = nil }, "MANDATORY_NOT_FOUND", "name"),
                ({ $0["module"] = ["api_name": "Attachments"] }, "INVALID_DATA", "module"),
                ({ $0["layout"] = ["id": "12"] }, "INVALID_DATA", "layout.id"),
                ({ $0["field"] = ["api_name": "Phone"] }, "INVALID_DATA", "field"),
                ({ $0["transitions"] = [] }, "INVALID_DATA", "transitions"),
                (
                    { $0["criteria"] = ["field": ["api_name": "Nope"], "comparator": "equal", "value": 1] }, "INVALID_DATA",
                    "criteria.field"
                ),
                (transition { $0["to"] = "Nowhere" }, "INVALID_DATA", "transitions[0].to"),
                (transition { $0["to"] = "-None-" }, "INVALID_DATA", "transitions[0].to"),
                (transition { $0["from"] = [] }, "INVALID_DATA", "transitions[0].from"),
                (transition { $0["id"] = "12" }, "INVALID_DATA", "transitions[0].id"),
                (transition { $0["name"] = "Reach" }, "DUPLICATE_DATA", "transitions[1].name"),
                (transition { $0["type"] = "odd" }, "INVALID_DATA", "transitions[0].type"),
                (transition { $0["type"] = "automatic" }, "MANDATORY_NOT_FOUND", "transitions[0].execute_after"),
                (transition { $0["name"] = " \u{00A0}" }, "MANDATORY_NOT_FOUND", "transitions[0].name"),
                (transition { $0["notes"] = true }, "INVALID_DATA", "transitions[0].notes"),
                (transition { $0["attachments"] = "yes" }, "INVALID_DATA", "transitions[0].attachments"),
                (
                    transition { $0["checklists"] = [["title": "\t", "items": ["x"]]] }, "MANDATORY_NOT_FOUND",
                    "transitions[0].checklists[0].title"
                ),
                (
                    transition { $0["checklists"] = [["title": "x", "items": ["y", "  "]]] }, "MANDATORY_NOT_FOUND",
                    "transitions[0].checklists[0].items[1]"
                ),
                (
                    { body in
                        let after: JSONValue = ["unit": 0, "period": "days"]
                        body["transitions"] = [
                            ["name": "On", "type": "automatic", "from": ["Contacted"], "to": "Lost Lead", "execute_after": after],
                            ["name": "Back", "type": "automatic", "from": ["Lost Lead"], "to": "Contacted", "execute_after": after],
                        ]
                    }, "INVALID_DATA", "transitions[0].execute_after.unit"
                ),
                (transition { $0["owners"] = [["type": "users", "id": "12"]] }, "INVALID_DATA", "transitions[0].owners[0].id"),
                (transition { $0["fields"] = [["api_name": "Lead_Status"]] }, "INVALID_DATA", "transitions[0].fields[0]"),
                (
                    transition { $0["actions"] = [["type": "field_update", "field": ["api_name": "Rating"], "value": "Wonderful"]] },
                    "INVALID_DATA", "transitions[0].actions[0].value"
                ),
                (
                    transition {
                        $0["actions"] = [["type": "field_update", "field": ["id": true, "api_name": "Rating"], "value": "Active"]]
                    },
                    "INVALID_DATA", "transitions[0].actions[0].field.id"
                ),
                (
                    transition { $0["actions"] = [["type": "field_update", "field": ["api_name": "Annual_Revenue"], "value": "much"]] },
                    "INVALID_DATA", "transitions[0].actions[0].value"
                ),
                (transition { $0["checklists"] = [["title": "x", "items": []]] }, "INVALID_DATA", "transitions[0].checklists[0].items"),
            ]
            for (change, code, path) in bad {
                let answer = await bench.caller.send("POST", BlueprintBench.settings, bench.body(change))
                let item = answer.json?["blueprints"]?.array?.first ?? .null
                #expect(answer.status == 400 && item["code"]?.string == code, "\(path): \(answer.text)")
                #expect(item["details"]?["json_path"] == .string("$.blueprints[0].\(path)"), "\(path): \(answer.text)")
            }
            #expect(await bench.caller.send("GET", BlueprintBench.settings).status == 204)
            try await bench.make()
            let twice = await bench.caller.send("POST", BlueprintBench.settings, bench.body())
            #expect(twice.json?["blueprints"]?.array?.first?["code"] == "DUPLICATE_DATA")
            let modules = try await server.token("ZohoCRM.modules.ALL")
            #expect(await server.send("GET", "/crm/v7/" + BlueprintBench.settings, token: modules).status == 401)
            let organisation = try Organisation(server)
            let clerk = try await organisation.user("clerk@x.example", profile: organisation.standard)
            #expect(await server.send("POST", "/crm/v7/" + BlueprintBench.settings, bench.body(), token: clerk.token).status == 403)
        }
    }

    /// What a process needs stays: options, fields, layouts; what is renamed is renamed in it.
    @Test(arguments: TestServer.engines) func whatAProcessNeedsCannotGo(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            let organisation = try Organisation(server)
            let token = bench.caller.token
            await organisation.makeModule("Leases", "Lease", token)
            let options: [JSONValue] = ["Open", "Signed", "Over"].map { ["display_value": $0, "actual_value": $0] }
            await organisation.makeFields(
                "Leases",
                [
                    ["field_label": "Phase", "data_type": "picklist", "length": 120, "pick_list_values": .array(options)],
                    ["field_label": "Months", "data_type": "integer"],
                ], token)
            let catalog = server.services.catalog.current()
            let leases = try #require(catalog.module("Leases"))
            let phase = try #require(leases.field("Phase"))
            let months = try #require(leases.field("Months"))
            let layout = try #require(catalog.documents(.layout).first { $0.parent?.raw == leases.id.raw })
            let body: JSONValue = [
                "name": "Lease", "module": ["api_name": "Leases"], "layout": ["id": .id(layout.id)], "field": ["api_name": "Phase"],
                "transitions": [["name": "Sign", "from": ["Open"], "to": "Signed", "fields": [["api_name": "Months"]]]],
            ]
            let made = await bench.caller.send("POST", BlueprintBench.settings, ["blueprints": [body]])
            #expect(made.status == 201, "\(made.text)")
            let lease = try await bench.caller.insert("Leases", [["Name": "a", "Phase": "Open"]])[0]
            for field in [phase, months] {
                let answer = await bench.caller.send("DELETE", "settings/fields/\(field.id.raw)?module=Leases")
                #expect(answer.status == 400 && answer.text.contains("blueprint: Lease"), "\(answer.text)")
            }
            let values = phase.body["pick_list_values"]?.array ?? []
            func option(_ name: String) -> JSONValue { values.first { $0["display_value"]?.string == name }?["id"] ?? .null }
            func patch(_ option: JSONValue) async -> TestServer.Answer {
                await bench.caller.send(
                    "PATCH", "settings/fields/\(phase.id.raw)?module=Leases", ["fields": [["pick_list_values": [option]]]])
            }
            let unused = await patch(["id": option("Signed"), "type": "unused"])
            #expect(unused.status == 400 && unused.text.contains("blueprint: Lease"), "\(unused.text)")
            #expect(await patch(["id": option("Over"), "type": "unused"]).status == 200)
            let renamed = await patch(["id": option("Signed"), "display_value": "Sealed"])
            #expect(renamed.status == 200, "\(renamed.text)")
            let view = await bench.caller.send("GET", "Leases/\(lease)/actions/blueprint").json?["blueprint"] ?? .null
            let sign = view["transitions"]?.array?.first ?? .null
            #expect(sign["next_field_value"] == "Sealed", "\(view)")
            let done = await bench.caller.send(
                "PUT", "Leases/\(lease)/actions/blueprint", ["blueprint": [["transition_id": sign["id"] ?? .null, "data": ["Months": 3]]]])
            #expect(done.status == 200, "\(done.text)")
            let record = await bench.caller.record("Leases", lease)
            #expect(record["Phase"] == "Sealed" && record["Months"] == 3)
        }
    }
}
