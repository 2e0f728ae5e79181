import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Relations an organisation made take part in everything, merge first of all.
@Suite struct ShapedLinksTests {
    /// `merge.md` §4: every lookup, wherever it is defined. A lookup added yesterday is re-pointed by a merge today.
    @Test(arguments: TestServer.engines)
    func aLookupAddedYesterdayIsRepointedToday(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            await org.makeModule("Leases", "Lease", token)
            let made = await org.makeFields(
                "Leases",
                [
                    [
                        "field_label": "Tenant", "data_type": "lookup",
                        "lookup": ["module": ["api_name": "Contacts"], "display_label": "Leases held"],
                    ],
                    [
                        "field_label": "Renewed from", "data_type": "lookup",
                        "lookup": ["module": ["api_name": "Leases"], "display_label": "Renewals"],
                    ],
                ], token)
            #expect(made.status == 201, "\(made.text)")
            let people = await org.insert("Contacts", [["Last_Name": "Ito"], ["Last_Name": "Itoh"]], token)
            let leases = await org.insert(
                "Leases", [["Name": "L1", "Tenant": ["id": .string(people[1])]], ["Name": "L2", "Tenant": ["id": .string(people[0])]]],
                token)
            let merged = await server.send(
                "POST", "/crm/v7/Contacts/\(people[0])/actions/merge", ["merge": [["data": [["id": .string(people[1])]]]]], token: token)
            #expect(merged.status == 201, "\(merged.text)")
            #expect(await org.record("Leases", leases[0], token)?["Tenant"]?["id"]?.string == people[0])
            let held = await server.send("GET", "/crm/v7/Contacts/\(people[0])/Leases_held?fields=Name", token: token)
            #expect(held.json?["data"]?.array?.count == 2)

            // And records of the custom module itself merge, with what points at them.
            let renewal = await org.insert("Leases", [["Name": "L3", "Renewed_from": ["id": .string(leases[1])]]], token)[0]
            let again = await server.send(
                "POST", "/crm/v7/Leases/\(leases[0])/actions/merge", ["merge": [["data": [["id": .string(leases[1])]]]]], token: token)
            #expect(again.status == 201, "\(again.text)")
            #expect(await org.record("Leases", renewal, token)?["Renewed_from"]?["id"]?.string == leases[0])
            #expect(await server.send("GET", "/crm/v7/Leases/\(leases[1])", token: token).status != 200)
        }
    }

    /// A multi-select lookup makes a linking module, a list on each side and a field on the other; merge unites its rows.
    @Test(arguments: TestServer.engines)
    func aMultiSelectLookupLinksBothSides(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            await org.makeModule("Courses", "Course", token)
            let field: JSONValue = [
                "field_label": "Attendees", "data_type": "multiselectlookup",
                "multiselectlookup": [
                    "connected_details": ["module": ["api_name": "Contacts"], "field": ["field_label": "Courses taken"]],
                    "linking_details": ["module": ["plural_label": "Course Seats"]],
                ],
            ]
            let made = await org.makeFields("Courses", [field], token)
            #expect(made.status == 201, "\(made.text)")
            let shown = await server.send("GET", "/crm/v7/settings/fields?module=Courses&data_type=multiselectlookup", token: token)
            let facet = shown.json?["fields"]?.array?.first?["multiselectlookup"]
            #expect(
                facet?["linking_module"]?["api_name"] == "Course_Seats" && facet?["lookup_apiname"] == "Course"
                    && facet?["connectedlookup_apiname"] == "Contact")
            #expect(facet?["connectedfield_apiname"] == "Courses_taken" && facet?["connected_module"]?["id"] != nil)
            let courses = await org.insert("Courses", [["Name": "Swift"]], token)
            let people = await org.insert("Contacts", [["Last_Name": "Ito"], ["Last_Name": "Itoh"]], token)
            let seats = await org.insert(
                "Course_Seats", people.map { ["Course": ["id": .string(courses[0])], "Contact": ["id": .string($0)]] }, token)
            #expect(seats.count == 2 && !seats[0].hasPrefix("refused"), "\(seats)")
            let attending = await server.send("GET", "/crm/v7/Courses/\(courses[0])/Attendees?fields=Last_Name", token: token)
            #expect(attending.json?["data"]?.array?.count == 2, "\(attending.text)")
            let taken = await server.send("GET", "/crm/v7/Contacts/\(people[1])/Courses_taken?fields=Name", token: token)
            #expect(taken.json?["data"]?.array?.first?["Name"] == "Swift", "\(taken.text)")
            let merged = await server.send(
                "POST", "/crm/v7/Contacts/\(people[0])/actions/merge", ["merge": [["data": [["id": .string(people[1])]]]]], token: token)
            #expect(merged.status == 201, "\(merged.text)")
            let after = await server.send("GET", "/crm/v7/Courses/\(courses[0])/Attendees?fields=Last_Name", token: token)
            #expect(after.json?["data"]?.array?.map { $0["id"]?.string } == [people[0]])
            #expect(await server.send("GET", "/crm/v7/Course_Seats?fields=Course", token: token).json?["data"]?.array?.count == 1)

            let id = made.json?["fields"]?.array?.first?["details"]?["id"]?.string ?? ""
            #expect(await server.send("DELETE", "/crm/v7/settings/fields/\(id)?module=Courses", token: token).status == 200)
            let catalog = server.services.catalog.current()
            #expect(catalog.module("Course_Seats") == nil && catalog.module("Contacts")?.field("Courses_taken") == nil)
        }
    }

    @Test(arguments: TestServer.engines)
    func aMultiUserLookupLinksRecordsToUsers(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let made = await org.makeFields(
                "Accounts",
                [
                    [
                        "field_label": "Team", "data_type": "multiuserlookup",
                        "multiuserlookup": ["linking_details": ["module": ["plural_label": "Account Teams"]]],
                    ]
                ], token)
            #expect(made.status == 201, "\(made.text)")
            let accounts = await org.insert("Accounts", [["Account_Name": "A"], ["Account_Name": "B"]], token)
            let user: JSONValue = ["id": .string(String(server.administrator.id.raw))]
            let rows = await org.insert("Account_Teams", accounts.map { ["Account": ["id": .string($0)], "User": user] }, token)
            #expect(rows.count == 2 && !rows[0].hasPrefix("refused"), "\(rows)")
            let team = await server.send("GET", "/crm/v7/Accounts/\(accounts[0])/Team?fields=User", token: token)
            #expect(team.json?["data"]?.array?.first?["User"]?["id"] == user["id"], "\(team.text)")
            let merged = await server.send(
                "POST", "/crm/v7/Accounts/\(accounts[0])/actions/merge", ["merge": [["data": [["id": .string(accounts[1])]]]]], token: token
            )
            #expect(merged.status == 201, "\(merged.text)")
            #expect(
                await server.send("GET", "/crm/v7/Accounts/\(accounts[0])/Team?fields=User", token: token).json?["data"]?.array?.count == 1)
        }
    }
}
