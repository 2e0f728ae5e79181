import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Copies of records, and rich text. Contract: `endpoints/records.md`, 129 and 130.
@Suite struct CloneTests {
    @Test(arguments: TestServer.engines) func aCopyHasWhatTheRecordHadAndWhatWasSaidInstead(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let lead = try await server.add(
                "Leads",
                [
                    "Last_Name": "Kim", "Company": "Acme", "Email": "kim@acme.example", "City": "Oslo",
                    "Tag": [["name": "Hot"], ["name": "Big"]],
                ], token: token)
            let plain = await server.send("POST", "/crm/v7/Leads/\(lead)/actions/clone", token: token)
            #expect(plain.status == 201 && plain.json?.first("data")?["message"] == "record added", "\(plain.text)")
            let copy = plain.json?.first("data")?["details"]?["id"]?.string ?? ""
            let made = await server.record("Leads", copy, token: token)
            let original = await server.record("Leads", lead, token: token)
            #expect(copy != lead)
            for name in ["Last_Name", "Full_Name", "Company", "Email", "City", "Owner", "Layout", "Tag"] {
                #expect(made?[name] == original?[name], "\(name)")
            }
            #expect(made?["Created_Time"]?.string != nil && made?["Locked__s"] == false)

            let other = await server.send(
                "POST", "/crm/v7/Leads/\(lead)/actions/clone",
                ["data": [["Last_Name": "Lee", "Company": .null, "Tag": []]], "skip_feature_execution": [["name": "cadences"]]],
                token: token)
            let changed = await server.record("Leads", other.json?.first("data")?["details"]?["id"]?.string ?? "", token: token)
            #expect(
                changed?["Last_Name"] == "Lee" && changed?["Full_Name"] == "Lee" && changed?["Company"] == .null
                    && changed?["City"] == "Oslo" && changed?["Tag"] == [])

            let bad: [(JSONValue, String)] = [
                (["data": [["Last_Name": .null]]], "MANDATORY_NOT_FOUND"), (["data": [["Annual_Revenue": "much"]]], "INVALID_DATA"),
                (["data": "x"], "INVALID_DATA"),
                (["data": [[:], [:]]], "LIMIT_EXCEEDED"), ("x", "INVALID_DATA"),
            ]
            for (body, code) in bad {
                let answer = await server.send("POST", "/crm/v7/Leads/\(lead)/actions/clone", body, token: token)
                #expect(
                    answer.status == 400 && (answer.json?["code"] ?? answer.json?.first("data")?["code"])?.string == code,
                    "\(body): \(answer.text)")
            }
            #expect(
                await server.send("GET", "/crm/v7/Leads?fields=id", token: token).json?["info"]?["count"] == 3,
                "what was refused added nothing")
            #expect(await server.send("POST", "/crm/v7/Leads/12/actions/clone", token: token).json?["code"] == "INVALID_DATA")
            #expect(
                await server.send(
                    "POST", "/crm/v7/Leads/\(lead)/actions/clone", token: try await server.token("ZohoCRM.modules.leads.READ")
                ).status == 401)
        }
    }

    @Test(arguments: TestServer.engines) func subformRowsAndNumbersAreNotShared(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let event = try await server.add(
                "Events",
                [
                    "Event_Title": "Fair", "Start_DateTime": "2026-01-01T10:00:00Z", "End_DateTime": "2026-01-01T11:00:00Z",
                    "Recurring_Activity": ["RRULE": "FREQ=DAILY"],
                ],
                token: token)
            let copied = await server.send("POST", "/crm/v7/Events/\(event)/actions/clone", token: token)
            let eventCopy = await server.record("Events", copied.json?.first("data")?["details"]?["id"]?.string ?? "", token: token)
            #expect(eventCopy?["Event_Title"] == "Fair" && eventCopy?["Recurring_Activity"] == .null)

            let pen = try await server.add("Products", ["Product_Name": "Pen", "Unit_Price": 2], token: token)
            let line: JSONValue = ["Product_Name": ["id": .string(pen)], "Quantity": 3]
            let quote = try await server.add("Quotes", ["Subject": "Offer", "Quoted_Items": [line]], token: token)
            let clone = await server.send("POST", "/crm/v7/Quotes/\(quote)/actions/clone", token: token)
            #expect(clone.status == 201, "\(clone.text)")
            let copy = clone.json?.first("data")?["details"]?["id"]?.string ?? ""
            let original = await server.record("Quotes", quote, token: token)
            let double = await server.record("Quotes", copy, token: token)
            let lines = [original, double].map { $0?["Quoted_Items"]?.array ?? [] }
            #expect(lines.allSatisfy { $0.count == 1 && $0[0]["Quantity"]?.double == 3 && $0[0]["Product_Name"]?["id"] == .string(pen) })
            #expect(lines[0].first?["id"] != lines[1].first?["id"] && double?["Grand_Total"]?.double == 6)
            #expect(original?["Quote_Number"] != double?["Quote_Number"])
        }
    }

    /// 130: only rich text, whole.
    @Test(arguments: TestServer.engines) func richTextIsFetchedWhole(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let plain = try await server.add("Leads", ["Last_Name": "Early"], token: token)
            #expect(await server.send("GET", "/crm/v7/Leads/\(plain)/actions/fetch_full_data", token: token).status == 204)
            try await server.services.changeMetadata { scope in
                guard let leads = scope.catalog.module("Leads") else { return }
                let body: JSONValue = [
                    "field_label": "Story", "data_type": "textarea", "length": 50_000, "textarea": ["type": "rich_text"],
                    "columns": ["c_story"], "custom_field": true,
                ]
                try scope.add(
                    [Document(id: scope.ids.next(), kind: .field, parent: RecordID(raw: leads.id.raw), apiName: "Story", body: body)])
            }
            let text = "<b>" + String(repeating: "é", count: 40_000) + "</b>"
            let lead = try await server.add("Leads", ["Last_Name": "Kim", "Story": .string(text)], token: token)
            let path = "/crm/v7/Leads/\(lead)/actions/fetch_full_data"
            #expect(await server.send("GET", path, token: token).json == ["data": [["Story": .string(text), "id": .string(lead)]]])
            #expect(await server.send("GET", path + "?fields=Story,City", token: token).json?.first("data")?["City"] == nil)
            #expect(await server.send("GET", path + "?fields=City", token: token).status == 204)
            #expect(await server.send("GET", "/crm/v7/Leads/12/actions/fetch_full_data", token: token).json?["code"] == "INVALID_DATA")
            #expect(await server.send("GET", path, token: try await server.token("ZohoCRM.modules.leads.CREATE")).status == 401)
        }
    }
}
