import CRMCore
import Metadata
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
    func whatHangsOnARecordChoosesTheMasterButNotTheGroupItself(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let boss = try await insert(server, token, "Contacts", [["Last_Name": "A"]])[0]
            let others = try await insert(
                server, token, "Contacts",
                [["Last_Name": "B", "Reporting_To": ["id": .string(boss)]], ["Last_Name": "C", "Reporting_To": ["id": .string(boss)]]])
            let outside = try await insert(
                server, token, "Contacts", [["Last_Name": "D", "Reporting_To": ["id": .string(others[0])]]])[0]
            let body: JSONValue = [
                "merge_group": [
                    ["ids": .array(([boss] + others).map(JSONValue.string)), "policy": ["master": "most_related"]]
                ]
            ]
            let preview = await server.send("POST", "/crm/v7/Contacts/actions/merge_group?dry_run=true", body, token: token)
            let answer = await server.send("POST", "/crm/v7/Contacts/actions/merge_group", body, token: token)
            let details = answer.json?["merge_group"]?.array?.first?["details"] ?? .null
            // Two report to the first, but they go into the same record; one from outside reports to the second.
            #expect(details["id"] == .string(others[0]), "\(answer.text)")
            #expect(details["moved"] == preview.json?["merge_group"]?.array?.first?["details"]?["moved"])
            #expect(await record(server, token, "Contacts", outside)["Reporting_To"]?["id"] == .string(others[0]))
            #expect(await record(server, token, "Contacts", others[0])["Reporting_To"] == .null)
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

    /// What a policy names is done or refused: never passed over. Where the contract has no word, these are our choices.
    @Test(arguments: TestServer.engines)
    func aPolicyIsDoneOrRefused(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let leads = try await bench.add("Leads", [["Last_Name": "A"], ["Last_Name": "B"]])
            let contacts = try await bench.add("Contacts", [["Last_Name": "A"], ["Last_Name": "B"]])
            let deals = try await bench.add("Deals", ["A", "B"].map { ["Deal_Name": .string($0), "Stage": "Qualification"] })
            let before = try await bench.dump()
            let refused: [(String, [String], JSONValue, String, String)] = [
                ("Leads", leads, ["fields": ["id": "longest"]], "NOT_ALLOWED", "fields.id"),
                ("Leads", leads, ["fields": ["Created_Time": "max"]], "NOT_ALLOWED", "fields.Created_Time"),
                ("Leads", leads, ["fields": ["Full_Name": "longest"]], "NOT_ALLOWED", "fields.Full_Name"),
                ("Leads", leads, ["fields": ["Layout": "master"]], "NOT_ALLOWED", "fields.Layout"),
                ("Leads", leads, ["fields": ["Last_Activity_Time": "max"]], "NOT_ALLOWED", "fields.Last_Activity_Time"),
                ("Deals", deals, ["fields": ["Closing_Date": "max"]], "NOT_ALLOWED", "fields.Closing_Date"),
                ("Deals", deals, ["fields": ["Probability": "max"]], "NOT_ALLOWED", "fields.Probability"),
                ("Deals", deals, ["fields": ["Stage": "most_recent"]], "NOT_ALLOWED", "fields.Stage"),
                ("Contacts", contacts, ["fields": ["Reporting_To": "master"]], "NOT_ALLOWED", "fields.Reporting_To"),
                ("Leads", leads, ["fields": ["Phone": "union"]], "INVALID_DATA", "fields.Phone"),
                ("Leads", leads, ["fields": ["Phone": "max"]], "INVALID_DATA", "fields.Phone"),
                ("Leads", leads, ["fields": ["Annual_Revenue": "longest"]], "INVALID_DATA", "fields.Annual_Revenue"),
                ("Leads", leads, ["fields": ["Tag": "longest"]], "INVALID_DATA", "fields.Tag"),
                ("Leads", leads, ["fields": ["Phone": "trusted_source"]], "MANDATORY_NOT_FOUND", "trusted_sources"),
                ("Leads", leads, ["default": "trusted_source"], "MANDATORY_NOT_FOUND", "trusted_sources"),
                ("Leads", leads, ["groups": [["fields": ["Phone", "id"]]]], "NOT_ALLOWED", "groups[0].fields[1]"),
                ("Leads", leads, ["groups": [["fields": ["Phone", "Tag"]]]], "NOT_ALLOWED", "groups[0].fields[1]"),
                ("Leads", leads, ["groups": [["fields": ["Phone", "Phone"]]]], "DUPLICATE_DATA", "groups[0].fields[1]"),
                ("Leads", leads, ["groups": [["fields": ["Phone", "Fax"], "strategy": "union"]]], "INVALID_DATA", "groups[0].strategy"),
                (
                    "Leads", leads, ["groups": [["fields": ["Phone", "Fax"]]], "fields": ["Fax": "longest"]], "NOT_ALLOWED",
                    "fields.Fax"
                ),
                ("Contacts", contacts, ["groups": [["fields": ["Reporting_To", "Phone"]]]], "INVALID_DATA", "groups"),
            ]
            for (module, ids, policy, code, path) in refused {
                let body: JSONValue = ["merge_group": [["ids": .array(ids.map(JSONValue.string)), "policy": policy]]]
                for query in ["", "?dry_run=true"] {
                    let answer = await bench.send("POST", "\(module)/actions/merge_group\(query)", body)
                    let wanted = "$.merge_group[0].policy.\(path)"
                    #expect(
                        answer.status == 400 && answer.json?["code"] == .string(code)
                            && answer.json?["details"]?["json_path"] == .string(wanted), "\(policy.text): \(answer.text)")
                }
                let stored = await bench.send("PUT", "settings/merge_policy?module=\(module)", ["merge_policy": policy])
                #expect(stored.status == 400 && stored.json?["code"] == .string(code), "\(policy.text): \(stored.text)")
            }
            #expect(try await bench.dump() == before)
        }
    }

    /// Owner and photo stay the master's unless named; a field named leaves its address; tags may be the master's alone.
    @Test(arguments: TestServer.engines)
    func whatAPolicyNamesIsHonoured(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let other = try await bench.server.services.changeMetadata { scope -> RecordID in
                let id = scope.ids.next()
                let profile = scope.catalog.documents(.profile)[0].id
                let body: JSONValue = [
                    "full_name": "Second", "email": "second@example.test", "status": "active", "profile": ["id": .id(profile)],
                ]
                try scope.add([Document(id: id, kind: .user, body: body)])
                return id
            }
            func lead(_ name: String, _ more: JSONValue) -> JSONValue {
                .object([.init("Last_Name", .string(name))] + (more.members ?? []))
            }
            let ids = try await bench.add(
                "Leads",
                [
                    lead("A", ["Street": "1 Low Road", "Tag": [["name": "a"]]]),
                    lead("B", ["City": "Trondheim", "Country": "Norway", "Tag": [["name": "b"]], "Owner": ["id": .id(other)]]),
                ])
            let before = try await bench.dump()
            func merge(_ policy: JSONValue) async -> (JSONValue, JSONValue) {
                let body: JSONValue = [
                    "merge_group": [["ids": .array(ids.map(JSONValue.string)), "master": .string(ids[0]), "policy": policy]]
                ]
                let answer = await bench.send("POST", "Leads/actions/merge_group", body)
                #expect(answer.status == 201, "\(answer.text)")
                return (await bench.get("Leads", ids[0]), answer.json?["merge_group"]?.array?.first?["details"]?["journal_id"] ?? .null)
            }
            func undo(_ journal: JSONValue) async throws {
                let undone = await bench.send("POST", "Leads/\(ids[0])/actions/unmerge", ["journal_id": journal])
                #expect(undone.status == 200, "\(undone.text)")
                #expect(try await bench.dump().differences(from: before) == [])
            }
            var (merged, journal) = await merge([:])
            #expect(merged["Owner"]?["id"]?.string != other.description && merged["City"] == .null && merged["Tag"]?.array?.count == 2)
            try await undo(journal)
            (merged, journal) = await merge(["fields": ["City": "longest", "Tag": "master", "Owner": "most_recent"], "default": "master"])
            #expect(merged["City"] == "Trondheim" && merged["Country"] == .null && merged["Street"] == "1 Low Road", "\(merged)")
            #expect(merged["Tag"]?.array?.compactMap { $0["name"]?.string } == ["a"])
            try await undo(journal)
        }
    }
}
