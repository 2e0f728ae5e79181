import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Layouts. Contract: layouts, U11 to U14.
@Suite struct ShapeLayoutsTests {
    /// U13: sections and fields come, move and go; only here does a field become mandatory.
    @Test(arguments: TestServer.engines)
    func aLayoutIsRearranged(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            await org.makeModule("Leases", "Lease", token)
            let catalog = server.services.catalog.current()
            let leases = try #require(catalog.module("Leases"))
            let layout = try #require(catalog.documents(.layout).first { $0.parent?.raw == leases.id.raw }).id.description
            let path = "/crm/v7/settings/layouts/\(layout)?module=Leases"
            func sections() async -> [JSONValue] {
                await server.send("GET", path, token: token).json?["layouts"]?.array?.first?["sections"]?.array ?? []
            }
            func patch(_ body: JSONValue) async -> TestServer.Answer { await server.send("PATCH", path, ["layouts": [body]], token: token) }
            let first = await sections()
            let info = first[1]["id"] ?? .null
            let email = JSONValue.string(String(leases.field("Email")?.id.raw ?? 0))
            let second = JSONValue.string(String(leases.field("Secondary_Email")?.id.raw ?? 0))
            let done = await patch([
                "sections": [
                    ["id": info, "fields": [["id": second, "_delete": ["permanent": false]], ["id": email, "required": true]]],
                    ["display_label": "Terms", "column_count": 1, "fields": [["field_label": "Months", "data_type": "integer"]]],
                ]
            ])
            #expect(done.status == 200 && done.json?["layouts"]?.array?.first?["message"] == "layout updated", "\(done.text)")
            let after = await sections()
            func names(_ section: JSONValue) -> [String] { (section["fields"]?.array ?? []).compactMap { $0["api_name"]?.string } }
            #expect(
                after.count == 3 && after[1]["id"] == info && !names(after[1]).contains("Secondary_Email")
                    && !names(after[1]).contains("Months"))
            #expect(after[2]["display_label"] == "Terms" && names(after[2]) == ["Months"] && after[2]["column_count"] == 1)
            let lacking = await server.send(
                "POST", "/crm/v7/Leases", ["data": [["Name": "a", "Layout": ["id": .string(layout)]], ["Name": "b", "Months": 3]]],
                token: token)
            #expect(lacking.json?["data"]?.array?.map { $0["code"]?.string } == ["MANDATORY_NOT_FOUND", "SUCCESS"], "\(lacking.text)")

