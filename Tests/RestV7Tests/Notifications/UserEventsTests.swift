import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore

/// Changes of users reach channels. Contract: notifications, 254; the page's example `users.all`.
@Suite struct UserEventsTests {
    private static let path = "actions/watch"

    private static func person(_ bench: WatchBench, _ name: String) -> JSONValue {
        let catalog = bench.server.services.catalog.current()
        return [
            "last_name": .string(name), "email": .string("\(name.lowercased())@x.test"),
            "role": .id(catalog.documents(.role)[0].id), "profile": .id(catalog.documents(.profile)[0].id),
        ]
    }

    private static func bench(_ engine: Database.Engine, _ body: (WatchBench) async throws -> Void) async throws {
        try await WatchBench.with(engine) { bench in
            let token = try await bench.server.token(WatchBench.scopes + ",ZohoCRM.users.ALL")
            try await body(WatchBench(server: bench.server, token: token, receiver: bench.receiver))
        }
    }

    @Test(arguments: TestServer.engines) func usersMadeChangedAndDeletedAreTold(_ engine: Database.Engine) async throws {
        try await Self.bench(engine) { bench in
            let made = await bench.send(
                "POST", Self.path,
                [
                    "watch": [
                        [
                            "channel_id": "7", "events": ["users.all", "Leads.create"], "notify_url": .string(bench.receiver.url("/hook")),
                            "return_affected_field_values": true, "token": "t",
                        ]
                    ]
                ])
            let event = try #require(made.json?["watch"]?.array?.first?["details"]?["events"]?.array?.first)
            #expect(made.status == 201 && event["resource_name"] == "users")
            #expect(event["resource_uri"] == "http://crm.example.test/crm/v7/users")
            #expect(await bench.send("GET", Self.path + "?module=users").json?["watch"]?.array?.first?["events"] == ["users.all"])
            let added = await bench.send("POST", "users", ["users": [Self.person(bench, "Kim")]])
            let id = try #require(added.json?["users"]?.array?.first?["details"]?["id"]?.string, "\(added.text)")
            var told = await bench.deliver()
            #expect(told.map(WatchBench.gist) == ["users insert \(id)"])
            #expect(told[0]["token"] == "t" && told[0]["channel_id"] == "7")
            #expect(told[0]["affected_values"]?.array?.first?["values"]?["last_name"] == "Kim")
            let phone = await bench.send("PUT", "users/\(id)", ["users": [["phone": "555"]]])
            #expect(phone.status == 200, "\(phone.text)")
            told = await bench.deliver()
            #expect(told.count == 2 && WatchBench.gist(told[1]) == "users update \(id)")
            #expect(told[1]["affected_fields"] == [.object([.init(id, ["phone"])])])
            #expect(told[1]["affected_values"] == [["record_id": .string(id), "values": ["phone": "555"]]])
            // The same again is no news, nor is what is refused.
            await bench.send("PUT", "users/\(id)", ["users": [["phone": "555"]]])
            await bench.send("PUT", "users/\(id)", ["users": [["last_name": ""]]])
            await bench.send("PUT", "users/\(id)", ["users": [["status": "inactive"]]])
            #expect(await bench.send("DELETE", "users/\(id)").status == 200)
            told = await bench.deliver()
            #expect(told.dropFirst(2).map(WatchBench.gist) == ["users update \(id)", "users delete \(id)"])
            let logged = try await bench.server.services.database.run(.read) { tx in
                try tx.rows(
                    "SELECT kind FROM sys_change WHERE record_id = \(.integer(Int64(id) ?? 0)) ORDER BY sequence"
                ) { $0.text(0) ?? "" }
            }
            #expect(logged == ["added", "updated", "updated", "deleted"])
        }
    }

    /// Only what was asked for, and only where a field that was named has changed.
    @Test(arguments: TestServer.engines) func conditionsHoldForUsersToo(_ engine: Database.Engine) async throws {
        try await Self.bench(engine) { bench in
            let module = try #require(bench.server.services.catalog.current().module("Users"))
            let phone = try #require(module.field("phone"))
            try await bench.watch([
                "events": ["users.edit"],
                "notification_condition": [
                    [
                        "type": "field_selection", "module": ["api_name": "Users", "id": .string(String(module.id.raw))],
                        "field_selection": [
                            "group_operator": "or",
                            "group": [["field": ["api_name": "phone", "id": .string(String(phone.id.raw))]]],
                        ],
                    ]
                ],
            ])
            let added = await bench.send("POST", "users", ["users": [Self.person(bench, "Lee")]])
            let id = try #require(added.json?["users"]?.array?.first?["details"]?["id"]?.string, "\(added.text)")
            await bench.send("PUT", "users/\(id)", ["users": [["city": "Ulm"]]])
            #expect(await bench.deliver().isEmpty)
            await bench.send("PUT", "users/\(id)", ["users": [["city": "Bonn", "phone": "1"]]])
            let told = await bench.deliver()
            #expect(told.map(WatchBench.gist) == ["users update \(id)"])
            #expect(Set(told[0]["affected_fields"]?.array?.first?[id]?.array?.compactMap(\.string) ?? []) == ["city", "phone"])
            #expect(
                await bench.send(
                    "POST", Self.path, ["watch": [["channel_id": "2", "events": ["users.merge"], "notify_url": "https://a.test"]]]
                ).status == 400)
        }
    }
}
