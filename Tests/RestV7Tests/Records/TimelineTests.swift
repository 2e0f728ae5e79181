import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// The history of a record. Contract: `endpoints/records.md`, 134; `merge.md` §6 and §9.
@Suite struct TimelineTests {
    private func entries(_ server: TestServer, _ path: String, _ token: String, _ query: String = "") async -> [JSONValue] {
        await server.send("GET", "/crm/v7/\(path)/__timeline\(query)", token: token).json?["__timeline"]?.array ?? []
    }

    private func value(_ entry: JSONValue?, _ field: String) -> JSONValue? {
        entry?["field_history"]?.array?.first { $0["api_name"] == .string(field) }?["_value"]
    }

    @Test(arguments: TestServer.engines) func changesAreToldWithOldAndNewValues(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL,ZohoCRM.change_owner.ALL,ZohoCRM.settings.ALL")
            let ana = try await server.addUser("Ana")
            let acme = try await server.add("Accounts", ["Account_Name": "Acme"], token: token)
            let beta = try await server.add("Accounts", ["Account_Name": "Beta"], token: token)
            let contact = try await server.add("Contacts", ["Last_Name": "Kim", "Account_Name": ["id": .string(acme)]], token: token)
            await server.send(
                "PUT", "/crm/v7/Contacts/\(contact)",
                ["data": [["Account_Name": ["id": .string(beta)], "Email_Opt_Out": true, "Last_Name": "Lee"]]], token: token)
            await server.send("POST", "/crm/v7/Contacts/\(contact)/actions/add_tags", ["tags": [["name": "Hot"]]], token: token)
            await server.send(
                "POST", "/crm/v7/Contacts/\(contact)/actions/change_owner", ["owner": ["id": .string(String(ana.id.raw))]], token: token)
            let note: JSONValue = [
                "Note_Title": "First", "Note_Content": "Met.", "Parent_Id": ["id": .string(contact), "module": ["api_name": "Contacts"]],
            ]
            let noteID = try await server.add("Notes", note, token: token)
            let task = try await server.add("Tasks", ["Subject": "Call", "Who_Id": ["id": .string(contact)]], token: token)

            let all = await entries(server, "Contacts/\(contact)", token)
            #expect(all.map { $0["action"] } == ["added", "added", "owner_assigned", "tag_added", "updated", "added"])
            #expect(all.map { $0["record"]?["id"] } == [.string(task), .string(noteID)] + Array(repeating: .string(contact), count: 4))
            #expect(
                all[1]["record"]?["module"]?["api_name"] == "Notes" && all[1]["related_record"]?["name"] == "Lee"
                    && all[5]["related_record"] == .null)
            #expect(
                all[2]["source"] == "change_owner"
                    && value(all[2], "Owner") == ["old": .string(server.administrator.fullName), "new": "Ana"])
            #expect(value(all[3], "Tag") == ["old": .null, "new": "Hot"])
            #expect(all[4]["source"] == "crm_api" && all[4]["done_by"]?["id"] == .string(String(server.administrator.id.raw)))
            #expect(value(all[4], "Account_Name") == ["old": "Acme", "new": "Beta"])
            #expect(
                value(all[4], "Email_Opt_Out") == ["old": "false", "new": "true"]
                    && value(all[4], "Last_Name") == ["old": "Kim", "new": "Lee"])
            #expect(value(all[4], "Modified_Time") == nil && all[5]["field_history"] == .null)

            let inner = await entries(
                server, "Contacts/\(contact)", token,
                "?include_inner_details=field_history.data_type,field_history.field_label,done_by.profile&sort_order=asc")
            #expect(inner.map { $0["id"] } == all.reversed().map { $0["id"] })
            #expect(inner[1]["field_history"]?.array?.first { $0["api_name"] == "Email_Opt_Out" }?["data_type"] == "boolean")
            #expect(inner[1]["done_by"]?["profile"]?["name"] == "Administrator")

            func count(_ filter: JSONValue) async -> Int {
                await entries(server, "Contacts/\(contact)", token, "?filters=" + PercentCoding.encode(filter.text)).count
            }
            let leaf: (String, String, JSONValue) -> JSONValue = {
                ["field": ["api_name": .string($0)], "comparator": .string($1), "value": $2]
            }
            #expect(await count(leaf("record.module.api_name", "equal", "Notes")) == 1)
            #expect(await count(leaf("record.module.api_name", "in", ["Notes", "Tasks"])) == 2)
            #expect(await count(leaf("source", "equal", "change_owner")) == 1)
            #expect(await count(leaf("done_by.id", "equal", .string(String(ana.id.raw)))) == 0)
            #expect(await count(leaf("audited_time", "between", ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"])) == 0)
            let either: JSONValue = [
                "group_operator": "OR",
                "group": [leaf("source", "equal", "change_owner"), leaf("record.module.api_name", "equal", "Notes")],
            ]
            #expect(await count(either) == 2)
            let bad: [JSONValue] = [
                "x", leaf("owner", "equal", "x"), leaf("source", "contains", "x"), leaf("audited_time", "equal", "x"),
                leaf("audited_time", "between", ["x", "y"]),
                ["group_operator": "NOR", "group": [leaf("source", "equal", "x")]], leaf("done_by.id", "equal", "me"),
            ]
            for filter in bad {
                let answer = await server.send(
                    "GET", "/crm/v7/Contacts/\(contact)/__timeline?filters=" + PercentCoding.encode(filter.text), token: token)
                #expect(answer.status == 400 && answer.json?["code"] == "INVALID_DATA", "\(filter.text)")
            }
        }
    }

    @Test(arguments: TestServer.engines) func pagesGoOnByToken(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let lead = try await server.add("Leads", ["Last_Name": "0"], token: token)
            for number in 1...6 {
                await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["City": .string("C\(number)")]]], token: token)
            }
            let path = "/crm/v7/Leads/\(lead)/__timeline"
            var seen: [JSONValue?] = []
            var answer = await server.send("GET", path + "?per_page=3", token: token)
            var pages = 1
            #expect(answer.json?["info"]?["per_page"] == 3 && answer.json?["info"]?["more_records"] == true)
            seen += (answer.json?["__timeline"]?.array ?? []).map { $0["id"] }
            while let next = answer.json?["info"]?["next_page_token"]?.string {
                answer = await server.send("GET", path + "?page_token=\(next)", token: token)
                seen += (answer.json?["__timeline"]?.array ?? []).map { $0["id"] }
                pages += 1
                #expect(answer.json?["info"]?["page"] == .integer(pages))
                if pages == 2 {
                    let both = await server.send("GET", path + "?per_page=3&page_token=\(next)", token: token)
                    #expect(both.json?["code"] == "AMBIGUITY_DURING_PROCESSING")
                    let other = try await server.add("Leads", ["Last_Name": "O"], token: token)
                    #expect(
                        await server.send("GET", "/crm/v7/Leads/\(other)/__timeline?page_token=\(next)", token: token).json?["code"]
                            == "TOKEN_BOUND_DATA_MISMATCH")
                }
                guard pages < 5 else { break }
            }
            let whole = await entries(server, "Leads/\(lead)", token)
            #expect(pages == 3 && seen == whole.map { $0["id"] } && seen.count == 7)
            #expect(await server.send("GET", "/crm/v7/Leads/12/__timeline", token: token).json?["code"] == "INVALID_DATA")
            #expect(await server.send("GET", "/crm/v7/Campaigns/12/__timeline", token: token).json?["code"] == "INVALID_MODULE")
            #expect(await server.send("GET", path + "?sort_by=id", token: token).status == 400)
            #expect(await server.send("GET", path, token: try await server.token("ZohoCRM.modules.contacts.READ")).status == 401)
        }
    }

    @Test(arguments: TestServer.engines) func theSurvivorShowsTheHistoryOfThoseMergedIntoIt(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            var leads: [String] = []
            for name in ["One", "Two", "Three"] { leads.append(try await server.add("Leads", ["Last_Name": .string(name)], token: token)) }
            await server.send("PUT", "/crm/v7/Leads/\(leads[2])", ["data": [["City": "Oslo"]]], token: token)
            for (master, child, fields) in [(1, 2, [["api_name": "City"]]), (0, 1, [])] as [(Int, Int, JSONValue)] {
                let body: JSONValue = ["merge": [["data": [["id": .string(leads[child]), "_fields": fields]]]]]
                #expect(await server.send("POST", "/crm/v7/Leads/\(leads[master])/actions/merge", body, token: token).status == 201)
            }
            let all = await entries(server, "Leads/\(leads[0])", token)
            #expect(all.first?["action"] == "find_and_merge_duplicate" && all.first?["source"] == "findandmerge")
            let middle = all.first { $0["action"] == "find_and_merge_duplicate" && $0["record"]?["id"] == .string(leads[1]) }
            #expect(value(middle, "City") == ["old": .null, "new": "Oslo"])
            let update = all.first { $0["action"] == "updated" }
            #expect(update?["record"]?["id"] == .string(leads[2]) && update?["record"]?["name"] == "Three")
            #expect(all.filter { $0["action"] == "added" }.count == 3)
            #expect(await server.send("GET", "/crm/v7/Leads/\(leads[1])/__timeline", token: token).json?["code"] == "INVALID_DATA")
        }
    }

    /// 134, `info`: pages lead on and back.
    @Test(arguments: TestServer.engines) func pagesLeadBackToWhereTheyCameFrom(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL")
            let lead = try await server.add("Leads", ["Last_Name": "Kim"], token: token)
            for number in 1...6 {
                await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["Company": .string("C\(number)")]]], token: token)
            }
            for order in ["desc", "asc"] {
                func page(_ query: String) async -> JSONValue {
                    await server.send("GET", "/crm/v7/Leads/\(lead)/__timeline?sort_order=\(order)&\(query)", token: token).json ?? .null
                }
                func ids(_ page: JSONValue) -> [JSONValue] { (page["__timeline"]?.array ?? []).compactMap { $0["id"] } }
                let first = await page("per_page=3")
                #expect(first["info"]?["previous_page_token"] == .null && first["info"]?["more_records"] == true)
                let second = await page("page_token=\(first["info"]?["next_page_token"]?.string ?? "")")
                let third = await page("page_token=\(second["info"]?["next_page_token"]?.string ?? "")")
                #expect(ids(third).count == 1 && third["info"]?["next_page_token"] == .null)
                let back = await page("page_token=\(third["info"]?["previous_page_token"]?.string ?? "")")
                #expect(ids(back) == ids(second) && back["info"]?["page"] == 2, "\(back)")
                let start = await page("page_token=\(back["info"]?["previous_page_token"]?.string ?? "")")
                #expect(ids(start) == ids(first) && start["info"]?["previous_page_token"] == .null)
                #expect(ids(await page("page_token=\(start["info"]?["next_page_token"]?.string ?? "")")) == ids(second))
            }
        }
    }
}
