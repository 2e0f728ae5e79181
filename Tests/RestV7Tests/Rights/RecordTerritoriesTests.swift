import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore

/// Records in territories. Contract: territories, 3, 7 and 8; records, 124; mass-update, 201; mass-delete, 203; query-api.
@Suite struct RecordTerritoriesTests {
    private typealias World = TerritoriesTests.World

    private static func assign(
        _ world: TerritoriesTests.World, _ module: String, _ record: String, _ names: [String], action: String = "assign"
    )
        async -> TestServer.Answer
    {
        await world.server.send(
            "POST", "/crm/v7/\(module)/\(record)/actions/\(action)_territories",
            ["data": [["Territories": .array(names.map { ["id": .string(world.ids[$0] ?? $0)] })]]], token: world.token)
    }

    private static func places(_ world: TerritoriesTests.World, _ module: String, _ record: String) async -> [String] {
        let field = module == "Deals" ? "Territory" : "Territories"
        let answer = await world.server.send("GET", "/crm/v7/\(module)/\(record)", token: world.token)
        return (answer.json?["data"]?.array?.first?[field]?.array ?? []).compactMap { $0["Name"]?.string }
    }

    private static func names(_ world: TerritoriesTests.World, _ path: String) async -> [String] {
        let answer = await world.server.send("GET", "/crm/v7/" + path, token: world.token)
        return (answer.json?["data"]?.array ?? []).compactMap { $0["Account_Name"]?.string }.sorted()
    }