            let name = JSONValue.string(String(leases.field("Name")?.id.raw ?? 0))
            for (body, code) in [
                (["api_name": "x"], "INVALID_DATA"), (["sections": [["id": "1"]]], "INVALID_DATA"),
                (["sections": [["column_count": 1]]], "EXPECTED_FIELD_MISSING"),
                (["sections": [["display_label": "terms"]]], "DUPLICATE_DATA"), (["sections": [["display_label": "a#"]]], "INVALID_DATA"),
                (["sections": [["id": info, "column_count": 3]]], "INVALID_DATA"),
                (["sections": [["id": info, "tab_traversal": "up"]]], "INVALID_DATA"),
                (["sections": [["id": info, "fields": [["id": "1"]]]]], "INVALID_DATA"),
                (["sections": [["id": info, "fields": [["id": name, "_delete": ["permanent": false]]]]]], "NOT_ALLOWED"),
                (["sections": [["id": info, "_delete": ["permanent": false]]]], "NOT_ALLOWED"),
                (["sections": [["id": info, "fields": [["id": email, "_delete": ["permanent": true]]]]]], "NOT_ALLOWED"),
                (["sections": [["id": info, "fields": [["id": email, "api_name": "Other"]]]]], "NOT_ALLOWED"),
                (
                    ["sections": [["id": info, "fields": [["field_label": "P", "data_type": "picklist"]]]]],
                    "EXPECTED_DEPENDENT_FIELD_MISSING"
                ),
            ] as [(JSONValue, String)] {
                let answer = await patch(body)
                #expect(answer.json?["layouts"]?.array?.first?["code"]?.string == code, "\(body.text) \(answer.text)")
            }
            #expect(await sections() == after)
            #expect(await patch(["sections": [["id": after[2]["id"] ?? .null, "_delete": ["permanent": false]]]]).status == 200)
            #expect(await sections().count == 2)
            #expect(
                await server.send("PATCH", "/crm/v7/settings/layouts/\(layout)", ["layouts": [[:]]], token: token).json?["code"]
                    == "REQUIRED_PARAM_MISSING")
            #expect(
                await server.send("PATCH", "/crm/v7/settings/layouts/12?module=Leases", ["layouts": [[:]]], token: token).json?["layouts"]?
                    .array?.first?["code"] == "INVALID_DATA")
        }
    }

    /// U11, U12 and U14: a layout that goes off or away leaves its records to another.
    @Test(arguments: TestServer.engines)
    func layoutsAreSwitchedAndDeleted(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let leads = try #require(server.services.catalog.current().module("Leads"))
            let standard = try #require(server.services.catalog.current().documents(.layout).first { $0.parent?.raw == leads.id.raw }).id
            // v7 has no call that makes a layout.
            let own = try await server.services.changeMetadata { scope in
                try scope.add(
                    .layout, "Short",
                    ["name": "Short", "api_name": "Short", "generated_type": "custom", "status": "active", "sections": []],
                    parent: RecordID(raw: leads.id.raw))
            }
            let lead = await org.insert("Leads", [["Last_Name": "A", "Layout": ["id": .id(own)]]], token)[0]
            let path = "/crm/v7/settings/layouts/\(own)"
            func off(_ query: String) async -> TestServer.Answer {
                await server.send("DELETE", path + "/actions/activate?module=Leads" + query, token: token)
            }
            func on(_ body: JSONValue) async -> TestServer.Answer {
                await server.send("POST", path + "/actions/activate?module=Leads", ["layouts": [body]], token: token)
            }
            #expect(await off("").json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(await off("&transfer_to=12").json?["layouts"]?.array?.first?["code"] == "INVALID_DATA")
            #expect(await on(["profiles": [["id": .id(org.administrator)]]]).json?["layouts"]?.array?.first?["code"] == "ALREADY_ACTIVATED")
            #expect(await off("&transfer_to=\(standard)").json?["layouts"]?.array?.first?["message"] == "layout deactivated")
            #expect(await off("&transfer_to=\(standard)").json?["layouts"]?.array?.first?["code"] == "ALREADY_DEACTIVATED")
            await JobWorker(server.services).drain()
            #expect(await org.record("Leads", lead, token)?["Layout"]?["id"]?.string == standard.description)
            #expect(await on([:]).json?["layouts"]?.array?.first?["code"] == "MANDATORY_NOT_FOUND")
            #expect(
                await on(["profiles": [["id": .id(org.administrator)]]]).json?["layouts"]?.array?.first?["message"] == "layout activated")
            let gone = await server.send("DELETE", "/crm/v7/settings/layouts/\(standard)?module=Leads&transfer_to=\(own)", token: token)
            #expect(gone.json?["layouts"]?.array?.first?["code"] == "NOT_ALLOWED")
            #expect(await server.send("DELETE", path + "?module=Leads", token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(
                await server.send("DELETE", path + "?module=Leads&transfer_to=\(standard)", token: token).json?["layouts"]?.array?.first?[
                    "message"] == "layout deleted")
            #expect(await server.send("GET", path + "?module=Leads", token: token).status == 204)
            #expect(
                await server.send("DELETE", path + "?module=Leads&transfer_to=\(standard)", token: token).json?["layouts"]?.array?.first?[
                    "code"] == "INVALID_DATA")
        }
    }
}
