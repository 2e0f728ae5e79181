import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Records change hands. Contract: `endpoints/change-owner.md`, 218; `endpoints/mass-change-owner.md`, 219 and 220.
@Suite struct OwnerTests {
    private static let scopes = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.change_owner.ALL"

    private func owner(_ server: TestServer, _ module: String, _ id: String, _ token: String) async -> JSONValue? {
        await server.record(module, id, token: token)?["Owner"]?["name"]
    }

    @Test(arguments: TestServer.engines) func recordsAndWhatHangsOnThemChangeHands(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let ana = try await server.addUser("Ana")
            let gone = try await server.addUser("Gone", active: false)
            let token = try await server.token(Self.scopes)
            let to: JSONValue = ["id": .string(String(ana.id.raw))]
            let account = try await server.add("Accounts", ["Account_Name": "Acme"], token: token)
            let contact = try await server.add("Contacts", ["Last_Name": "Kim", "Account_Name": ["id": .string(account)]], token: token)
            let task = try await server.add(
                "Tasks", ["Subject": "Call", "What_Id": ["id": .string(account)], "$se_module": "Accounts"], token: token)
            let deal = try await server.add(
                "Deals", ["Deal_Name": "D", "Stage": "Qualification", "Account_Name": ["id": .string(account)]], token: token)
            let body: JSONValue = ["owner": to, "related_modules": [["api_name": "Contacts"], ["api_name": "Tasks"]], "notify": false]
            let one = await server.send("POST", "/crm/v7/Accounts/\(account)/actions/change_owner", body, token: token)
            let result: JSONValue = [
                "code": "SUCCESS", "details": ["id": .string(account)], "message": "owner is successfully updated", "status": "success",
            ]
            #expect(one.status == 200 && one.json == ["data": [result]])
            for (module, id, name) in [
                ("Accounts", account, "Ana"), ("Contacts", contact, "Ana"), ("Tasks", task, "Ana"),
                ("Deals", deal, server.administrator.fullName),
            ] {
                #expect(await owner(server, module, id, token) == .string(name), "\(module)")
            }
            let lead = try await server.add("Leads", ["Last_Name": "L"], token: token)
            let list = await server.send(
                "POST", "/crm/v7/Leads/actions/change_owner", ["ids": [.string(lead), "12"], "owner": to], token: token)
            #expect(list.status == 207 && list.json?.codes("data") == ["SUCCESS", "INVALID_DATA"])
            #expect(await owner(server, "Leads", lead, token) == "Ana")

            let path = "/crm/v7/Accounts/actions/change_owner"
            let ids: JSONValue = [.string(account)]
            let nobody: JSONValue = ["id": .string(String(gone.id.raw))]
            let bad: [(JSONValue, String)] = [
                (["owner": to], "MANDATORY_NOT_FOUND"), (["ids": [], "owner": to], "MANDATORY_NOT_FOUND"),
                (["ids": ids], "MANDATORY_NOT_FOUND"),
                (["ids": ids, "owner": ["id": "12"]], "INVALID_DATA"), (["ids": ids, "owner": nobody], "INVALID_DATA"),
                (["ids": ids, "owner": to, "related_modules": [["api_name": "Nope"]]], "NOT_SUPPORTED"),
                (["ids": ids, "owner": to, "related_modules": [["api_name": "Products"]]], "NOT_SUPPORTED"),
                (["ids": ids, "owner": to, "related_modules": [[:]]], "EXPECTED_FIELD_MISSING"),
                (["ids": ids, "owner": to, "related_modules": [["api_name": "Contacts", "id": "12"]]], "AMBIGUITY_DURING_PROCESSING"),
                (["ids": .array((0..<501).map { .string(String($0)) }), "owner": to], "LIMIT_EXCEEDED"),
            ]
            for (body, code) in bad {
                let answer = await server.send("POST", path, body, token: token)
                #expect(answer.status == 400 && answer.json?["code"]?.string == code, "\(body.text.prefix(100)): \(answer.text)")
            }
            #expect(
                await server.send("POST", "/crm/v7/Notes/actions/change_owner", ["ids": ids, "owner": to], token: token).json?["code"]
                    == "INVALID_MODULE")
            #expect(await server.send("POST", path, ["ids": ids, "owner": to], token: try await server.token()).status == 401)
        }
    }

    @Test(arguments: TestServer.engines) func aViewChangesHandsAsAJob(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let ana = try await server.addUser("Ana")
            let to: JSONValue = ["id": .string(String(ana.id.raw))]
            let token = try await server.token(Self.scopes)
            let rows = JSONValue.array((0..<60).map { ["Last_Name": .string("L\($0)"), "City": $0 < 50 ? "Oslo" : "Rome"] })
            let made = await server.send("POST", "/crm/v7/Leads", ["data": rows], token: token)
            let ids = (made.json?["data"]?.array ?? []).compactMap { $0["details"]?["id"]?.string }
            await server.send("POST", "/crm/v7/Leads/\(ids[0])/actions/change_owner", ["owner": to], token: token)
            let views =
                await server.send("GET", "/crm/v7/settings/custom_views?module=Leads", token: token).json?["custom_views"]?.array ?? []
            let all = views.first { $0["default"]?.bool == true }?["id"] ?? .null
            let criteria: JSONValue = ["field": ["api_name": "City"], "comparator": "equal", "value": "Oslo"]

            let path = "/crm/v7/Leads/actions/mass_change_owner"
            let asked = await server.send("POST", path, ["cvid": all, "owner": to, "criteria": criteria], token: token)
            #expect(asked.json?.first("data")?["message"] == "change owner is successfully scheduled", "\(asked.text)")
            let job = asked.json?.first("data")?["details"]?["job_id"]?.string ?? ""
            let waiting = await server.send("GET", path + "?job_id=\(job)", token: token)
            #expect(waiting.json?.first("data")?["Status"] == "SCHEDULED" && waiting.json?.first("data")?["Total_Count"] == 50)
            await server.drain()
            let done: JSONValue = [
                "Total_Count": 50, "Updated_Count": 49, "Not_Updated_Count": 1, "Failed_Count": 0, "Status": "COMPLETED",
            ]
            #expect(await server.send("GET", path + "?job_id=\(job)", token: token).json == ["data": [done]])
            #expect(await owner(server, "Leads", ids[49], token) == "Ana")
            #expect(await owner(server, "Leads", ids[50], token) == .string(server.administrator.fullName))

            let bad: [(JSONValue, String)] = [
                (["owner": to], "MANDATORY_NOT_FOUND"), (["cvid": all], "MANDATORY_NOT_FOUND"),
                (["cvid": "12", "owner": to], "INVALID_DATA"),
                (["cvid": all, "owner": ["id": "12"]], "INVALID_DATA"),
                (["cvid": all, "owner": to, "territory": ["id": "1"]], "INVALID_DATA"),
            ]
            for (body, code) in bad { #expect(await server.send("POST", path, body, token: token).json?["code"]?.string == code) }
            let odd: JSONValue = ["field": ["api_name": "Nope"], "comparator": "equal", "value": "x"]
            #expect(await server.send("POST", path, ["cvid": all, "owner": to, "criteria": odd], token: token).status == 400)
            #expect(await server.send("GET", path, token: token).status == 404)
            #expect(await server.send("GET", path + "?job_id=12", token: token).status == 204)
            #expect(await server.send("GET", path + "?job_id=12", token: try await server.token()).status == 401)
        }
    }
}
