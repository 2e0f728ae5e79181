import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Merging a group of any size by a survivorship policy. Ours: merge, §10.
@Suite struct MergeGroupTests {
    private func insert(_ server: TestServer, _ token: String, _ module: String, _ items: JSONValue) async throws -> [String] {
        let answer = await server.send("POST", "/crm/v7/\(module)", ["data": items], token: token)
        #expect(answer.status == 201, "\(answer.text)")
        return (answer.json?["data"]?.array ?? []).compactMap { $0["details"]?["id"]?.string }
    }

    private func record(_ server: TestServer, _ token: String, _ module: String, _ id: String) async -> JSONValue {
        await server.send("GET", "/crm/v7/\(module)/\(id)", token: token).json?["data"]?.array?.first ?? .null
    }

    @Test(arguments: TestServer.engines)
    func fiveRecordsBecomeOneAndOneUndoBringsThemBack(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let ids = try await insert(
                server, token, "Leads",
                [
                    ["Last_Name": "Kim", "Company": "Acme", "Street": "1 Low Road"], ["Last_Name": "Kim", "Phone": "+1 555 0100"],
                    ["Last_Name": "Kim Lee", "City": "Oslo", "Country": "Norway"], ["Last_Name": "K.", "Email": "kim@acme.example"],
                    ["Last_Name": "Kim", "Description": "A long remark."],
                ])
            let notes = try await insert(
                server, token, "Notes",
                .array(
                    ids.map {
                        ["Note_Content": "about \($0)", "Parent_Id": ["id": .string($0), "module": ["api_name": "Leads"]]]
                    }))
            let before = await record(server, token, "Leads", ids[0])
            let body: JSONValue = [
                "merge_group": [
                    ["ids": .array(ids.map(JSONValue.string)), "master": .string(ids[0]), "policy": ["fields": ["Last_Name": "longest"]]]
                ]
            ]

            let preview = await server.send("POST", "/crm/v7/Leads/actions/merge_group?dry_run=true", body, token: token)
            let answer = await server.send("POST", "/crm/v7/Leads/actions/merge_group", body, token: token)
            #expect(answer.status == 201, "\(answer.text)")
            let details = answer.json?["merge_group"]?.array?.first?["details"] ?? .null
            #expect(details["moved"] == preview.json?["merge_group"]?.array?.first?["details"]?["moved"])
            #expect(details["moved"]?["Notes.Parent_Id"] == 4)

            let merged = await record(server, token, "Leads", ids[0])
            #expect(merged["Last_Name"] == "Kim Lee" && merged["Full_Name"] == "Kim Lee")
            #expect(merged["Phone"] == "+1 555 0100" && merged["Email"] == "kim@acme.example" && merged["Description"] == "A long remark.")
            // The address is a group: the master has a street, so no town comes from another record.
            #expect(merged["Street"] == "1 Low Road" && merged["City"] == .null)
            let list = await server.send("GET", "/crm/v7/Leads/\(ids[0])/Notes?fields=Note_Content", token: token)
            #expect(list.json?["data"]?.array?.count == notes.count)
            for child in ids.dropFirst() { #expect(await server.send("GET", "/crm/v7/Leads/\(child)", token: token).status == 204) }

            let undo = await server.send(
                "POST", "/crm/v7/Leads/\(ids[0])/actions/unmerge", ["journal_id": details["journal_id"] ?? .null], token: token)
            #expect(undo.status == 200, "\(undo.text)")
            #expect(await record(server, token, "Leads", ids[0]) == before)
            for id in ids {
                let list = await server.send("GET", "/crm/v7/Leads/\(id)/Notes?fields=Note_Content", token: token)
                #expect(list.json?["data"]?.array?.map { $0["Note_Content"] } == [.string("about \(id)")])
            }
        }
    }

    @Test(arguments: TestServer.engines)
    func theRuleChoosesTheMasterAndTheStoredPolicyTheFields(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL,ZohoCRM.settings.ALL")
            let ids = try await insert(server, token, "Products", [["Product_Name": "no merges here"]])
            let refused = await server.send(
                "POST", "/crm/v7/Products/actions/merge_group", ["merge_group": [["ids": .array(ids.map(JSONValue.string))]]], token: token)
            #expect(refused.status == 400 && refused.json?["code"] == "INVALID_MODULE")

            let leads = try await insert(
                server, token, "Leads",
                [
                    ["Last_Name": "One", "Phone": "111 111"],
                    ["Last_Name": "Two", "Phone": "222 222", "Email": "two@acme.example", "City": "Oslo"],
                    ["Last_Name": "Three", "Phone": "222 222"],
                ])
            let stored = await server.send(
                "PUT", "/crm/v7/settings/merge_policy?module=Leads",
                ["merge_policy": ["master": "most_complete", "fields": ["Phone": "most_frequent"]]], token: token)
            #expect(stored.status == 200, "\(stored.text)")
            let answer = await server.send(
                "POST", "/crm/v7/Leads/actions/merge_group", ["merge_group": [["ids": .array(leads.map(JSONValue.string))]]], token: token)
            #expect(answer.json?["merge_group"]?.array?.first?["details"]?["id"] == .string(leads[1]), "\(answer.text)")
            #expect(await record(server, token, "Leads", leads[1])["Phone"] == "222 222")
        }
    }

    @Test(arguments: TestServer.engines)
    func whatCannotBeMergedIsRefusedAndChangesNothing(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let ids = try await insert(server, token, "Leads", [["Last_Name": "A"], ["Last_Name": "B"]])
            let bad: [(JSONValue, String, String)] = [
                (["merge_group": [["ids": [.string(ids[0])]]]], "INVALID_DATA", "$.merge_group[0].ids"),
                (["merge_group": [["ids": [.string(ids[0]), .string(ids[0])]]]], "DUPLICATE_DATA", "$.merge_group[0].ids[1]"),
                (["merge_group": [["ids": [.string(ids[0]), "123"]]]], "INVALID_DATA", "$.merge_group[0].ids[1]"),
                (["merge_group": [["ids": .array(ids.map(JSONValue.string)), "master": "77"]]], "INVALID_DATA", "$.merge_group[0].master"),
                (
                    ["merge_group": [["ids": .array(ids.map(JSONValue.string)), "policy": ["default": "best"]]]], "INVALID_DATA",
                    "$.merge_group[0].policy.default"
                ),
                (
                    ["merge_group": [["ids": .array(ids.map(JSONValue.string)), "policy": ["fields": ["Nope": "longest"]]]]],
                    "INVALID_DATA", "$.merge_group[0].policy.fields.Nope"
                ),
            ]
            for (body, code, path) in bad {
                let answer = await server.send("POST", "/crm/v7/Leads/actions/merge_group", body, token: token)
                #expect(
                    answer.status == 400 && answer.json?["code"] == .string(code) && answer.json?["details"]?["json_path"] == .string(path),
                    "\(answer.text)")
            }
            for id in ids { #expect(await server.send("GET", "/crm/v7/Leads/\(id)", token: token).status == 200) }
        }
    }
}
