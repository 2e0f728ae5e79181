import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore

/// What is told of the territories of records. Contract: records, 134 (timeline); notifications, 254; convert-lead, 135.
@Suite struct TerritoryHistoryTests {
    private static func assign(
        _ world: TerritoriesTests.World, _ module: String, _ record: String, _ names: [String], _ action: String = "assign"
    ) async {
        let answer = await world.server.send(
            "POST", "/crm/v7/\(module)/\(record)/actions/\(action)_territories",
            ["data": [["Territories": .array(names.map { ["id": .string(world[$0])] })]]], token: world.token)
        #expect(answer.status == 200, "\(answer.text)")
    }

    private static func history(_ world: TerritoriesTests.World, _ record: String) async -> [JSONValue] {
        let answer = await world.server.send("GET", "/crm/v7/Accounts/\(record)/__timeline?sort_order=asc", token: world.token)
        return (answer.json?["__timeline"]?.array ?? []).flatMap { $0["field_history"]?.array ?? [] }
            .filter { $0["api_name"] == "Territories" }.map { $0["_value"] ?? .null }
    }

    @Test(arguments: TestServer.engines) func theTimelineTellsOfTerritories(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await TerritoriesTests.World(server)
            let org = try Organisation(server)
            let account = await org.insert("Accounts", [["Account_Name": "Acme"]], world.token)[0]
            await Self.assign(world, "Accounts", account, ["Oslo"])
            await Self.assign(world, "Accounts", account, ["Oslo"], "remove")
            let told = await Self.history(world, account)
            #expect(Set(told) == [["old": .null, "new": "Oslo"], ["old": "Oslo", "new": .null]], "\(told)")
            // By criteria too.
            _ = await world.put(
                "South", ["account_rule_criteria": ["field": ["api_name": "Phone"], "comparator": "equal", "value": "42"]])
            _ = await server.send("PUT", "/crm/v7/Accounts/\(account)", ["data": [["Phone": "42"]]], token: world.token)
            #expect(await Self.history(world, account).contains(["old": .null, "new": "South"]))
        }
    }

    @Test(arguments: TestServer.engines) func channelsHearOfTerritories(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            let world = try await TerritoriesTests.World(bench.server)
            try await bench.watch(["events": ["Accounts.edit"], "return_affected_field_values": true])
            let account = try await bench.add("Accounts", ["Account_Name": "Acme"])
            _ = await bench.deliver()
            await Self.assign(world, "Accounts", account, ["Oslo"])
            let told = await bench.deliver()
            #expect(told.contains { $0.text.contains(account) && $0.text.contains("Territories") && $0.text.contains("Oslo") }, "\(told)")
        }
    }

    @Test(arguments: TestServer.engines) func whatALeadBecomesStandsWhereItStood(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await TerritoriesTests.World(server)
            let org = try Organisation(server)
            let lead = await org.insert("Leads", [["Last_Name": "Kim", "Company": "Acme"]], world.token)[0]
            await Self.assign(world, "Leads", lead, ["Oslo", "South"])
            let answer = await server.send(
                "POST", "/crm/v7/Leads/\(lead)/actions/convert",
                [
                    "data": [
                        [
                            "Deals": [
                                "Deal_Name": "D", "Closing_Date": "2030-06-30", "Stage": "Qualification", "Pipeline": "Standard (Standard)",
                            ]
                        ]
                    ]
                ],
                token: world.token)
            #expect(answer.status == 200, "\(answer.text)")
            let made = answer.json?["data"]?.array?.first?["details"]
            for (module, count) in [("Accounts", 2), ("Contacts", 2), ("Deals", 1)] {
                let id = made?[module]?["id"]?.string ?? ""
                let record = await org.record(module, id, world.token)
                let places = (record?["Territories"] ?? record?["Territory"])?.array ?? []
                #expect(places.count == count, "\(module): \(places)")
                #expect(places.first?["Name"] == "Oslo" && places.first?["$assigned"] == "manually", "\(module): \(places)")
            }
        }
    }
}
