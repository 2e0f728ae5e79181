import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// The tree of territories and who stands in it. Contract: territories, U34 to U37, 1, 2, 4 to 6 and 9; users, 119 to 121.
@Suite struct TerritoriesTests {
    private static let path = "/crm/v7/settings/territories"

    /// A server with the tree World > North > {Oslo, Bergen}, and South.
    struct World {
        let server: TestServer
        let token: String
        let top: String
        var ids: [String: String] = [:]

        init(_ server: TestServer) async throws {
            self.server = server
            token = try await server.token(
                "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.coql.READ,ZohoSearch.securesearch.READ")
            top = server.services.catalog.current().territories.top?.id.description ?? ""
            for (name, parent) in [("North", ""), ("Oslo", "North"), ("Bergen", "North"), ("South", "")] {
                let made = await make([
                    "name": .string(name), "reporting_to": ["id": .string(ids[parent] ?? top)], "permission_type": "read_only",
                ])
                ids[name] = made.json?["territories"]?.array?.first?["details"]?["id"]?.string ?? "refused: \(made.text)"
            }
        }

        subscript(_ name: String) -> String { ids[name] ?? "" }

        func make(_ body: JSONValue) async -> TestServer.Answer {
            await server.send("POST", path, ["territories": [body]], token: token)
        }

        func put(_ name: String, _ body: JSONValue) async -> TestServer.Answer {
            await server.send("PUT", path + "/\(self[name])", ["territories": [body]], token: token)
        }

        func one(_ name: String) async -> JSONValue {
            await server.send("GET", path + "/\(self[name])", token: token).json?["territories"]?.array?.first ?? .null
        }

        func first(_ answer: TestServer.Answer, _ key: String = "territories") -> JSONValue { answer.json?[key]?.array?.first ?? .null }
    }

