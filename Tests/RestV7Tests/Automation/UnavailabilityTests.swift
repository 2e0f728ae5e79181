import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Times in which people are away. Contract: users-unavailability, 75 to 78.
@Suite struct UnavailabilityTests {
    private static let path = "settings/users_unavailability"

    private static func item(_ from: String, _ to: String, user: RecordID? = nil, _ comments: String? = nil) -> JSONValue {
        var item: JSONValue = ["from": .string("2025-02-\(from):00+00:00"), "to": .string("2025-02-\(to):00+00:00")]
        if let user { item["user"] = ["id": .id(user), "name": "whoever"] }
        if let comments { item["comments"] = .string(comments) }
        return item
    }

    private static func body(_ items: JSONValue...) -> JSONValue { ["users_unavailability": .array(items)] }

    /// 75 to 78: said, shown, changed, taken back.
    @Test(arguments: TestServer.engines)
    func timesAwayAreKept(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            #expect(await cast.send("GET", Self.path).status == 204)
            let made = await cast.send(
                "POST", Self.path,
                Self.body(Self.item("18T09:00", "18T17:00", user: cast.clerk.id, "Leave"), Self.item("10T09:00", "11T09:00")))
            let results = made.json?["users_unavailability"]?.array ?? []
            #expect(made.status == 201 && results.count == 2, "\(made.text)")
            #expect(results.first?["message"] == "Unavailability created successfully." && results.first?["code"] == "SUCCESS")
            let id = results.first?["details"]?["id"]?.string ?? ""
            let listed = await cast.send("GET", Self.path + "?include_inner_details=user.zuid")
            let times = listed.json?["users_unavailability"]?.array ?? []
            #expect(times.count == 2 && listed.info == ["per_page": 200, "count": 2, "page": 1, "more_records": false])
            #expect(times.first?["user"]?["name"] == "Ada Admin" && times.first?["comments"]?.isNull == true)
            #expect(times.last?["user"]?["zuid"] != nil && times.last?["comments"] == "Leave" && times.last?["id"] == .string(id))
            let one = await cast.send("GET", Self.path + "/\(id)").first("users_unavailability")
            #expect(one["user"] == ["name": "clerk@sales.example", "id": .id(cast.clerk.id)])
            #expect(one["from"]?.string.flatMap(Instant.init(iso:)) == Instant(iso: "2025-02-18T09:00:00Z"))
            let changed = await cast.send("PUT", Self.path + "/\(id)", Self.body(["to": "2025-02-19T17:00:00+02:00", "comments": .null]))
            #expect(changed.first("users_unavailability")["message"] == "Unavailability updated successfully.", "\(changed.text)")
            let many = await cast.send("PUT", Self.path, Self.body(["id": .string(id), "from": "2025-02-17T09:00:00Z"], ["id": "12"]))
            #expect(many.status == 207 && many.json?["users_unavailability"]?.array?.last?["code"] == "INVALID_DATA", "\(many.text)")
            let after = await cast.send("GET", Self.path + "/\(id)").first("users_unavailability")
            #expect(after["to"]?.string.flatMap(Instant.init(iso:)) == Instant(iso: "2025-02-19T15:00:00Z"))
            #expect(
                after["from"]?.string.flatMap(Instant.init(iso:)) == Instant(iso: "2025-02-17T09:00:00Z")
                    && after["comments"]?.isNull == true)
            let gone = await cast.send("DELETE", Self.path + "/\(id)")
            #expect(gone.status == 200 && gone.first("users_unavailability")["message"] == "Unavailability deleted Successfully")
            #expect(await cast.send("DELETE", Self.path + "/\(id)").first("users_unavailability")["code"] == "INVALID_DATA")
            #expect(await cast.send("GET", Self.path + "/\(id)").status == 204)
        }
    }

    /// 75, section note: others than administrators see and say only what is theirs.
    @Test(arguments: TestServer.engines)
    func othersSeeTheirOwnOnly(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let own = cast.sellers[0]
            let made = await cast.send("POST", Self.path, Self.body(Self.item("18T09:00", "18T17:00", user: cast.clerk.id)))
            let foreign = made.first("users_unavailability")["details"]?["id"]?.string ?? ""
            #expect(await cast.send("POST", Self.path, Self.body(Self.item("10T09:00", "11T09:00")), token: own.token).status == 201)
            let listed = await cast.send("GET", Self.path, token: own.token)
            #expect(listed.info["count"] == 1 && listed.first("users_unavailability")["user"]?["id"] == .id(own.id))
            #expect(await cast.send("GET", Self.path + "/\(foreign)", token: own.token).status == 204)
            let put = await cast.send("PUT", Self.path + "/\(foreign)", Self.body(["comments": "x"]), token: own.token)
            #expect(put.status == 400 && put.first("users_unavailability")["code"] == "INVALID_DATA")
            #expect(await cast.send("DELETE", Self.path + "/\(foreign)", token: own.token).status == 400)
            let said = await cast.send(
                "POST", Self.path, Self.body(Self.item("01T09:00", "02T09:00", user: cast.clerk.id)), token: own.token)
            #expect(said.status == 403 && said.first("users_unavailability")["code"] == "NO_PERMISSION", "\(said.text)")
        }
    }

    /// 75, query: by group, role and territory, and by when it begins and ends.
    @Test(arguments: TestServer.engines)
    func listsAreFiltered(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            _ = await cast.send(
                "POST", Self.path,
                Self.body(
                    Self.item("18T09:00", "18T17:00", user: cast.clerk.id), Self.item("10T09:00", "11T09:00", user: cast.sellers[0].id),
                    Self.item("20T09:00", "21T09:00", user: cast.sellers[1].id)))
            func count(_ query: String) async -> JSONValue { await cast.send("GET", Self.path + "?" + query).info["count"] ?? 0 }
            func test(_ field: String, _ comparator: String, _ value: String) -> String {
                #"{"field":{"api_name":"\#(field)"},"comparator":"\#(comparator)","value":\#(value)}"#
            }
            func filtered(_ text: String) async -> JSONValue { await count("filters=" + PercentCoding.encode(text)) }
            #expect(await count("role_ids=\(cast.sales)") == 2)
            #expect(await count("role_ids=\(cast.sales)&per_page=1&page=2") == 1)
            #expect(await count("group_ids=12") == 0)
            #expect(await filtered(test("from", "greater_than", "\"2025-02-10T09:00:00Z\"")) == 2)
            #expect(await filtered(test("to", "equal", "\"2025-02-18T18:00:00+01:00\"")) == 1)
            #expect(await filtered(test("from", "between", "[\"2025-02-01T00:00:00Z\",\"2025-02-18T09:00:00Z\"]")) == 2)
            let both = [test("from", "less_than", "\"2025-02-11T00:00:00Z\""), test("to", "greater_equal", "\"2025-02-21T09:00:00Z\"")]
            #expect(await filtered(#"{"group_operator":"or","group":[\#(both.joined(separator: ","))]}"#) == 2)
            for bad in [
                "x", "{}", test("user", "equal", "\"a\""), test("from", "contains", "\"2025-02-11T00:00:00Z\""),
                test("from", "equal", "\"soon\""),
            ] {
                #expect(await cast.send("GET", Self.path + "?filters=" + PercentCoding.encode(bad)).code == "INVALID_DATA", "\(bad)")
            }
            #expect(await cast.send("GET", Self.path + "?include_inner_details=user.name").code == "INVALID_DATA")
        }
    }

    /// 76 and 77, errors.
    @Test(arguments: TestServer.engines)
    func badTimesAreRefused(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let path = "$.users_unavailability[0]"
            let cases: [(JSONValue, String, String)] = [
                (["to": "2025-02-18T17:00:00Z"], "MANDATORY_NOT_FOUND", path + ".from"),
                (["from": "2025-02-18T17:00:00Z"], "MANDATORY_NOT_FOUND", path + ".to"),
                (["from": "2025-02-18T17:00:00Z", "to": "2025-02-18T17:00:00Z"], "INVALID_DATA", path + ".to"),
                (["from": "tomorrow", "to": "2025-02-18T17:00:00Z"], "INVALID_DATA", path + ".from"),
                (["from": "2025-02-17T17:00:00Z", "to": "2025-02-18T17:00:00Z", "user": [:]], "MANDATORY_NOT_FOUND", path + ".user.id"),
                (["from": "2025-02-17T17:00:00Z", "to": "2025-02-18T17:00:00Z", "user": ["id": "12"]], "INVALID_DATA", path + ".user.id"),
                (
                    [
                        "from": "2025-02-17T17:00:00Z", "to": "2025-02-18T17:00:00Z",
                        "comments": .string(String(repeating: "x", count: 251)),
                    ],
                    "INVALID_DATA", path + ".comments"
                ),
            ]
            for (item, code, place) in cases {
                let answer = await cast.send("POST", Self.path, Self.body(item))
                let refusal = answer.first("users_unavailability")
                #expect(answer.status == 400 && refusal["code"] == .string(code), "\(answer.text)")
                #expect(refusal["details"]?["json_path"] == .string(place), "\(answer.text)")
            }
            #expect(await cast.send("GET", Self.path).status == 204)
            let without = await cast.send("PUT", Self.path, Self.body(["comments": "x"]))
            #expect(without.first("users_unavailability")["code"] == "MANDATORY_NOT_FOUND")
            let narrow = try await server.token("ZohoCRM.settings.users_unavailability.READ")
            #expect(await cast.send("GET", Self.path, token: narrow).status == 204)
            #expect(await cast.send("POST", Self.path, Self.body(Self.item("10T09:00", "11T09:00")), token: narrow).status == 401)
            #expect(await cast.send("DELETE", Self.path + "/12", token: narrow).status == 401)
        }
    }
}
