import CRMCore
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Joining and parting records, and the lists of deleted ones. Contract: `endpoints/related-records.md`, 162 to 164.
@Suite struct LinkTests {
    private func list(_ server: TestServer, _ path: String, _ token: String) async -> [JSONValue] {
        await server.send("GET", "/crm/v7/\(path)", token: token).json?["data"]?.array ?? []
    }

    @Test(arguments: TestServer.engines) func recordsAreJoinedFromEitherSide(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let campaign = try await server.add("Campaigns", ["Campaign_Name": "Fair"], token: token)
            let lead = try await server.add("Leads", ["Last_Name": "Kim"], token: token)
            let other = try await server.add("Leads", ["Last_Name": "Lee"], token: token)
            let contact = try await server.add("Contacts", ["Last_Name": "Roy"], token: token)

            let path = "/crm/v7/Campaigns/\(campaign)/Leads"
            let one = await server.send("PUT", "\(path)/\(lead)", ["data": [["Member_Status": "Active"]]], token: token)
            #expect(one.status == 200)
            #expect(
                one.json == [
                    "data": [["code": "SUCCESS", "details": ["id": .string(lead)], "message": "relation added", "status": "success"]]
                ])
            let again = await server.send("PUT", "\(path)/\(lead)", ["data": [["Member_Status": "Planned"]]], token: token)
            #expect(again.json?.first("data")?["message"] == "relation updated")
            let several: JSONValue = ["data": [["id": .string(other)], ["id": "12"], ["Member_Status": "x"], ["id": .string(contact)]]]
            let mixed = await server.send("PUT", path, several, token: token)
            #expect(mixed.status == 207 && mixed.json?.codes("data") == ["SUCCESS", "INVALID_DATA", "MANDATORY_NOT_FOUND", "INVALID_DATA"])
            #expect(mixed.json?["data"]?.array?[1]["details"]?["json_path"] == "$.data[1].id")

            let members = await list(server, "Campaigns/\(campaign)/Leads?fields=Last_Name,Member_Status", token)
            #expect(members.map { $0["Last_Name"] } == ["Lee", "Kim"])
            #expect(members.last?["Member_Status"] == "Planned" && members.first?["Member_Status"] == .null)
            #expect(
                members.last?["$member_info"]?["Member_Status"] == "Planned"
                    && members.last?["$member_info"]?["Modified_Time"]?.string != nil)
            #expect(await list(server, "Campaigns/\(campaign)/Contacts?fields=Last_Name", token).isEmpty)
            let back = await list(server, "Leads/\(lead)/Campaigns?fields=Campaign_Name,Member_Status", token)
            #expect(back.first?["Campaign_Name"] == "Fair" && back.first?["Member_Status"] == "Planned")
            await server.send("PUT", "/crm/v7/Contacts/\(contact)/Campaigns/\(campaign)", ["data": [[:]]], token: token)
            #expect(await list(server, "Campaigns/\(campaign)/Contacts?fields=Last_Name", token).count == 1)

            let removed = await server.send("DELETE", "\(path)?ids=\(lead),12", token: token)
            #expect(removed.status == 207 && removed.json?.first("data")?["message"] == "relation removed")
            #expect(await list(server, "Campaigns/\(campaign)/Leads?fields=Last_Name", token).map { $0["id"] } == [.string(other)])
            #expect(await server.send("DELETE", "\(path)/\(lead)", token: token).status == 400)
            #expect(await server.record("Leads", lead, token: token) != nil)

            for (path, code) in [
                ("Campaigns/99/Leads/\(lead)", "INVALID_DATA"), ("Campaigns/\(campaign)/Nope/\(lead)", "INVALID_DATA"),
                ("Leads/\(lead)/Tasks/\(other)", "INVALID_DATA"), ("Nope/1/Leads/2", "INVALID_MODULE"),
            ] {
                #expect(await server.send("PUT", "/crm/v7/\(path)", ["data": [[:]]], token: token).json?["code"]?.string == code, "\(path)")
                #expect(await server.send("DELETE", "/crm/v7/\(path)", token: token).json?["code"]?.string == code, "\(path)")
            }
            #expect(await server.send("DELETE", path, token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(await server.send("DELETE", "\(path)?ids=x", token: token).json?["code"] == "UNABLE_TO_PARSE_DATA_TYPE")
            let reader = try await server.token("ZohoCRM.modules.READ")
            #expect(await server.send("PUT", "\(path)/\(lead)", ["data": [[:]]], token: reader).status == 401)
            #expect(await server.send("DELETE", "\(path)/\(lead)", token: reader).status == 401)
        }
    }

    @Test(arguments: TestServer.engines) func productsJoinWithAListPriceAndLeaveForGoodWithTheirRecord(_ engine: Database.Engine)
        async throws
    {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let product = try await server.add("Products", ["Product_Name": "Pump"], token: token)
            let book = try await server.add(
                "Price_Books", ["Price_Book_Name": "Retail", "Pricing_Details": [["from_range": 1, "to_range": 9, "discount": 1]]],
                token: token)
            await server.send("PUT", "/crm/v7/Products/\(product)/Price_Books/\(book)", ["data": [["list_price": 12.5]]], token: token)
            #expect(await list(server, "Price_Books/\(book)/Products?fields=Product_Name,list_price", token).first?["list_price"] == 12.5)
            await server.send("DELETE", "/crm/v7/Products/\(product)", token: token)
            #expect(await list(server, "Price_Books/\(book)/Products?fields=Product_Name", token).isEmpty)
            await server.send("POST", "/crm/v7/settings/recycle_bin/actions/restore?ids=\(product)", token: token)
            #expect(await list(server, "Price_Books/\(book)/Products?fields=Product_Name", token).count == 1)
        }
    }

    /// 164.
    @Test(arguments: TestServer.engines) func theContactsOfADeletedAccountAreStillFound(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let account = try await server.add("Accounts", ["Account_Name": "Acme"], token: token)
            let contact = try await server.add("Contacts", ["Last_Name": "Kim", "Account_Name": ["id": .string(account)]], token: token)
            let path = "/crm/v7/Accounts/deleted/\(account)"
            #expect(await server.send("GET", path + "/Contacts?fields=Last_Name", token: token).json?["code"] == "INVALID_DATA")
            await server.send("DELETE", "/crm/v7/Accounts/\(account)", token: token)
            let found = await server.send("GET", path + "/Contacts?fields=Last_Name", token: token)
            #expect(found.json?.first("data")?["id"] == .string(contact) && found.json?["info"]?["count"] == 1)
            #expect(await server.send("GET", path + "/Deals?fields=Deal_Name", token: token).status == 204)
            for list in ["Notes", "Attachments", "Products", "Nope"] {
                #expect(await server.send("GET", path + "/\(list)?fields=id", token: token).json?["code"] == "INVALID_DATA", "\(list)")
            }
            #expect(await server.send("GET", path + "/Contacts", token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(
                await server.send("GET", path + "/Contacts?fields=id", token: try await server.token("ZohoCRM.modules.leads.ALL")).status
                    == 401)
            await server.send("DELETE", "/crm/v7/settings/recycle_bin/\(account)", token: token)
            #expect(await server.send("GET", path + "/Contacts?fields=Last_Name", token: token).json?["code"] == "INVALID_DATA")
        }
    }
}
