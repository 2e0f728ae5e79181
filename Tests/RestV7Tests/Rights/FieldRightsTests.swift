import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// A hidden field leaves by no path and takes no value; one to be read only takes none. Contract: fields, U6 and U7
/// ("profiles"); the rules are those of `docs/rights.md`.
@Suite struct FieldRightsTests {
    private static let secret = "+49 30 7777001"

    /// A user of a profile from which leads' `Phone` and tags are hidden, and for which `City` is to be read only.
    private struct Stage {
        let server: TestServer
        let org: Organisation
        let admin: String
        let token: String
        let lead: String
        let campaign: String
        let account: String

        init(_ server: TestServer) async throws {
            self.server = server
            org = try Organisation(server)
            admin = try await server.token(RightsCast.scopes)
            let made = await server.send(
                "POST", "/crm/v7/settings/profiles/\(org.standard)/actions/clone", ["profiles": [["name": "Narrow"]]], token: admin)
            let profile = try #require(RecordID(made.json?.first("profiles")?["details"]?["id"]?.string ?? ""))
            // Of a role that nobody is below.
            let role = server.services.catalog.current().documents(.role)[1].id
            token = try await org.user("narrow@x.example", profile: profile, role: role, scopes: RightsCast.scopes).token
            lead = try await server.add(
                "Leads", ["Last_Name": "Kim", "Phone": .string(FieldRightsTests.secret), "City": "Oslo", "Email": "kim@x.example"],
                token: admin)
            await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["Phone": .string(FieldRightsTests.secret + "2")]]], token: admin)
            campaign = try await server.add("Campaigns", ["Campaign_Name": "Fair"], token: admin)
            await server.send("PUT", "/crm/v7/Campaigns/\(campaign)/Leads/\(lead)", ["data": [[:]]], token: admin)
            account = try await server.add("Accounts", ["Account_Name": "Hidden Name"], token: admin)
            _ = try await server.add(
                "Cases", ["Subject": "C", "Case_Origin": "Email", "Status": "New", "Account_Name": ["id": .string(account)]], token: admin)
            try await limit("Leads", "Phone", profile, "hidden")
            try await limit("Leads", "City", profile, "read_only")
            try await limit("Accounts", "Account_Name", profile, "hidden")
        }

        func limit(_ module: String, _ field: String, _ profile: RecordID, _ level: String) async throws {
            let id = try #require(server.services.catalog.current().module(module)?.field(field)).id
            let answer = await server.send(
                "PATCH", "/crm/v7/settings/fields/\(id.raw)?module=\(module)",
                ["fields": [["profiles": [["id": .id(profile), "permission_type": .string(level)]]]]], token: admin)
            try #require(answer.status == 200, "\(answer.text)")
        }

        func get(_ path: String) async -> TestServer.Answer { await server.send("GET", "/crm/v7/" + path, token: token) }
        func ask(_ query: String) async -> TestServer.Answer {
            await server.send("POST", "/crm/v7/coql", ["select_query": .string(query)], token: token)
        }
        func stored() async -> JSONValue? { await server.record("Leads", lead, token: admin) }
    }

    /// The plan of a record by its id is kept for each user and version of the settings.
    @Test(arguments: TestServer.engines) func aRecordAskedForAgainShowsWhatIsAllowedNow(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let stage = try await Stage(server)
            let narrow = try #require(server.services.catalog.current().users.first { $0.email == "narrow@x.example" })
            let path = "Leads/\(stage.lead)"
            func shown(_ name: String) async -> JSONValue? { await stage.get(path).json?["data"]?.array?.first?[name] }
            for _ in 0..<3 {
                #expect(await shown("Phone") == nil)
                #expect(await shown("Email") == "kim@x.example")
                #expect(await stage.stored()?["Phone"] == .string(FieldRightsTests.secret + "2"))
            }
            let other = try await server.add("Leads", ["Last_Name": "Other", "Email": "other@x.example"], token: stage.admin)
            let second = await stage.get("Leads/\(other)").json?["data"]?.array?.first
            #expect(second?["Email"] == "other@x.example" && second?["id"] == .string(other))
            try await stage.limit("Leads", "Email", narrow.profile, "hidden")
            try await stage.limit("Leads", "Phone", narrow.profile, "read_write")
            #expect(await shown("Email") == nil)
            #expect(await shown("Phone") == .string(FieldRightsTests.secret + "2"))
            #expect(await stage.stored()?["Email"] == "kim@x.example")
        }
    }

    @Test(arguments: TestServer.engines) func aHiddenFieldLeavesByNoPath(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let stage = try await Stage(server)
            let lead = stage.lead
            let preview: JSONValue = ["merge": [["data": [["id": .string(lead)]]]]]
            let other = try await server.add("Leads", ["Last_Name": "Kim"], token: stage.token)
            let reads: [(String, TestServer.Answer)] = [
                ("record", await stage.get("Leads/\(lead)")),
                ("list", await stage.get("Leads?fields=Last_Name,Phone")),
                ("search by criteria", await stage.get("Leads/search?criteria=(Last_Name:equals:Kim)")),
                ("named in a search", await stage.get("Leads/search?criteria=(Last_Name:equals:Kim)&fields=Last_Name,Phone")),
                ("related list", await stage.get("Campaigns/\(stage.campaign)/Leads?fields=Last_Name,Phone")),
                ("related row", await stage.get("Campaigns/\(stage.campaign)/Leads/\(lead)")),
                ("timeline", await stage.get("Leads/\(lead)/__timeline")),
                ("full data", await stage.get("Leads/\(lead)/actions/fetch_full_data")),
                (
                    "preview of a merge",
                    await server.send("POST", "/crm/v7/Leads/\(other)/actions/merge?dry_run=true", preview, token: stage.token)
                ),
                ("fields", await stage.get("settings/fields?module=Leads")),
                ("layouts", await stage.get("settings/layouts?module=Leads")),
                ("module", await stage.get("settings/modules/Leads")),
                (
                    "composite",
                    await server.send(
                        "POST", "/crm/v7/__composite_requests",
                        ["__composite_requests": [["sub_request_id": "1", "method": "GET", "uri": .string("/crm/v7/Leads/\(lead)")]]],
                        token: stage.token)
                ),
                ("clone", await server.send("POST", "/crm/v7/Leads/\(lead)/actions/clone", token: stage.token)),
            ]
            for (name, answer) in reads {
                #expect(answer.status < 300, "\(name): \(answer.text)")
                #expect(!answer.text.contains("7777001") && !answer.text.contains("\"Phone\""), "\(name): \(answer.text)")
            }
            #expect(await stage.get("settings/fields/Phone?module=Leads").status == 204)
            // Nothing is found by it, and it is no name to ask by.
            #expect(await stage.get("Leads/search?phone=7777001").status == 204)
            #expect(await stage.get("Leads/search?word=7777001").status == 204)
            for answer in [
                await stage.get("Leads/search?criteria=(Phone:starts_with:%2B49)"),
                await stage.get("Leads/actions/count?criteria=(Phone:starts_with:%2B49)"),
                await stage.ask("select Phone from Leads where id is not null"),
                await stage.ask("select Last_Name from Leads where Phone like '%7777001%'"),
                await stage.ask("select Last_Name from Leads where id is not null order by Phone"),
                await stage.ask("select COUNT(id) as n, Phone from Leads where id is not null group by Phone"),
                await stage.ask("select MAX(Phone) as n from Leads where id is not null"),
            ] {
                #expect(answer.status == 400 && !answer.text.contains("7777001"), "\(answer.text)")
            }
            let clone = try #require(reads.last?.1.json?.first("data")?["details"]?["id"]?.string)
            #expect(await server.record("Leads", clone, token: stage.admin)?["Phone"] == .null)
            // The administrator goes on seeing it.
            #expect(await stage.stored()?["Phone"]?.string == Self.secret + "2")
        }
    }

    /// A hidden name is shown by none of the places that name records.
    @Test(arguments: TestServer.engines) func aHiddenNameIsShownNowhere(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let stage = try await Stage(server)
            await server.send(
                "DELETE", "/crm/v7/Accounts/\(try await server.add("Accounts", ["Account_Name": "Hidden Name 2"], token: stage.admin))",
                token: stage.admin)
            for answer in [
                await stage.get("Cases?fields=Subject,Account_Name"), await stage.get("Cases/search?criteria=(Subject:equals:C)"),
                await stage.get("Accounts?fields=Account_Name,Phone"), await stage.get("Accounts/deleted"),
                await stage.get("settings/recycle_bin"),
                await stage.ask("select Subject, Account_Name from Cases where id is not null"),
                await stage.get("Accounts/\(stage.account)/__timeline"),
            ] {
                #expect(answer.status < 300 && !answer.text.contains("Hidden Name"), "\(answer.text)")
            }
            #expect(await stage.get("Cases?fields=Account_Name").json?.first("data")?["Account_Name"]?["id"]?.string == stage.account)
        }
    }

    @Test(arguments: TestServer.engines) func noWriteReachesAFieldBeyondTheProfilesRights(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let stage = try await Stage(server)
            let lead = stage.lead
            func send(_ method: String, _ path: String, _ body: JSONValue) async -> TestServer.Answer {
                await server.send(method, "/crm/v7/" + path, body, token: stage.token)
            }
            // A hidden key is like one the module does not have.
            let ignored = await send("PUT", "Leads/\(lead)", ["data": [["Phone": "1", "Website": "https://a.example"]]])
            #expect(ignored.status == 200, "\(ignored.text)")
            let refused = await send("PUT", "Leads/\(lead)", ["data": [["City": "Rome"]]])
            #expect(refused.status == 403 && refused.json?.codes("data") == ["NO_PERMISSION"], "\(refused.text)")
            #expect(refused.json?.first("data")?["details"] == ["api_name": "City", "json_path": "$.data[0].City"])
            for (path, body) in [
                ("Leads", ["data": [["Last_Name": "N", "City": "Rome"]]]),
                ("Leads/upsert", ["data": [["Last_Name": "N", "Email": "kim@x.example", "City": "Rome"]]]),
                ("Leads/actions/mass_update", ["data": [["City": "Rome"]], "ids": [.string(lead)]]),
                ("Leads/actions/mass_update", ["data": [["Phone": "1"]], "ids": [.string(lead)]]),
                ("Leads/\(lead)/actions/clone", ["data": [["City": "Rome"]]]),
            ] as [(String, JSONValue)] {
                let answer = await send("POST", path, body)
                #expect(!answer.text.contains("SUCCESS"), "\(path): \(answer.text)")
            }
            let made = await send("POST", "Leads", ["data": [["Last_Name": "New", "Phone": "1"]]])
            let new = try #require(made.json?.first("data")?["details"]?["id"]?.string, "\(made.text)")
            #expect(await server.record("Leads", new, token: stage.admin)?["Phone"] == .null)

            let giver = try await server.add(
                "Leads", ["Last_Name": "Kim", "Phone": "5", "City": "Rome", "Website": "https://b.example"], token: stage.admin)
            func merge(_ field: String) async -> TestServer.Answer {
                await send(
                    "POST", "Leads/\(lead)/actions/merge",
                    ["merge": [["data": [["id": .string(giver), "_fields": [["api_name": .string(field)]]]]]]])
            }
            #expect(await merge("Phone").text.contains("INVALID_DATA"))
            #expect(await merge("City").text.contains("NO_PERMISSION"))
            let group = await send(
                "POST", "Leads/actions/merge_group",
                ["merge_group": [["ids": [.string(lead), .string(giver)], "master": .string(lead), "policy": ["default": "longest"]]]])
            #expect(!group.text.contains("7777001"), "\(group.text)")
            let after = await stage.stored()
            #expect(after?["Phone"]?.string == Self.secret + "2" && after?["City"] == "Oslo" && after?["Website"] != .null, "\(group.text)")
        }
    }

    /// What a profile may do is in force for the next request, in every process.
    @Test(arguments: TestServer.engines.filter { $0 == .postgres }) func changedRightsReachTheOtherProcess(_ engine: Database.Engine)
        async throws
    {
        try await TestServer.with(engine) { server in
            let stage = try await Stage(server)
            try await server.withSecondProcess { second in
                func shown() async -> String { await second.send("GET", "/crm/v7/Leads/\(stage.lead)", token: stage.token).text }
                #expect(await !shown().contains("7777001"))
                try await RightsCast.close(["Leads"], server, stage.admin)
                for _ in 0..<100 where await shown().contains("Kim") { try await Task.sleep(for: .milliseconds(20)) }
                #expect(await !shown().contains("Kim"))
            }
        }
    }
}

