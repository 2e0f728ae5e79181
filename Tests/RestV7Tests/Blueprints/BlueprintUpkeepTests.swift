import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What becomes of processes when settings change around them (`docs/blueprints.md`).
@Suite struct BlueprintUpkeepTests {
    private func isOut(_ bench: BlueprintBench, _ lead: String) async -> Bool {
        await bench.caller.send("GET", bench.path(lead)).code == "RECORD_NOT_IN_PROCESS"
    }

    private func set(_ bench: BlueprintBench, _ lead: String, _ state: String) async -> [String] {
        await bench.caller.send("PUT", "Leads/\(lead)", ["data": [["Lead_Status": .string(state)]]]).codes
    }

    private func change(_ bench: BlueprintBench, _ id: String, _ body: JSONValue) async -> TestServer.Answer {
        await bench.caller.send("PUT", "\(BlueprintBench.settings)/\(id)", ["blueprints": [body]])
    }

    @Test(arguments: TestServer.engines) func aRecordThatNothingLeadsOnFromIsFree(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            let id = try await bench.make()
            let stuck = try await bench.lead()
            let cut = try await bench.lead()
            let on = try await bench.lead()
            _ = await bench.take("Call", on, ["Phone": "1", "Notes": "n"])
            #expect(await change(bench, id, ["active": false]).status == 200)
            #expect(await set(bench, stuck, "Contacted") == ["SUCCESS"])
            #expect(await change(bench, id, ["active": true]).status == 200)
            #expect(await isOut(bench, stuck))
            #expect(await bench.caller.record("Leads", stuck)["$process_flow"] == false)
            #expect(await set(bench, stuck, "Lost Lead") == ["SUCCESS"])
            #expect(await set(bench, stuck, "Not Contacted") == ["SUCCESS"])
            #expect(await set(bench, stuck, "Contacted") == ["RECORD_IN_BLUEPRINT"], "it has entered again")

            let rest = bench.body()["blueprints"]?.array?.first?["transitions"]?.array?.last ?? .null
            let changed = await change(bench, id, ["transitions": [rest]])
            #expect(changed.status == 200, "\(changed.text)")
            #expect(await isOut(bench, cut))
            #expect(await set(bench, cut, "Lost Lead") == ["SUCCESS"])
            #expect(await bench.transition("Reach", of: on)["id"] != nil)
            #expect(await set(bench, on, "Lost Lead") == ["RECORD_IN_BLUEPRINT"])
        }
    }

    /// A place that a record has kept, for instance in the recycle bin, binds it no more.
    @Test(arguments: TestServer.engines) func aPlaceThatLeadsNowhereDoesNotBind(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            try await bench.make()
            let lead = try await bench.lead()
            let leads = try #require(server.services.catalog.current().module("Leads"))
            let table = try #require(leads.table)
            let column = try #require(leads.field("Lead_Status")?.columns.first)
            try await server.services.database.run(.write) { tx in
                try tx.execute("UPDATE \(table) SET \(column) = 'Contacted' WHERE id = \(try #require(RecordID(lead)))")
            }
            #expect(await isOut(bench, lead))
            #expect(await set(bench, lead, "Not Contacted") == ["SUCCESS"])
            #expect(await bench.transition("Call", of: lead)["id"] != nil, "it has entered again")
        }
    }

    @Test(arguments: TestServer.engines) func whoIsDeletedOwnsNoTransition(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            let organisation = try Organisation(server)
            let users = [
                try await organisation.user("ana@x.example", profile: organisation.standard).id,
                try await organisation.user("bo@x.example", profile: organisation.standard).id,
                try await organisation.user("cy@x.example", profile: organisation.standard).id,
            ]
            let caller = bench.caller
            let cloned = await caller.send(
                "POST", "settings/profiles/\(organisation.standard)/actions/clone", ["profiles": [["name": "Sales North"]]])
            let profile = cloned.json?["profiles"]?.array?.first?["details"]?["id"] ?? .null
            func owner(_ type: String, _ id: JSONValue) -> JSONValue { ["type": .string(type), "id": id] }
            let id = try await bench.make { body in
                var transitions = body["transitions"]?.array ?? []
                transitions[0]["owners"] = [owner("users", .id(users[0])), owner("users", .id(users[1])), owner("profiles", profile)]
                transitions[1]["owners"] = [owner("users", .id(users[1]))]
                body["transitions"] = .array(transitions)
            }
            func shown() async -> [JSONValue] {
                let answer = await caller.send("GET", "\(BlueprintBench.settings)/\(id)")
                return answer.json?["blueprints"]?.array?.first?["transitions"]?.array ?? []
            }
            func owners(_ index: Int) async -> JSONValue {
                let transitions = await shown()
                return transitions.count > index ? transitions[index]["owners"] ?? .null : .null
            }
            let heir = organisation.standard
            #expect(await caller.send("DELETE", "settings/profiles/\(profile.string ?? "")?transfer_to=\(heir)").status == 200)
            let standard = owner("profiles", .id(organisation.standard))
            #expect(await owners(0) == [owner("users", .id(users[0])), owner("users", .id(users[1])), standard])
            let transferred = await caller.send(
                "POST", "users/actions/transfer_and_delete",
                [
                    "transfer_and_delete": [
                        [
                            "id": .id(users[0]),
                            "transfer": ["id": .id(users[2]), "records": true, "assignment": true, "criteria": true],
                        ]
                    ]
                ])
            #expect(transferred.status == 200, "\(transferred.text)")
            #expect(await owners(0) == [owner("users", .id(users[2])), owner("users", .id(users[1])), standard])
            #expect(await caller.send("DELETE", "users/\(users[1])").status == 200)
            #expect(await owners(0) == [owner("users", .id(users[2])), standard])
            #expect(await owners(1) == [owner("users", .id(users[1]))], "nobody named would be everybody")
            let again = await change(bench, id, ["transitions": .array(await shown())])
            #expect(again.status == 200, "\(again.text)")
        }
    }
}