    /// 8 and 3: a record is put into territories at once, and says by whom.
    @Test(arguments: TestServer.engines)
    func peoplePutRecordsIntoTerritories(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await TerritoriesTests.World(server)
            let org = try Organisation(server)
            let account = await org.insert("Accounts", [["Account_Name": "Acme"]], world.token)[0]
            let empty = await org.record("Accounts", account, world.token)
            #expect(empty?["Territories"] == [])
            let answer = await Self.assign(world, "Accounts", account, ["Oslo", "South"])
            let item = world.first(answer, "data")
            #expect(
                answer.status == 200 && item["code"] == "SCHEDULED"
                    && item["message"] == "Territory assignment process scheduled successfully"
                    && item["details"]?["id"]?.string == account && item["details"]?["job_id"]?.string != nil, "\(answer.text)")
            let shown = try #require(await org.record("Accounts", account, world.token)?["Territories"]?.array)
            #expect(shown.map { $0["Name"]?.string } == ["Oslo", "South"])
            #expect(shown[0]["$assigned"] == "manually" && shown[0]["$assigned_by"]?["name"] == "Ada Admin")
            #expect(shown[0]["$assigned_time"]?.string.flatMap(Instant.init(iso:)) != nil && shown[0]["id"]?.string == world["Oslo"])
            // A new name shows at once; a territory that is gone does not.
            _ = await world.put("Oslo", ["name": "Oslo City"])
            _ = await server.send("DELETE", "/crm/v7/settings/territories/\(world["South"])", token: world.token)
            #expect(await Self.places(world, "Accounts", account) == ["Oslo City"])
            let removed = await Self.assign(world, "Accounts", account, ["Oslo"], action: "remove")
            #expect(world.first(removed, "data")["message"] == "Territory removal process scheduled successfully")
            #expect(await Self.places(world, "Accounts", account).isEmpty)
        }
    }

    /// 7 and 8, errors: each item by itself, with the place of what is wrong.
    @Test(arguments: TestServer.engines)
    func badAssignmentsAreToldApart(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await TerritoriesTests.World(server)
            let org = try Organisation(server)
            let account = await org.insert("Accounts", [["Account_Name": "Acme"]], world.token)[0]
            let deal = await org.insert(
                "Deals", [["Deal_Name": "D", "Stage": "Qualification", "Closing_Date": "2030-01-01"]], world.token)[0]
            func send(_ action: String, _ items: JSONValue, _ module: String = "Accounts") async -> TestServer.Answer {
                await server.send("POST", "/crm/v7/\(module)/actions/\(action)_territories", ["data": items], token: world.token)
            }
            let oslo: JSONValue = ["id": .string(world["Oslo"])]
            let id = JSONValue.string(account)
            let cases: [(String, JSONValue, String, String?)] = [
                ("assign", ["Territories": [oslo]], "MANDATORY_NOT_FOUND", "$.data[0].id"),
                ("assign", ["id": "12", "Territories": [oslo]], "INVALID_DATA", "$.data[0].id"),
                ("assign", ["id": id], "MANDATORY_NOT_FOUND", "$.data[0].Territories"),
                ("assign", ["id": id, "Territories": []], "MANDATORY_NOT_FOUND", "$.data[0].Territories"),
                ("assign", ["id": id, "Territories": [[:]]], "MANDATORY_NOT_FOUND", "$.data[0].Territories[0].id"),
                ("assign", ["id": id, "Territories": [["id": "12"]]], "INVALID_DATA", "$.data[0].Territories[0].id"),
                ("assign", ["id": id, "Territories": [oslo, oslo]], "ALREADY_USED", "$.data[0].Territories[1].id"),
                ("remove", ["id": id, "Territories": [oslo]], "INVALID_DATA", "$.data[0].Territories[0].id"),
            ]
            for (action, item, code, path) in cases {
                let answer = await send(action, [item])
                let found = world.first(answer, "data")
                #expect(
                    answer.status == 400 && found["code"]?.string == code && found["details"]?["json_path"]?.string == path,
                    "\(answer.text)")
            }
            #expect(await Self.places(world, "Accounts", account).isEmpty)
            let mixed = await send(
                "assign", [["id": id, "Territories": [oslo]], ["id": id, "Territories": [oslo]], ["id": "12", "Territories": [oslo]]])
            #expect(
                mixed.status == 207
                    && mixed.json?["data"]?.array?.map { $0["code"]?.string } == ["SCHEDULED", "DUPLICATE_DATA", "INVALID_DATA"])
            let two = await send("assign", [["id": .string(deal), "Territories": [oslo, ["id": .string(world["South"])]]]], "Deals")
            #expect(world.first(two, "data")["code"] == "LIMIT_EXCEEDED" && world.first(two, "data")["details"]?["limit"] == 1)
            #expect(await Self.assign(world, "Deals", deal, ["Oslo"]).status == 200)
            #expect(await Self.places(world, "Deals", deal) == ["Oslo"])
            #expect(await send("assign", [["id": id, "Territories": [oslo]]], "Tasks").json?["code"] == "INVALID_MODULE")
            #expect(await Self.assign(world, "Accounts", "12", ["Oslo"]).status == 400)
            let reader = try await server.token("ZohoCRM.modules.READ")
            #expect(
                await server.send("POST", "/crm/v7/Accounts/actions/assign_territories", ["data": []], token: reader).json?["code"]
                    == "OAUTH_SCOPE_MISMATCH")
        }
    }

    /// U35 and U36: criteria place what is written, and by a job what is there; people's own assignments stay.
    @Test(arguments: TestServer.engines)
    func criteriaPlaceRecords(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await TerritoriesTests.World(server)
            let org = try Organisation(server)
            let old = await org.insert("Leads", [["Last_Name": "Old", "City": "Oslo"]], world.token)[0]
            let criteria: JSONValue = ["comparator": "equal", "field": ["api_name": "City"], "value": "oslo"]
            #expect(await world.put("Oslo", ["lead_rule_criteria": criteria]).status == 200)
            let kept = await world.one("Oslo")["lead_rule_criteria"]
            #expect(kept?["field"]?["id"]?.string != nil && kept?["value"] == "oslo")
            #expect(
                await world.put(
                    "South",
                    [
                        "lead_rule_criteria": [
                            "group_operator": "or",
                            "group": [
                                ["comparator": "starts_with", "field": ["api_name": "City"], "value": "Rom"],
                                ["comparator": "ends_with", "field": ["api_name": "City"], "value": "ples"],
                            ],
                        ]
                    ]
                ).status == 200)
            await JobWorker(server.services).drain()
            #expect(await Self.places(world, "Leads", old) == ["Oslo"])
            let ids = await org.insert(
                "Leads", [["Last_Name": "A", "City": "OSLO"], ["Last_Name": "B", "City": "Naples"], ["Last_Name": "C"]], world.token)
            #expect(await Self.places(world, "Leads", ids[0]) == ["Oslo"])
            #expect(await Self.places(world, "Leads", ids[1]) == ["South"])
            #expect(await Self.places(world, "Leads", ids[2]).isEmpty)
            let shown = await org.record("Leads", ids[0], world.token)?["Territories"]?.array?.first
            #expect(shown?["$assigned"] == "automatically" && shown?["$assigned_by"]?.isNull == true)
            let refused = await Self.assign(world, "Leads", ids[0], ["Oslo"], action: "remove")
            #expect(refused.status == 403 && world.first(refused, "data")["code"] == "NOT_ALLOWED")
            // Another city takes the record elsewhere; Bergen, which a person chose, stays.
            #expect(await Self.assign(world, "Leads", ids[0], ["Bergen"]).status == 200)
            _ = await server.send("PUT", "/crm/v7/Leads/\(ids[0])", ["data": [["City": "Rome"]]], token: world.token)
            #expect(Set(await Self.places(world, "Leads", ids[0])) == ["South", "Bergen"])
            _ = await world.put("South", ["lead_rule_criteria": .null])
            await JobWorker(server.services).drain()
            #expect(await Self.places(world, "Leads", ids[0]) == ["Bergen"])
            #expect(await Self.places(world, "Leads", ids[1]).isEmpty)
        }
    }

    /// 124, 131, 133 and COQL: territories narrow lists, alone or with those below, and show in queries.
    @Test(arguments: TestServer.engines)
    func territoriesNarrowLists(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await TerritoriesTests.World(server)
            let org = try Organisation(server)
            let ids = await org.insert("Accounts", ["N", "O", "S", "X"].map { ["Account_Name": .string($0)] }, world.token)
            for (id, name) in zip(ids, ["North", "Oslo", "South"]) { _ = await Self.assign(world, "Accounts", id, [name]) }
            let list = "Accounts?fields=Account_Name&territory_id="
            #expect(await Self.names(world, list + world["North"]) == ["N"])
            #expect(await Self.names(world, list + world["North"] + "&include_child=true") == ["N", "O"])
            #expect(await Self.names(world, list + world.top + "&include_child=true") == ["N", "O", "S"])
            #expect(await server.send("GET", "/crm/v7/" + list + world["Bergen"], token: world.token).status == 204)
            #expect(await server.send("GET", "/crm/v7/" + list + "12", token: world.token).json?["code"] == "INVALID_DATA")
            let tasks = await server.send("GET", "/crm/v7/Tasks?fields=Subject&territory_id=\(world["Oslo"])", token: world.token)
            #expect(tasks.json?["code"] == "INVALID_MODULE")
            let search = "Accounts/search?fields=Account_Name&criteria="
            #expect(await Self.names(world, search + "(Territories:equals:Oslo)") == ["O"])
            #expect(await Self.names(world, search + "(Territories:in:\(world["Oslo"]),South)") == ["O", "S"])
            #expect(await Self.names(world, search + "((Territories:not_equal:Oslo)and(Account_Name:equals:X))") == ["X"])
            let coql = await server.send(
                "POST", "/crm/v7/coql", ["select_query": "select Account_Name, Territories from Accounts where Account_Name = 'O'"],
                token: world.token)
            #expect(
                coql.json?["data"]?.array?.first?["Territories"] == [["name": "Oslo", "id": .string(world["Oslo"])]], "\(coql.text)")
            let condition = await server.send(
                "POST", "/crm/v7/coql", ["select_query": "select Account_Name from Accounts where Territories = 'Oslo'"], token: world.token
            )
            #expect(condition.status == 400 && condition.json?["code"] == "INVALID_QUERY")
        }
    }

    /// 201, 203 and 219: mass actions on a view keep to the territory.
    @Test(arguments: TestServer.engines)
    func massActionsKeepToATerritory(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await TerritoriesTests.World(server)
            let org = try Organisation(server)
            let scopes =
                "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.mass_update.ALL,ZohoCRM.mass_delete.ALL,ZohoCRM.change_owner.CREATE"
            let token = try await server.token(scopes)
            let (rep, _) = try await org.user("rep@x.example", profile: org.standard)
            let ids = await org.insert("Accounts", ["N", "O", "S"].map { ["Account_Name": .string($0)] }, token)
            for (id, name) in zip(ids, ["North", "Oslo", "South"]) { _ = await Self.assign(world, "Accounts", id, [name]) }
            let views =
                await server.send("GET", "/crm/v7/settings/custom_views?module=Accounts", token: token).json?["custom_views"]?.array ?? []
            let view = views.first { $0["system_name"] == "ALLVIEWS" }?["id"] ?? .null
            func act(_ action: String, _ body: JSONValue) async -> TestServer.Answer {
                let answer = await server.send("POST", "/crm/v7/Accounts/actions/\(action)", body, token: token)
                await JobWorker(server.services).drain()
                return answer
            }
            let north: JSONValue = ["id": .string(world["North"]), "include_child": true]
            let updated = await act("mass_update", ["data": [["Industry": "Energy"]], "cvid": view, "territory": north])
            #expect(updated.status == 200, "\(updated.text)")
            func column(_ name: String) async -> [String?] {
                var found: [String?] = []
                for id in ids { found.append((await org.record("Accounts", id, token)?[name]).flatMap { $0.string ?? $0["id"]?.string }) }
                return found
            }
            #expect(await column("Industry") == ["Energy", "Energy", nil])
            let owned = await act(
                "mass_change_owner", ["cvid": view, "territory": ["id": .string(world["South"])], "owner": ["id": .id(rep)]])
            #expect(owned.status == 200, "\(owned.text)")
            let ada = String(server.administrator.id.raw)
            #expect(await column("Owner") == [ada, ada, rep.description])
            #expect(await act("mass_delete", ["ids": [.string(ids[0])], "territory": north]).json?["code"] == "MANDATORY_NOT_FOUND")
            #expect(await act("mass_delete", ["cvid": view, "territory": ["id": "12"]]).json?["code"] == "INVALID_DATA")
            #expect(await act("mass_delete", ["cvid": view, "territory": ["id": .string(world["North"])]]).status == 200)
            #expect(await Self.names(world, "Accounts?fields=Account_Name") == ["O", "S"])
        }
    }

    /// `merge.md` §6: places that people gave come together at the master; undo gives each back its own.
    @Test(arguments: TestServer.engines)
    func aMergeUnitesTerritories(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await TerritoriesTests.World(server)
            let org = try Organisation(server)
            _ = await world.put("South", ["lead_rule_criteria": ["comparator": "equal", "field": ["api_name": "City"], "value": "Rome"]])
            let ids = await org.insert("Leads", [["Last_Name": "A"], ["Last_Name": "B", "City": "Rome"], ["Last_Name": "C"]], world.token)
            for (id, names) in zip(ids, [["Oslo"], ["Oslo", "Bergen"], ["North"]]) { _ = await Self.assign(world, "Leads", id, names) }
            let before = try await RecordDump.take(server.services)
            func body(_ fields: JSONValue) -> JSONValue {
                ["merge": [["data": [["id": .string(ids[1]), "_fields": fields], ["id": .string(ids[2])]]]]]
            }
            let preview = await server.send("POST", "/crm/v7/Leads/\(ids[0])/actions/merge?dry_run=true", body([]), token: world.token)
            #expect(preview.text.contains("\"Territories\":2"), "\(preview.text)")
            let foreseen = preview.first("merge")["details"]?["record"]?["Territories"]?.array ?? []
            #expect(Set(foreseen.map { $0["Name"]?.string }) == ["Oslo", "Bergen", "North"], "\(foreseen)")
            let takes: JSONValue = [["api_name": "City"]]
            let foretold = await server.send("POST", "/crm/v7/Leads/\(ids[0])/actions/merge?dry_run=true", body(takes), token: world.token)
            let merged = await server.send(
                "POST", "/crm/v7/Leads/\(ids[0])/actions/merge", body([["api_name": "City"]]), token: world.token)
            #expect(merged.status == 201, "\(merged.text)")
            // The city came along, and with it the territory whose criteria it meets.
            #expect(Set(await Self.places(world, "Leads", ids[0])) == ["Oslo", "Bergen", "North", "South"])
            let stands = await org.record("Leads", ids[0], world.token)?["Territories"]?.array ?? []
            func plain(_ places: [JSONValue]) -> [JSONValue] {
                places.map {
                    ["Name": $0["Name"] ?? .null, "$assigned": $0["$assigned"] ?? .null, "$assigned_by": $0["$assigned_by"] ?? .null]
                }
            }
            let told = foretold.first("merge")["details"]?["record"]?["Territories"]?.array ?? []
            #expect(plain(told) == plain(stands), "\(told)")
            let journals = await server.send("GET", "/crm/v7/Leads/\(ids[0])/actions/unmerge", token: world.token)
            let entry = journals.json?["unmerge"]?.array?.first?["journal_id"] ?? .null
            let undone = await server.send(
                "POST", "/crm/v7/Leads/\(ids[0])/actions/unmerge", ["journal_id": entry], token: world.token)
            #expect(undone.status == 200, "\(undone.text)")
            #expect(undone.first("unmerge")["details"]?["moved_back"]?["Territories"] == 2, "\(undone.text)")
            #expect(await Self.places(world, "Leads", ids[0]) == ["Oslo"])
            #expect(Set(await Self.places(world, "Leads", ids[1])) == ["Oslo", "Bergen", "South"])
            #expect(await Self.places(world, "Leads", ids[2]) == ["North"])
            #expect(try await RecordDump.take(server.services).differences(from: before).isEmpty)
        }
    }

    /// A dry run tells what criteria will say of the survivor: of a deal, too, whose one territory its criteria take away.
    @Test(arguments: TestServer.engines)
    func aDryRunForetellsWhatCriteriaGive(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await TerritoriesTests.World(server)
            let org = try Organisation(server)
            for (name, city) in [("South", "Rome"), ("North", "Oslo")] {
                _ = await world.put(
                    name, ["account_rule_criteria": ["comparator": "equal", "field": ["api_name": "Billing_City"], "value": .string(city)]])
            }
            let ids = await org.insert(
                "Accounts", [["Account_Name": "A", "Billing_City": "Oslo"], ["Account_Name": "B", "Billing_City": "Rome"]], world.token)
            #expect(await Self.places(world, "Accounts", ids[0]) == ["North"])
            let body: JSONValue = ["merge": [["data": [["id": .string(ids[1]), "_fields": [["api_name": "Billing_City"]]]]]]]
            let path = "/crm/v7/Accounts/\(ids[0])/actions/merge"
            let preview = await server.send("POST", path + "?dry_run=true", body, token: world.token)
            let told = preview.first("merge")["details"]?["record"]?["Territories"]?.array ?? []
            #expect(told.map { $0["Name"] } == ["South"], "\(preview.text)")
            #expect(await Self.places(world, "Accounts", ids[0]) == ["North"], "a dry run writes nothing")
            #expect(await server.send("POST", path, body, token: world.token).status == 201)
            #expect(await Self.places(world, "Accounts", ids[0]) == ["South"])
        }
    }

    /// Deleting and restoring a record keeps its places; what is gone for good leaves nothing behind. A territory's records go on
    /// to its heir.
    @Test(arguments: TestServer.engines)
    func placesOutliveTheRecycleBinAndTheirTerritory(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await TerritoriesTests.World(server)
            let org = try Organisation(server)
            let ids = await org.insert("Accounts", [["Account_Name": "A"], ["Account_Name": "B"], ["Account_Name": "C"]], world.token)
            for (id, names) in zip(ids, [["North"], ["North", "South"], ["North"]]) { _ = await Self.assign(world, "Accounts", id, names) }
            _ = await server.send("DELETE", "/crm/v7/Accounts?ids=\(ids[0]),\(ids[2])", token: world.token)
            let restored = await server.send(
                "POST", "/crm/v7/settings/recycle_bin/actions/restore?ids=\(ids[0])", token: world.token)
            #expect(restored.status == 200, "\(restored.text)")
            #expect(await Self.places(world, "Accounts", ids[0]) == ["North"])
            _ = await server.send("DELETE", "/crm/v7/settings/recycle_bin?ids=\(ids[2])", token: world.token)
            let left = try await server.services.database.run(.read) { tx in
                try tx.first("SELECT count(*) FROM sys_record_territory WHERE record_id = \(.integer(Int64(ids[2]) ?? 0))") {
                    $0.integer(0) ?? 0
                }
            }
            #expect(left == 0)
            let gone = await server.send(
                "POST", "/crm/v7/settings/territories/\(world["North"])/actions/transfer_and_delete",
                ["territories": [["transfer_to_id": .string(world.top), "delete_previous_forecasts": true]]], token: world.token)
            #expect(gone.status == 200, "\(gone.text)")
            #expect(Set(await Self.places(world, "Accounts", ids[1])) == ["Tributary", "South"])
        }
    }

    /// The switch: without territories the calls say so (territories, section notes).
    @Test(arguments: TestServer.engines)
    func turnedOffTerritoriesRefuse(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await TerritoriesTests.World(server)
            _ = try await server.administration.perform(.territories(on: false))
            let answer = await server.send("GET", "/crm/v7/settings/territories", token: world.token)
            #expect(answer.status == 403 && answer.json?["code"] == "TERRITORY_NOT_ENABLED")
            let assign = await server.send("POST", "/crm/v7/Leads/actions/assign_territories", ["data": []], token: world.token)
            #expect(assign.status == 403)
            _ = try await server.administration.perform(.territories(on: true))
            #expect(await server.send("GET", "/crm/v7/settings/territories", token: world.token).status == 200)
        }
    }
}