/// Extensions of ours in the shape of v8 (`openapi-v8-2026/data_sharing.json`).
@Suite struct DataSharingTests {
    @Test(arguments: TestServer.engines) func modulesSayWhoSeesTheirRecords(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let path = "/crm/v7/settings/data_sharing"
            let listed = await server.send("GET", path, token: token).json?["data_sharing"]?.array ?? []
            #expect(listed.count > 15 && listed.allSatisfy { $0["share_type"] == "public" && $0["public_in_portals"] == false })
            let leads = try #require(listed.first { $0["module"]?["api_name"] == "Leads" }?["module"]?["id"])
            let done = await server.send("PUT", path, ["data_sharing": [["share_type": "private", "module": ["id": leads]]]], token: token)
            #expect(
                done.status == 200
                    && done.json == [
                        "data_sharing": [
                            [
                                "code": "SUCCESS", "details": ["module": "Leads"], "message": "data sharing settings updated successfully",
                                "status": "success",
                            ]
                        ]
                    ], "\(done.text)")
            let after = await server.send("GET", path, token: token).json?["data_sharing"]?.array?.first { $0["module"]?["id"] == leads }
            #expect(after?["share_type"] == "private")
            for (body, code) in [
                ([:], "MANDATORY_NOT_FOUND"), (["data_sharing": [["module": ["id": leads]]]], "MANDATORY_NOT_FOUND"),
                (["data_sharing": [["share_type": "open", "module": ["id": leads]]]], "INVALID_DATA"),
                (["data_sharing": [["share_type": "private", "module": ["id": "12"]]]], "INVALID_DATA"),
            ] as [(JSONValue, String)] {
                let answer = await server.send("PUT", path, body, token: token)
                #expect(answer.status == 400 && answer.text.contains(code), "\(answer.text)")
            }
            let org = try Organisation(server)
            let (_, rep) = try await org.user("rep@x.example", profile: org.standard)
            for method in ["GET", "PUT"] {
                let refused = await server.send(method, path, ["data_sharing": []], token: rep)
                #expect(refused.status == 403 && refused.json?["details"]?["permissions"] == ["Crm_Implied_Manage_Data_Sharing"])
            }
            #expect(await server.send("GET", path, token: try await server.token("ZohoCRM.modules.ALL")).status == 401)
        }
    }
}
