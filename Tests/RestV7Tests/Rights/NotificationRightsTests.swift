import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// A channel is told what its user may see, and no more: the rules are those of `docs/rights.md`.
@Suite struct NotificationRightsTests {
    private static let scopes = RightsCast.scopes + ",ZohoCRM.notifications.ALL"

    @Test(arguments: TestServer.engines)
    func recordsOfOthersAndHiddenFieldsAreNotTold(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            let server = bench.server
            let admin = try await server.token(Self.scopes)
            let organisation = try Organisation(server)
            let cloned = await server.send(
                "POST", "/crm/v7/settings/profiles/\(organisation.standard)/actions/clone", ["profiles": [["name": "Narrow"]]], token: admin
            )
            let profile = try #require(RecordID(cloned.json?.first("profiles")?["details"]?["id"]?.string ?? ""))
            // Of a role that nobody is below.
            let role = server.services.catalog.current().documents(.role)[1].id
            let user = try await organisation.user("watcher@x.example", profile: profile, role: role, scopes: Self.scopes)
            let token = user.token
            try await RightsCast.close(["Leads"], server, admin)
            let phone = try #require(server.services.catalog.current().module("Leads")?.field("Phone")).id
            let hidden = await server.send(
                "PATCH", "/crm/v7/settings/fields/\(phone.raw)?module=Leads",
                ["fields": [["profiles": [["id": .id(profile), "permission_type": "hidden"]]]]], token: admin)
            try #require(hidden.status == 200, "\(hidden.text)")

            let watcher = WatchBench(server: server, token: token, receiver: bench.receiver)
            try await watcher.watch(["events": ["Leads.all"], "return_affected_field_values": true])
            let theirs = try await server.add("Leads", ["Last_Name": "Zanzibar"], token: admin)
            let mine = try await server.add(
                "Leads", ["Last_Name": "Mine", "Phone": "5550134", "Owner": ["id": .id(user.id)]], token: admin)
            for id in [theirs, mine] {
                let body: JSONValue = ["data": [["Phone": "5550135", "City": "Oslo"]]]
                await bench.deliver()
                #expect(await server.send("PUT", "/crm/v7/Leads/\(id)", body, token: admin).status == 200)
            }
            await bench.deliver()
            for id in [theirs, mine] { #expect(await server.send("DELETE", "/crm/v7/Leads/\(id)", token: admin).status == 200) }
            let calls = await bench.deliver()
            #expect(calls.map(WatchBench.gist) == ["Leads insert \(mine)", "Leads update \(mine)", "Leads delete \(mine)"])
            #expect(calls.count == 3 && calls[1]["affected_fields"] == [.object([.init(mine, ["City"])])])
            #expect(!calls.contains { $0.text.contains("555013") || $0.text.contains("Zanzibar") })
            // A field that is not there cannot be watched.
            let condition: JSONValue = [
                "type": "field_selection", "module": ["api_name": "Leads"],
                "field_selection": ["group_operator": "or", "group": [["field": ["api_name": "Phone"]]]],
            ]
            let item: JSONValue = [
                "channel_id": "2", "events": ["Leads.all"], "notify_url": .string(bench.receiver.url()),
                "notification_condition": [condition],
            ]
            #expect(await watcher.send("POST", "actions/watch", ["watch": [item]]).status == 400)
        }
    }
}
