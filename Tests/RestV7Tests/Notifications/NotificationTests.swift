import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Contract: notifications, 253 to 258.
@Suite struct NotificationTests {
    private static let path = "actions/watch"

    private static func item(_ members: JSONValue) -> JSONValue {
        var item: JSONValue = ["channel_id": "10000", "events": ["Deals.all"], "notify_url": "https://app.example/cb?a=b"]
        for member in members.members ?? [] { item[member.name] = member.value }
        return ["watch": [item]]
    }

    private static func id(_ module: String, _ bench: WatchBench) -> String {
        bench.server.services.catalog.current().module(module).map { String($0.id.raw) } ?? ""
    }

    /// 254: the answer of the page; 253: what is listed then.
    @Test(arguments: TestServer.engines)
    func aChannelIsMadeAndListed(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            #expect(await bench.send("GET", Self.path).status == 204)
            let expiry = Instant(milliseconds: bench.server.clock.now().milliseconds / 1000 * 1000 + 3 * 86_400_000)
            let answer = await bench.send(
                "POST", Self.path,
                Self.item([
                    "events": ["Deals.create", "Contacts.all", "Deals.edit"], "token": "t",
                    "channel_expiry": .string(expiry.iso(offsetMinutes: 0)),
                    "return_affected_field_values": true, "notify_on_related_action": false,
                ]))
            #expect(answer.status == 201)
            let result = try #require(answer.json?["watch"]?.array?.first)
            #expect(result["code"] == "SUCCESS" && result["status"] == "success")
            #expect(result["message"] == "Successfully subscribed for actions-watch of the given module")
            let events = try #require(result["details"]?["events"]?.array)
            #expect(events.map { $0["resource_name"] } == ["Deals", "Contacts"])
            #expect(events[0]["resource_uri"] == "http://crm.example.test/crm/v7/Deals")
            #expect(events[0]["resource_id"] == .string(Self.id("Deals", bench)))
            #expect(events[0]["channel_id"] == "10000")
            #expect(events[0]["channel_expiry"]?.string.flatMap { Instant(iso: $0) } == expiry)

            let list = await bench.send("GET", Self.path)
            #expect(list.status == 200)
            #expect(list.info == ["per_page": 200, "count": 2, "page": 1, "more_records": false])
            let deals = try #require(list.json?["watch"]?.array?.first { $0["resource_name"] == "Deals" })
            #expect(deals["events"] == ["Deals.create", "Deals.edit"])
            #expect(deals["notify_url"] == "https://app.example/cb?a=b" && deals["token"] == "t" && deals["fields"] == .null)
            #expect(deals["notify_on_related_action"] == false && deals["return_affected_field_values"] == true)
            #expect(
                await bench.send("GET", Self.path + "?module=contacts").json?["watch"]?.array?.map { $0["events"] } == [["Contacts.all"]])
            #expect(await bench.send("GET", Self.path + "?channel_id=9").status == 204)
            let second = await bench.send("GET", Self.path + "?per_page=1&page=2")
            #expect(second.json?["watch"]?.array?.count == 1 && second.info["more_records"] == false)
            #expect(await bench.send("GET", Self.path + "?per_page=1").info["more_records"] == true)
            #expect(await bench.send("GET", Self.path + "?module=Users").status == 204)
            #expect(await bench.send("GET", Self.path + "?module=Notes").code == "INVALID_MODULE")
        }
    }

    /// The notes: absent, or more than a week ahead, is an hour; the related records are told of, the values not.
    @Test(arguments: TestServer.engines)
    func whatIsNotSaidIsAsTheContractSays(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            let far = Instant(milliseconds: bench.server.clock.now().milliseconds + 8 * 86_400_000).iso(offsetMinutes: 330)
            for expiry in [JSONValue.null, .string(far)] {
                let before = bench.server.clock.now().milliseconds
                let answer = await bench.send("POST", Self.path, Self.item(["channel_expiry": expiry]))
                let shown = answer.json?["watch"]?.array?.first?["details"]?["events"]?.array?.first?["channel_expiry"]?.string
                let until = try #require(shown.flatMap { Instant(iso: $0) }).milliseconds
                #expect((before + 3_590_000...before + 3_700_000).contains(until))
            }
            let listed = await bench.send("GET", Self.path).json?["watch"]?.array?.first
            #expect(listed?["notify_on_related_action"] == true && listed?["return_affected_field_values"] == false)
            #expect(listed?["token"] == .null)
            bench.server.clock.advance(seconds: 3_601)
            let later = try await bench.anew()
            #expect(await later.send("GET", Self.path).status == 204)
            #expect(await later.send("DELETE", Self.path + "?channel_ids=10000").json?["watch"]?.array?.first?["code"] == "NOT_SUBSCRIBED")
        }
    }

    /// 254, "Errors".
    @Test(arguments: TestServer.engines)
    func mistakesAreToldItemByItem(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            let past = Instant(milliseconds: bench.server.clock.now().milliseconds - 1000).iso(offsetMinutes: 0)
            let cases: [(JSONValue, code: String, path: String)] = [
                (["channel_id": .null], "MANDATORY_NOT_FOUND", "$.watch[0].channel_id"),
                (["channel_id": "x"], "INVALID_DATA", "$.watch[0].channel_id"),
                (["events": .null], "MANDATORY_NOT_FOUND", "$.watch[0].events"),
                (["events": []], "INVALID_DATA", "$.watch[0].events"),
                (["events": "Deals.all"], "INVALID_DATA", "$.watch[0].events"),
                (["events": ["Deals.all", "Deals.view"]], "INVALID_DATA", "$.watch[0].events[1]"),
                (["events": ["Nothing.all"]], "INVALID_DATA", "$.watch[0].events[0]"),
                (["events": ["Notes.all"]], "INVALID_DATA", "$.watch[0].events[0]"),
                (["events": ["Deals"]], "INVALID_DATA", "$.watch[0].events[0]"),
                (["events": [1]], "INVALID_DATA", "$.watch[0].events[0]"),
                (["notify_url": .null], "MANDATORY_NOT_FOUND", "$.watch[0].notify_url"),
                (["notify_url": "app.example/cb"], "INVALID_DATA", "$.watch[0].notify_url"),
                (["notify_url": "file:///etc/passwd"], "INVALID_DATA", "$.watch[0].notify_url"),
                (["token": .string(String(repeating: "é", count: 51))], "INVALID_DATA", "$.watch[0].token"),
                (["token": 5], "INVALID_DATA", "$.watch[0].token"),
                (["channel_expiry": "tomorrow"], "INVALID_DATA", "$.watch[0].channel_expiry"),
                (["channel_expiry": .string(past)], "INVALID_DATA", "$.watch[0].channel_expiry"),
                (["return_affected_field_values": "yes"], "INVALID_DATA", "$.watch[0].return_affected_field_values"),
                (["notify_on_related_action": 1], "INVALID_DATA", "$.watch[0].notify_on_related_action"),
                (["notification_condition": [:]], "INVALID_DATA", "$.watch[0].notification_condition"),
            ]
            for (members, code, path) in cases {
                let answer = await bench.send("POST", Self.path, Self.item(members))
                let result = answer.json?["watch"]?.array?.first
                #expect(answer.status == 400 && result?["code"]?.string == code, "\(members.text): \(answer.text)")
                #expect(result?["details"]?["json_path"]?.string == path, "\(answer.text)")
            }
            #expect(await bench.send("GET", Self.path).status == 204)
            #expect(await bench.send("POST", Self.path, ["watch": []]).code == "INVALID_DATA")
            #expect(await bench.send("POST", Self.path, [:]).code == "MANDATORY_NOT_FOUND")
            let longest = await bench.send("POST", Self.path, Self.item(["token": .string(String(repeating: "é", count: 50))]))
            #expect(longest.status == 201)
            // Some good and some refused: 202 in this section.
            var both = Self.item([:])
            both["watch"] = .array((both["watch"]?.array ?? []) + [["channel_id": "2"]])
            let mixed = await bench.send("POST", Self.path, both)
            #expect(mixed.status == 202)
            #expect(mixed.json?["watch"]?.array?.map { $0["code"] } == ["SUCCESS", "MANDATORY_NOT_FOUND"])
        }
    }

    /// 254: `notification_condition`.
    @Test(arguments: TestServer.engines)
    func conditionsAreCheckedAndShown(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            let module: JSONValue = ["api_name": "Deals", "id": .string(Self.id("Deals", bench))]
            let stage: JSONValue = ["field": ["api_name": "Stage"]]
            func condition(_ members: JSONValue) -> JSONValue {
                var one: JSONValue = [
                    "type": "field_selection", "module": module, "field_selection": ["group_operator": "or", "group": [stage]],
                ]
                for member in members.members ?? [] { one[member.name] = member.value }
                return Self.item(["notification_condition": [one]])
            }
            let at = "$.watch[0].notification_condition[0]"
            let deep: JSONValue = [
                "group_operator": "and", "group": [["group_operator": "or", "group": [["group_operator": "or", "group": [stage]]]]],
            ]
            let many: JSONValue = ["group_operator": "and", "group": .array(Array(repeating: stage, count: 11))]
            let spread: JSONValue = [
                "group_operator": "and",
                "group": .array(
                    Array(repeating: stage, count: 6) + [["group_operator": "or", "group": .array(Array(repeating: stage, count: 5))]]),
            ]
            let cases: [(JSONValue, code: String, path: String?)] = [
                (["type": .null], "DEPENDENT_FIELD_MISSING", at + ".type"),
                (["type": .null, "field_selection": .null], "MANDATORY_NOT_FOUND", at + ".type"),
                (["type": "other"], "INVALID_DATA", at + ".type"),
                (["module": .null], "MANDATORY_NOT_FOUND", at + ".module"),
                (["module": [:]], "EXPECTED_FIELD_MISSING", nil),
                (["module": ["api_name": "Nothing"]], "INVALID_DATA", at + ".module"),
                (["module": ["api_name": "Leads"]], "INVALID_DATA", at + ".module"),
                (["module": ["api_name": "Deals", "id": .string(Self.id("Leads", bench))]], "AMBIGUITY_DURING_PROCESSING", nil),
                (["field_selection": .null], "MANDATORY_NOT_FOUND", at + ".field_selection"),
                (["field_selection": ["group_operator": "xor", "group": [stage]]], "INVALID_DATA", at + ".field_selection.group_operator"),
                (["field_selection": ["group_operator": "or", "group": []]], "INVALID_DATA", at + ".field_selection.group"),
                (["field_selection": ["group_operator": "or", "group": [1]]], "INVALID_DATA", at + ".field_selection.group[0]"),
                (
                    ["field_selection": ["group_operator": "or", "group": [["field": ["api_name": "Nothing"]]]]], "INVALID_DATA",
                    at + ".field_selection.group[0].field.api_name"
                ),
                (["field_selection": ["group_operator": "or", "group": [["field": [:]]]]], "EXPECTED_FIELD_MISSING", nil),
                (["field_selection": deep], "INVALID_DATA", at + ".field_selection.group[0].group[0]"),
                (["field_selection": many], "INVALID_DATA", at + ".field_selection.group"),
                (["field_selection": spread], "INVALID_DATA", at + ".field_selection.group[6].group[4]"),
            ]
            for (members, code, path) in cases {
                let answer = await bench.send("POST", Self.path, condition(members))
                let result = answer.json?["watch"]?.array?.first
                #expect(answer.status == 400 && result?["code"]?.string == code, "\(members.text): \(answer.text)")
                if let path { #expect(result?["details"]?["json_path"]?.string == path, "\(answer.text)") }
            }
            let good: JSONValue = [
                "group_operator": "or", "group": [stage, ["group_operator": "and", "group": [stage, ["field": ["api_name": "Amount"]]]]],
            ]
            let answer = await bench.send("POST", Self.path, condition(["field_selection": good]))
            #expect(answer.status == 201, "\(answer.text)")
            let shown = await bench.send("GET", Self.path).json?["watch"]?.array?.first?["notification_condition"]?.array?.first
            #expect(shown?["type"] == "field_selection" && shown?["module"] == module)
            let group = shown?["field_selection"]?["group"]?.array
            #expect(shown?["field_selection"]?["group_operator"] == "or" && group?.first?["field"]?["api_name"] == "Stage")
            #expect(group?.last?["group"]?.array?.last?["field"]?["api_name"] == "Amount")
        }
    }

    /// 255, 256 and 258.
    @Test(arguments: TestServer.engines)
    func channelsChangeAsAsked(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            func events() async -> [String: JSONValue] {
                let list = await bench.send("GET", Self.path).json?["watch"]?.array ?? []
                return Dictionary(list.map { ($0["resource_name"]?.string ?? "", $0["events"] ?? .null) }, uniquingKeysWith: { $1 })
            }
            for method in ["PUT", "PATCH"] {
                let unknown = await bench.send(method, Self.path, Self.item([:]))
                #expect(unknown.status == 400)
                #expect(unknown.json?["watch"]?.array?.first?["code"] == "NOT_SUBSCRIBED")
            }
            try await bench.watch(["channel_id": 10000, "events": ["Deals.all", "Contacts.edit"], "token": "t"])
            // Enabled again: the modules named are as asked, the others stay.
            try await bench.watch(["channel_id": "10000", "events": ["Leads.create", "Contacts.all"], "token": "u"])
            #expect(await events() == ["Deals": ["Deals.all"], "Contacts": ["Contacts.all"], "Leads": ["Leads.create"]])

            let patched = await bench.send("PATCH", Self.path, ["watch": [["channel_id": "10000", "return_affected_field_values": true]]])
            #expect(patched.status == 200)
            let result = patched.json?["watch"]?.array?.first
            #expect(result?["message"] == "Successfully updated the subscribe details")
            #expect(result?["details"]?["events"]?.array?.count == 3)
            let line = await bench.send("GET", Self.path).json?["watch"]?.array?.first
            #expect(line?["return_affected_field_values"] == true && line?["token"] == "u")
            #expect(line?["notify_url"] == .string(bench.receiver.url("/hook")))

            let dropped = await bench.send(
                "PATCH", Self.path, ["watch": [["channel_id": "10000", "events": ["Deals.create", "Leads.all"], "_delete_events": true]]])
            #expect(dropped.status == 200)
            #expect(dropped.json?["watch"]?.array?.first?["message"] == "Successfully removed the subscribe details")
            let gone = dropped.json?["watch"]?.array?.first?["details"]?["events"]?.array
            #expect(gone?.map { $0["resource_name"] } == ["Deals", "Leads"] && gone?.first?["channel_expiry"] == nil)
            #expect(await events() == ["Deals": ["Deals.edit", "Deals.delete"], "Contacts": ["Contacts.all"]])
            let none = await bench.send(
                "PATCH", Self.path, ["watch": [["channel_id": "10000", "events": ["Leads.all"], "_delete_events": true]]])
            #expect(none.json?["watch"]?.array?.first?["code"] == "NOT_SUBSCRIBED")
            let bare = await bench.send("PATCH", Self.path, ["watch": [["channel_id": "10000", "_delete_events": true]]])
            #expect(bare.json?["watch"]?.array?.first?["code"] == "MANDATORY_NOT_FOUND")

            let replaced = await bench.send("PUT", Self.path, Self.item(["events": ["Contacts.delete"]]))
            #expect(replaced.status == 200)
            #expect(replaced.json?["watch"]?.array?.first?["message"] == "Successfully subscribed for actions-watch of the given module")
            #expect(await events() == ["Contacts": ["Contacts.delete"]])
            let after = await bench.send("GET", Self.path).json?["watch"]?.array?.first
            #expect(after?["token"] == .null && after?["return_affected_field_values"] == false)
        }
    }

    /// 257: one result for each module of a channel, not in `events`.
    @Test(arguments: TestServer.engines)
    func channelsEnd(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            try await bench.watch(["channel_id": "1", "events": ["Deals.all", "Contacts.all"]])
            try await bench.watch(["channel_id": "2", "events": ["Deals.all"]])
            let answer = await bench.send("DELETE", Self.path + "?channel_ids=1,3,1")
            #expect(answer.status == 202)
            let results = answer.json?["watch"]?.array ?? []
            #expect(results.map { $0["code"] } == ["SUCCESS", "SUCCESS", "NOT_SUBSCRIBED"])
            #expect(results[0]["message"] == "Successfully un-subscribed from actions-watch")
            #expect(results[0]["details"]?["channel_id"] == "1" && results[0]["details"]?["resource_uri"] != nil)
            #expect(results[0]["details"]?["resource_name"] == nil)
            #expect(await bench.send("DELETE", Self.path + "?channel_ids=3").status == 400)
            #expect(await bench.send("DELETE", Self.path).code == "REQUIRED_PARAM_MISSING")
            #expect(await bench.send("DELETE", Self.path + "?channel_ids=x").code == "UNABLE_TO_PARSE_DATA_TYPE")
            #expect(await bench.send("GET", Self.path).json?["watch"]?.array?.map { $0["channel_id"] } == ["2"])
        }
    }

    @Test(arguments: TestServer.engines)
    func channelsAreTheirUsersOwn(_ engine: Database.Engine) async throws {
        try await WatchBench.with(engine) { bench in
            try await bench.watch(["channel_id": "1", "events": ["Deals.all"]])
            var other = try await RecordCaller(bench.server).other()
            let set = try #require(ScopeSet(WatchBench.scopes))
            let administrator = bench.server.administrator.id
            let user = try #require(bench.server.services.catalog.current().users.first { $0.id != administrator })
            other.token = try await bench.server.shell.tokens.issueAccess(clientID: "test", user: user.id, scopes: set, lifeSeconds: 3600)
            #expect(await other.send("GET", Self.path).status == 204)
            #expect(await other.send("DELETE", Self.path + "?channel_ids=1").status == 400)
            #expect(await other.send("POST", Self.path, Self.item(["channel_id": "1"])).status == 201)
            #expect(await bench.send("GET", Self.path).json?["watch"]?.array?.first?["notify_url"] == .string(bench.receiver.url("/hook")))
        }
    }

    @Test(arguments: [
        ("GET", "ZohoCRM.notifications.CREATE"), ("POST", "ZohoCRM.notifications.READ"), ("PUT", "ZohoCRM.notifications.CREATE"),
        ("PATCH", "ZohoCRM.notifications.DELETE"), ("DELETE", "ZohoCRM.notifications.WRITE"),
    ])
    func eachCallAsksForItsScope(_ method: String, _ scope: String) async throws {
        try await TestServer.with(.sqlite) { server in
            let token = try await server.token(scope)
            let answer = await server.send(method, "/crm/v7/actions/watch?channel_ids=1", Self.item([:]), token: token)
            #expect(answer.status == 401 && answer.code == "OAUTH_SCOPE_MISMATCH")
        }
    }
}
