import CRMCore
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Roles of contacts in deals. Contract: `endpoints/contact-roles.md`, 187 to 193.
@Suite struct ContactRolesTests {
    private static let path = "/crm/v7/Contacts/roles"

    private func names(_ server: TestServer, _ token: String) async -> [String] {
        (await server.send("GET", Self.path, token: token).json?["contact_roles"]?.array ?? []).compactMap { $0["name"]?.string }
    }

    @Test(arguments: TestServer.engines) func rolesAreKeptInOrder(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let first = await names(server, token)
            #expect(first.count == 7 && first.first == "Developer/Evaluator")
            let made = await server.send(
                "POST", Self.path, ["contact_roles": [["name": "Buyer", "sequence_number": 1], ["name": "Last"]]], token: token)
            #expect(made.status == 200 && made.json?.first("contact_roles")?["message"] == "contact role added")
            let ids = (made.json?["contact_roles"]?.array ?? []).compactMap { $0["details"]?["id"]?.string }
            #expect(await names(server, token) == ["Buyer"] + first + ["Last"])
            let one: JSONValue = ["id": .string(ids[0]), "name": "Buyer", "sequence_number": 1]
            #expect(await server.send("GET", "\(Self.path)/\(ids[0])", token: token).json == ["contact_roles": [one]])
            #expect(await server.send("GET", "\(Self.path)/12", token: token).status == 204)

            let cases: [(JSONValue, String)] = [
                (["name": "buyer"], "DUPLICATE_DATA"), ([:], "MANDATORY_NOT_FOUND"),
                (["name": "x", "sequence_number": "x"], "INVALID_DATA"),
                (["name": "x", "sequence_number": 99], "INVALID_DATA"), (["name": "x", "sequence_number": 0], "INVALID_DATA"),
            ]
            for (item, code) in cases {
                let answer = await server.send("POST", Self.path, ["contact_roles": [item]], token: token)
                #expect(
                    answer.status == 400 && (answer.json?["code"] ?? answer.json?.first("contact_roles")?["code"])?.string == code,
                    "\(item)")
            }
            let moved = await server.send(
                "PUT", "\(Self.path)/\(ids[1])", ["contact_roles": [["name": "Second", "sequence_number": 2]]], token: token)
            #expect(moved.json?.first("contact_roles")?["message"] == "record updated")
            #expect(await names(server, token) == ["Buyer", "Second"] + first)
            let list: JSONValue = [
                "contact_roles": [
                    ["id": .string(ids[0]), "name": "Second"], ["id": "12", "name": "n"], ["id": .string(ids[0]), "name": "Payer"],
                ]
            ]
            #expect(
                await server.send("PUT", Self.path, list, token: token).json?.codes("contact_roles") == [
                    "DUPLICATE_DATA", "INVALID_DATA", "SUCCESS",
                ])
            #expect(
                await server.send("PUT", Self.path, ["contact_roles": [["name": "n"]]], token: token).json?["code"] == "MANDATORY_NOT_FOUND"
            )

            let gone = await server.send("DELETE", "\(Self.path)?ids=\(ids[0]),12", token: token)
            #expect(gone.status == 207 && gone.json?.codes("contact_roles") == ["SUCCESS", "INVALID_DATA"])
            #expect(
                await server.send("DELETE", "\(Self.path)/\(ids[1])", token: token).json?.first("contact_roles")?["message"]
                    == "contact role deleted")
            #expect(await names(server, token) == first)
            #expect(await server.send("DELETE", Self.path, token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            let most = await server.send(
                "POST", Self.path, ["contact_roles": .array((0..<94).map { ["name": .string("r\($0)")] })], token: token)
            #expect(most.json?.codes("contact_roles").last == "LIMIT_EXCEEDED")
            let reader = try await server.token("ZohoCRM.modules.contacts.READ")
            #expect(await server.send("GET", Self.path, token: reader).status == 200)
            for method in ["POST", "PUT", "DELETE"] { #expect(await server.send(method, Self.path, [:], token: reader).status == 401) }
            #expect(await server.send("GET", Self.path, token: try await server.token("ZohoCRM.modules.deals.ALL")).status == 401)
        }
    }

    @Test(arguments: TestServer.engines) func contactsHaveRolesInADeal(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let roles = await server.send("GET", Self.path, token: token).json?["contact_roles"]?.array ?? []
            let role = roles[0]["id"]?.string ?? ""
            let deal = try await server.add("Deals", ["Deal_Name": "Big", "Stage": "Qualification"], token: token)
            let contact = try await server.add("Contacts", ["Last_Name": "Kim", "Email": "kim@acme.example"], token: token)
            let other = try await server.add("Contacts", ["Last_Name": "Lee"], token: token)
            let path = "/crm/v7/Deals/\(deal)/Contact_Roles"
            let added = await server.send("PUT", "\(path)/\(contact)", ["data": [["Contact_Role": ["id": .string(role)]]]], token: token)
            #expect(
                added.json?.first("data")?["message"] == "relation added"
                    && added.json?.first("data")?["details"]?["id"] == .string(contact))
            await server.send("PUT", "/crm/v7/Contacts/\(other)/Deals/\(deal)", ["data": [[:]]], token: token)
            let changed = await server.send(
                "PUT", "\(path)/\(contact)", ["data": [["Contact_Role": ["name": "decision maker"]]]], token: token)
            #expect(changed.json?.first("data")?["message"] == "relation updated")

            let listed = await server.send("GET", "\(path)?fields=Email", token: token)
            let rows = listed.json?["data"]?.array ?? []
            #expect(rows.map { $0["id"] } == [.string(other), .string(contact)])
            #expect(
                rows[0]["Contact_Role"] == .null && rows[1]["Contact_Role"]?["name"] == "Decision Maker"
                    && rows[1]["Email"] == "kim@acme.example")
            #expect(await server.send("GET", "\(path)?fields=Email&ids=\(other)", token: token).json?["info"]?["count"] == 1)
            #expect(
                await server.send("GET", "\(path)/\(contact)", token: token).json?.first("data")?["Contact_Role"]?["name"]
                    == "Decision Maker")
            #expect(await server.send("GET", path, token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(await server.send("GET", "/crm/v7/Deals/12/Contact_Roles?fields=Email", token: token).json?["code"] == "INVALID_DATA")

            let bad: [(String, JSONValue, String)] = [
                (contact, [:], "MANDATORY_NOT_FOUND"), (contact, ["Contact_Role": ["id": "12"]], "INVALID_DATA"),
                ("12", ["Contact_Role": ["id": .string(role)]], "INVALID_DATA"),
            ]
            for (id, item, code) in bad {
                let answer = await server.send("PUT", "\(path)/\(id)", ["data": [item]], token: token)
                #expect(answer.status == 400 && (answer.json?["code"] ?? answer.json?.first("data")?["code"])?.string == code)
            }
            // A role that is gone reads as none; the contact stays on the deal.
            let maker = roles[1]["id"]?.string ?? ""
            await server.send("DELETE", "\(Self.path)/\(maker)", token: token)
            #expect(await server.send("GET", "\(path)/\(contact)", token: token).json?.first("data")?["Contact_Role"] == .null)

            #expect(await server.send("DELETE", "\(path)/\(contact)", token: token).json?.first("data")?["message"] == "relation removed")
            #expect(await server.send("DELETE", "\(path)/\(contact)", token: token).status == 400)
            #expect(await server.send("DELETE", "\(path)?ids=\(other)", token: token).status == 200)
            #expect(await server.send("GET", "\(path)?fields=Email", token: token).status == 204)
            let half = try await server.token("ZohoCRM.modules.deals.ALL")
            #expect(await server.send("GET", "\(path)?fields=Email", token: half).status == 401)
            #expect(await server.send("PUT", "\(path)/\(contact)", ["data": [[:]]], token: half).status == 401)
        }
    }
}