    /// U34 and U35: territories are made below others, and listed with what is asked for.
    @Test(arguments: TestServer.engines)
    func territoriesGrowIntoATree(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await World(server)
            let listed = await server.send("GET", Self.path, token: world.token)
            let all = listed.json?["territories"]?.array ?? []
            #expect(listed.status == 200 && all.count == 5 && listed.json?["info"]?["per_page"] == 2000, "\(listed.text)")
            #expect(all.first?["reporting_to"]?.isNull == true && all.first?["name"] == "Tributary")
            let oslo = try #require(all.first { $0["name"] == "Oslo" })
            #expect(oslo["reporting_to"] == ["name": "North", "id": .string(world["North"])])
            #expect(oslo["account_rule_criteria"] == nil && oslo["users"] == nil && oslo["api_name"] == "Oslo")
            #expect(oslo["created_by"]?["name"] == "Ada Admin" && oslo["manager"]?.isNull == true && oslo["permission_type"] == "read_only")
            let included = await server.send("GET", Self.path + "?include=lead_rule_criteria&ids=\(world["Oslo"])", token: world.token)
            #expect(included.json?["territories"]?.array?.count == 1 && world.first(included)["lead_rule_criteria"]?.isNull == true)
            #expect(await server.send("GET", Self.path + "?include=x", token: world.token).json?["code"] == "INVALID_DATA")
            let single = await world.one("Oslo")
            #expect(single["name"] == "Oslo" && single["deal_rule_criteria"]?.isNull == true)
            #expect(await server.send("GET", Self.path + "/12", token: world.token).status == 204)
            #expect(await server.send("GET", Self.path + "?per_page=2&page=3", token: world.token).json?["info"]?["count"] == 1)
            #expect(await server.send("GET", Self.path, token: try await server.token("ZohoCRM.modules.ALL")).status == 401)
        }
    }

    /// U34 and 2: filters by name, place, person and time; children of one territory.
    @Test(arguments: TestServer.engines)
    func listsAreFiltered(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await World(server)
            func names(_ filter: String, _ path: String = Self.path) async -> [String] {
                let answer = await server.send("GET", path + "?filters=" + PercentCoding.encode(filter), token: world.token)
                return (answer.json?["territories"]?.array ?? []).compactMap { $0["name"]?.string }
            }
            func test(_ field: String, _ comparator: String, _ value: String) -> String {
                #"{"field":{"api_name":"\#(field)"},"comparator":"\#(comparator)","value":"\#(value)"}"#
            }
            #expect(await names(test("name", "starts_with", "b")) == ["Bergen"])
            #expect(await names(test("name", "contains", "OUT")) == ["South"])
            #expect(await names(test("reporting_to.id", "equal", world["North"])) == ["Oslo", "Bergen"])
            #expect(await names(test("permission_type", "not_equal", "read_only")) == ["Tributary"])
            #expect(await names(test("created_time", "greater_than", "2001-01-01T00:00:00Z")).count == 5)
            #expect(
                await names(
                    #"{"group_operator":"or","group":[\#(test("name", "equal", "oslo")),\#(test("name", "ends_with", "th"))]}"#)
                    == ["North", "Oslo", "South"])
            let children = Self.path + "/\(world["North"])/__child_territories"
            #expect(await names(test("name", "not_equal", "oslo"), children) == ["Bergen"])
            let all = await server.send("GET", children, token: world.token)
            #expect(all.json?["territories"]?.array?.count == 2 && world.first(all)["account_rule_criteria"]?.isNull == true)
            #expect(await server.send("GET", Self.path + "/\(world["Oslo"])/__child_territories", token: world.token).status == 204)
            #expect(await server.send("GET", Self.path + "/12/__child_territories", token: world.token).json?["code"] == "INVALID_DATA")
            for bad in ["x", test("colour", "equal", "x"), test("name", "between", "x"), test("created_time", "equal", "soon")] {
                let answer = await server.send("GET", Self.path + "?filters=" + PercentCoding.encode(bad), token: world.token)
                #expect(answer.status == 400 && answer.json?["code"] == "INVALID_DATA", "\(bad)")
            }
        }
    }

    /// U35 and U36, errors: each refused item says what is wrong with it, and leaves nothing behind.
    @Test(arguments: TestServer.engines)
    func badTerritoriesAreRefused(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await World(server)
            let good: JSONValue = ["name": "West", "reporting_to": ["id": .string(world.top)], "permission_type": "read_only"]
            func changed(_ key: String, _ value: JSONValue?) -> JSONValue {
                var body = good
                body[key] = value
                return body
            }
            let cases: [(JSONValue, String, String?)] = [
                (changed("name", nil), "MANDATORY_NOT_FOUND", "$.territories[0].name"),
                (changed("reporting_to", nil), "MANDATORY_NOT_FOUND", "$.territories[0].reporting_to"),
                (changed("permission_type", nil), "MANDATORY_NOT_FOUND", "$.territories[0].permission_type"),
                (changed("name", "oslo"), "DUPLICATE_DATA", "$.territories[0].name"),
                (changed("name", "a<b"), "INVALID_DATA", "$.territories[0].name"),
                (changed("permission_type", "none"), "INVALID_DATA", "$.territories[0].permission_type"),
                (changed("reporting_to", ["id": "12"]), "INVALID_DATA", "$.territories[0].reporting_to.id"),
                (changed("manager", ["id": "12"]), "INVALID_DATA", "$.territories[0].manager.id"),
                (
                    changed("account_rule_criteria", ["comparator": "equal", "field": ["api_name": "Nope"], "value": "x"]), "INVALID_DATA",
                    "$.territories[0].account_rule_criteria.field"
                ),
                (
                    changed("account_rule_criteria", ["comparator": "like", "field": ["api_name": "Industry"], "value": "x"]),
                    "INVALID_DATA",
                    "$.territories[0].account_rule_criteria.comparator"
                ),
                (
                    changed(
                        "lead_rule_criteria",
                        [
                            "group_operator": "and",
                            "group": .array(
                                (0..<26).map { ["comparator": "equal", "field": ["api_name": "City"], "value": .string("c\($0)")] }),
                        ]), "LIMIT_EXCEEDED", nil
                ),
            ]
            for (body, code, path) in cases {
                let answer = await world.make(body)
                let item = world.first(answer)
                #expect(answer.status == 400 && item["code"]?.string == code, "\(answer.text)")
                if let path { #expect(item["details"]?["json_path"]?.string == path, "\(answer.text)") }
            }
            let twice = await server.send("POST", Self.path, ["territories": [good, good]], token: world.token)
            #expect(twice.status == 207 && twice.json?["territories"]?.array?.last?["code"] == "DUPLICATE_DATA")
            let many = await server.send("POST", Self.path, ["territories": .array(Array(repeating: good, count: 11))], token: world.token)
            #expect(many.status == 400)
            #expect(server.services.catalog.current().territories.all.count == 6)
            // A territory cannot come below itself, and the topmost keeps all but its name.
            #expect(world.first(await world.put("North", ["reporting_to": ["id": .string(world["Oslo"])]]))["code"] == "INVALID_DATA")
            let top = await server.send(
                "PUT", Self.path + "/\(world.top)", ["territories": [["permission_type": "read_only"]]], token: world.token)
            #expect(world.first(top)["code"] == "NOT_ALLOWED")
            #expect(
                await server.send("PUT", Self.path + "/\(world.top)", ["territories": [["name": "World"]]], token: world.token).status
                    == 200)
            #expect(
                world.first(await server.send("PUT", Self.path, ["territories": [["name": "X"]]], token: world.token))["code"]
                    == "MANDATORY_NOT_FOUND")
            let bulk = await server.send(
                "PUT", Self.path, ["territories": [["id": .string(world["Oslo"]), "name": "Oslo Fjord"], ["id": "12", "name": "X"]]],
                token: world.token)
            #expect(bulk.status == 207 && world.first(bulk)["message"] == "Territory Updated Successfully")
            #expect(await world.one("Oslo")["name"] == "Oslo Fjord")
            let org = try Organisation(server)
            let (_, rep) = try await org.user("rep@x.example", profile: org.standard)
            #expect(await server.send("POST", Self.path, ["territories": [good]], token: rep).json?["code"] == "NO_PERMISSION")
            let refused = await server.send("DELETE", Self.path + "/\(world["Oslo"])", token: rep)
            #expect(refused.status == 401 && refused.json?["code"] == "PERMISSION_DENIED")
        }
    }

    /// 5, 6, 9 and 119 to 121: people join territories from either side, and count there.
    @Test(arguments: TestServer.engines)
    func peopleJoinAndLeaveTerritories(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await World(server)
            let org = try Organisation(server)
            let (rep, _) = try await org.user("rep@x.example", profile: org.standard)
            let (other, otherToken) = try await org.user(
                "other@x.example", profile: org.administrator, scopes: "ZohoCRM.users.ALL,ZohoCRM.settings.ALL")
            let users = Self.path + "/\(world["Oslo"])/users"
            #expect(await server.send("GET", users, token: world.token).status == 204)
            func add(_ ids: [RecordID]) async -> TestServer.Answer {
                await server.send("PUT", users, ["users": .array(ids.map { ["id": .id($0)] })], token: world.token)
            }
            let added = await add([rep])
            #expect(
                added.status == 200
                    && world.first(added, "users")
                        == .success("Given User added to the mentioned territory Successfully", details: ["id": .id(rep)]),
                "\(added.text)")
            #expect(world.first(await add([rep]), "users")["code"] == "DUPLICATE_DATA")
            #expect(world.first(await add([RecordID(raw: 12)]), "users")["code"] == "INVALID_DATA")
            #expect(await server.send("PUT", users + "/\(other)", token: world.token).status == 200)
            let shown = await server.send("GET", users, token: world.token)
            #expect(shown.json?["users"]?.array?.map { $0["id"]?.string } == [rep.description, other.description])
            #expect(world.first(shown, "users")["time_zone"] == "Europe/Paris")
            #expect(await server.send("GET", users + "/\(rep)", token: world.token).json?["users"]?.array?.count == 1)
            let nowhere = "\(Self.path)/\(world["South"])/users/\(rep)"
            #expect(await server.send("GET", nowhere, token: world.token).status == 204)

            // The manager is one of the people, once.
            #expect(await world.put("Oslo", ["manager": ["id": .id(other)]]).status == 200)
            let counts = await server.send("GET", Self.path + "/actions/associated_users_count", token: world.token)
            let oslo = counts.json?["associated_users_count"]?.array?.first { $0["territory"]?["name"] == "Oslo" }
            #expect(oslo == ["count": "2", "territory": ["name": "Oslo", "id": .string(world["Oslo"])]], "\(counts.text)")
            #expect(
                world.first(await server.send("DELETE", users + "?ids=\(other)", token: world.token), "users")["code"] == "INVALID_DATA")

            let own = "/crm/v7/users/\(rep)/territories"
            let of = await server.send("GET", own, token: world.token)
            #expect(
                world.first(of) == [
                    "id": .string(world["Oslo"]), "Name": "Oslo", "Manager": ["name": "other@x.example", "id": .id(other)],
                    "Reporting_To": ["name": "North", "id": .string(world["North"])],
                ], "\(of.text)")
            func join(_ ids: [String]) async -> TestServer.Answer {
                await server.send("PUT", own, ["territories": .array(ids.map { ["id": .string($0)] })], token: world.token)
            }
            let joined = await join([world["South"], world["Oslo"], "12"])
            #expect(
                joined.status == 207 && world.first(joined)["message"] == "Territory associated to the user successfully"
                    && joined.json?["territories"]?.array?.map { $0["code"]?.string } == ["SUCCESS", "DUPLICATE_DATA", "INVALID_DATA"])
            #expect(await join(Array(repeating: world["South"], count: 101)).json?["code"] == "LIMIT_EXCEEDED")
            #expect(await server.send("GET", own + "/\(world["South"])", token: world.token).status == 200)
            #expect(await server.send("GET", own + "/12", token: world.token).json?["details"]?["resource_path_index"] == 1)
            let mine = await server.send(
                "PUT", "/crm/v7/users/\(other)/territories", ["territories": [["id": .string(world["South"])]]], token: otherToken)
            #expect(mine.json?["code"] == "NOT_ALLOWED")
            let left = await server.send("DELETE", own + "?ids=\(world["South"]),\(world["North"])", token: world.token)
            #expect(
                left.status == 207 && world.first(left)["message"] == "Territory removed from the user successfully"
                    && left.json?["territories"]?.array?.last?["code"] == "INVALID_DATA")
            #expect(await server.send("DELETE", own + "/\(world["Oslo"])", token: world.token).status == 200)
            #expect(await server.send("GET", own, token: world.token).status == 204)
            #expect(await server.send("GET", "/crm/v7/users/12/territories", token: world.token).json?["code"] == "INVALID_DATA")
        }
    }

    /// What a user sees through territories: one's own and all below, with the better of the rights.
    @Test(arguments: TestServer.engines)
    func peopleReachWhatIsBelowThem(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await World(server)
            let org = try Organisation(server)
            let (rep, _) = try await org.user("rep@x.example", profile: org.standard)
            _ = await server.send("PUT", Self.path + "/\(world["North"])/users/\(rep)", token: world.token)
            _ = await world.put("Oslo", ["manager": ["id": .id(rep)]])
            let reach = server.services.catalog.current().territories.reach(of: UserID(raw: rep.raw))
            let named = Dictionary(reach.map { (id, right) in (world.ids.first { $0.value == id.description }?.key ?? "", right) }) {
                a, _ in a
            }
            #expect(named == ["North": .readOnly, "Bergen": .readOnly, "Oslo": .full])
        }
    }

    /// U37 and 1: leaves go, others only with an heir above them for their children.
    @Test(arguments: TestServer.engines)
    func territoriesGoWithoutLeavingOrphans(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await World(server)
            func delete(_ name: String) async -> JSONValue {
                world.first(
                    await server.send("DELETE", Self.path + "/\(world[name])?delete_previous_forecasts=false", token: world.token))
            }
            #expect(await delete("North")["code"] == "NOT_ALLOWED")
            let top = await server.send("DELETE", Self.path + "?ids=\(world.top),12", token: world.token)
            #expect(top.json?["territories"]?.array?.map { $0["code"]?.string } == ["NOT_ALLOWED", "INVALID_DATA"])
            #expect(
                await delete("South")
                    == .success("Given Territory Removed Successfully", details: ["id": .string(world["South"])]))
            func transfer(_ id: String, _ heir: String, method: String = "POST") async -> JSONValue {
                world.first(
                    await server.send(
                        method, Self.path + "/actions/transfer_and_delete",
                        ["territories": [["id": .string(id), "transfer_to_id": .string(heir), "delete_previous_forecasts": false]]],
                        token: world.token))
            }
            for (id, heir) in [
                (world["North"], world["Oslo"]), (world["North"], world["North"]), (world["North"], "12"), (world.top, world["North"]),
                (world["Bergen"], world["Oslo"]),
            ] { #expect(await transfer(id, heir)["code"] == "INVALID_DATA", "\(id) \(heir)") }
            let gone = await transfer(world["North"], world.top, method: "DELETE")
            #expect(gone["code"] == "SUCCESS", "\(gone)")
            #expect(await world.one("Oslo")["reporting_to"]?["id"]?.string == world.top)
            let single = await server.send(
                "POST", Self.path + "/\(world["Oslo"])/actions/transfer_and_delete",
                ["territories": [["transfer_to_id": .string(world.top), "delete_previous_forecasts": true]]], token: world.token)
            #expect(single.status == 200, "\(single.text)")
            #expect(server.services.catalog.current().territories.all.map(\.name) == ["Tributary", "Bergen"])
        }
    }

    /// User groups, 40 to 47: a territory is a source of people, with those below or without.
    @Test(arguments: TestServer.engines)
    func groupsTakeInThePeopleOfTerritories(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let world = try await World(server)
            let org = try Organisation(server)
            let (rep, _) = try await org.user("rep@x.example", profile: org.standard)
            _ = await server.send("PUT", Self.path + "/\(world["Oslo"])/users/\(rep)", token: world.token)
            for (name, below) in [("Deep", true), ("Flat", false)] {
                let made = await server.send(
                    "POST", "/crm/v7/settings/user_groups",
                    [
                        "user_groups": [
                            [
                                "name": .string(name),
                                "sources": [
                                    ["type": "territories", "source": ["id": .string(world["North"])], "sub_territories": .bool(below)]
                                ],
                            ]
                        ]
                    ], token: world.token)
                #expect(made.status == 201, "\(made.text)")
            }
            let groups = await server.send("GET", "/crm/v7/users/\(rep)/actions/associated_groups", token: world.token)
            #expect(groups.json?["user_groups"]?.array?.map { $0["name"]?.string } == ["Deep"])
        }
    }
}
