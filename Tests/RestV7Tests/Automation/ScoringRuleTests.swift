import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Scoring rules as settings. Contract: scoring-rules, 10 to 14, 16 to 18.
@Suite struct ScoringRuleTests {
    private static let path = AutomationCast.scoring

    static func rule(_ name: String = "Fit", _ more: JSONValue = [:]) -> JSONValue {
        var rule: JSONValue = [
            "name": .string(name), "module": ["api_name": "Leads"],
            "field_rules": [["score": 5, "criteria": AutomationCast.test("Company", "equal", .string(name))]],
        ]
        for member in more.members ?? [] { rule[member.name] = member.value }
        return rule
    }

    private static func make(_ rule: JSONValue, _ cast: AutomationCast) async -> TestServer.Answer {
        await cast.send("POST", path, ["scoring_rules": [rule]])
    }

    /// 10 to 13: made, listed, changed, deleted.
    @Test(arguments: TestServer.engines)
    func rulesAreKept(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            #expect(await cast.send("GET", Self.path).status == 204)
            let made = await Self.make(Self.rule(), cast)
            let id = made.first("scoring_rules")["details"]?["id"]?.string ?? ""
            #expect(made.status == 201 && made.first("scoring_rules")["message"] == "scoring rule created successfully", "\(made.text)")
            let listed = await cast.send("GET", Self.path)
            let rule = listed.first("scoring_rules")
            #expect(listed.info == ["per_page": 200, "count": 1, "page": 1, "more_records": false])
            #expect(
                rule["name"] == "Fit" && rule["description"]?.isNull == true && rule["active"] == true && rule["layout"]?.isNull == true)
            #expect(rule["module"]?["api_name"] == "Leads" && rule["signal_rules"] == [] && rule["created_by"]?["name"] == "Ada Admin")
            let field = rule["field_rules"]?.array?.first
            #expect(field?["score"] == 5 && field?["criteria"]?["field"]?["id"] != nil && field?["criteria"]?["value"] == "Fit")
            let entry = field?["id"]?.string ?? ""
            let single = await cast.send("GET", Self.path + "/\(id)")
            #expect(single.json?["scoring_rules"]?.array?.count == 1 && single.first("scoring_rules")["id"] == .string(id))
            #expect(await cast.send("GET", Self.path + "/12").status == 204)
            for (query, count) in [
                ("module=Leads", 1), ("module=Deals", 0), ("active=true", 1), ("active=false", 0), ("name=fit", 1), ("name=x", 0),
                ("layout_id=12", 0), ("page=2", 0),
            ] {
                let found = await cast.send("GET", Self.path + "?" + query).json?["scoring_rules"]?.array?.count ?? 0
                #expect(found == count, "\(query)")
            }
            #expect(await cast.send("GET", Self.path + "?module=Campaigns").code == "INVALID_MODULE")
            // Entries are changed by id, added without, and deleted; module and state are not looked at.
            let changed = await cast.send(
                "PUT", Self.path,
                [
                    "scoring_rules": [
                        [
                            "id": .string(id), "name": "Better", "active": false, "module": ["api_name": "Deals"],
                            "field_rules": [
                                ["id": .string(entry), "score": -3],
                                ["score": 2, "criteria": AutomationCast.test("City", "equal", "Oslo")],
                            ],
                        ]
                    ]
                ])
            #expect(
                changed.status == 200 && changed.first("scoring_rules")["message"] == "scoring rule updated successfully", "\(changed.text)"
            )
            var after = await cast.send("GET", Self.path + "/\(id)").first("scoring_rules")
            #expect(after["name"] == "Better" && after["active"] == true && after["module"]?["api_name"] == "Leads")
            #expect(
                after["field_rules"]?.array?.map { $0["score"] } == [-3, 2] && after["field_rules"]?.array?.first?["id"] == .string(entry))
            let removed = await cast.send(
                "PUT", Self.path + "/\(id)", ["scoring_rules": [["field_rules": [["id": .string(entry), "_delete": .null]]]]])
            #expect(removed.status == 200, "\(removed.text)")
            after = await cast.send("GET", Self.path + "/\(id)").first("scoring_rules")
            #expect(after["field_rules"]?.array?.map { $0["score"] } == [2])
            let second = await Self.make(Self.rule("Second"), cast).first("scoring_rules")["details"]?["id"]?.string ?? ""
            let gone = await cast.send("DELETE", Self.path + "?ids=\(id),\(second),12")
            #expect(gone.status == 207 && gone.json?["scoring_rules"]?.array?.last?["code"] == "INVALID_DATA", "\(gone.text)")
            #expect(await cast.send("DELETE", Self.path + "/\(id)").first("scoring_rules")["code"] == "INVALID_DATA")
            #expect(await cast.send("GET", Self.path).status == 204)
        }
    }

    /// 11 and 12, errors.
    @Test(arguments: TestServer.engines)
    func badRulesAreRefused(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let leads = try #require(server.services.catalog.current().module("Leads"))
            let layout = server.services.catalog.current().documents(.layout).first { $0.parent?.raw == leads.id.raw }?.id
            let signal: JSONValue = [["score": 3, "signal": ["namespace": "Telephony_Missed__s"]]]
            func fields(_ entries: JSONValue...) -> JSONValue { ["field_rules": .array(entries)] }
            func entry(_ score: JSONValue?, _ criteria: JSONValue?) -> JSONValue {
                var entry: JSONValue = [:]
                entry["score"] = score
                entry["criteria"] = criteria
                return entry
            }
            let acme = AutomationCast.test("Company", "equal", "Acme")
            let path = "$.scoring_rules[0]."
            let cases: [(JSONValue, String, String?)] = [
                (["name": .null], "MANDATORY_NOT_FOUND", path + "name"),
                (["name": .string(String(repeating: "x", count: 26))], "INVALID_DATA", path + "name"),
                (["description": .string(String(repeating: "x", count: 501))], "INVALID_DATA", path + "description"),
                (["module": .null], "MANDATORY_NOT_FOUND", path + "module"),
                (["module": ["api_name": "Campaigns"]], "INVALID_DATA", path + "module"),
                (["layout": ["id": "12"]], "INVALID_DATA", path + "layout.id"),
                (["field_rules": .null], "EXPECTED_FIELD_MISSING", nil),
                (["field_rules": []], "EXPECTED_FIELD_MISSING", nil),
                (fields(entry(11, acme)), "INVALID_DATA", path + "field_rules[0].score"),
                (fields(entry("many", acme)), "INVALID_DATA", path + "field_rules[0].score"),
                (fields(entry(nil, acme)), "MANDATORY_NOT_FOUND", path + "field_rules[0].score"),
                (fields(entry(1, nil)), "MANDATORY_NOT_FOUND", path + "field_rules[0].criteria"),
                (fields(entry(1, acme), entry(2, acme)), "ALREADY_USED", path + "field_rules[1].criteria"),
                (
                    fields(entry(1, AutomationCast.test("Layout", "equal", "x"))), "NOT_SUPPORTED", path + "field_rules[0].criteria.field"
                ),
                (
                    fields(entry(1, AutomationCast.test("Colour", "equal", "x"))), "INVALID_DATA", path + "field_rules[0].criteria.field"
                ),
                (
                    [
                        "layout": ["id": layout.map { .id($0) } ?? .null],
                        "field_rules": [entry(1, AutomationCast.test("Converted__s", "equal", true))],
                    ],
                    "NOT_SUPPORTED", path + "field_rules[0].criteria.field"
                ),
                (["module": ["api_name": "Deals"], "field_rules": .null, "signal_rules": signal], "NOT_SUPPORTED", path + "signal_rules"),
                (
                    ["signal_rules": [["score": 3, "signal": ["namespace": "Smoke__s"]]]], "INVALID_DATA",
                    path + "signal_rules[0].signal.namespace"
                ),
                (["signal_rules": [["score": 3, "signal": ["id": true]]]], "INVALID_DATA", path + "signal_rules[0].signal.id"),
                (
                    ["signal_rules": [["score": 3, "signal": ["namespace": "Telephony_Missed__s", "id": ["x": 1]]]]], "INVALID_DATA",
                    path + "signal_rules[0].signal.id"
                ),
                (
                    ["signal_rules": [["score": 3, "signal": ["namespace": "Telephony_NotPicked__s"]]]], "NOT_SUPPORTED",
                    path + "signal_rules[0].signal"
                ),
            ]
            for (more, code, place) in cases {
                let answer = await Self.make(Self.rule("Fit", more), cast)
                let refusal = answer.first("scoring_rules")
                #expect(answer.status == 400 && refusal["code"] == .string(code), "\(more) \(answer.text)")
                if let place { #expect(refusal["details"]?["json_path"] == .string(place), "\(answer.text)") }
            }
            #expect(await cast.send("GET", Self.path).status == 204)
            let made = await Self.make(Self.rule(), cast)
            let id = made.first("scoring_rules")["details"]?["id"]?.string ?? ""
            #expect(await Self.make(Self.rule(), cast).first("scoring_rules")["code"] == "DUPLICATE_DATA")
            let twin = await Self.make(
                Self.rule("Other", ["field_rules": [entry(1, AutomationCast.test("Company", "equal", "Fit"))]]), cast)
            #expect(twin.first("scoring_rules")["code"] == "DUPLICATE_DATA", "\(twin.text)")
            let unnamed = await cast.send("PUT", Self.path, ["scoring_rules": [["name": "x"]]])
            #expect(unnamed.first("scoring_rules")["code"] == "MANDATORY_NOT_FOUND")
            let unknown = await cast.send("PUT", Self.path + "/\(id)", ["scoring_rules": [fields(["id": "12", "score": 1])]])
            #expect(unknown.first("scoring_rules")["details"]?["json_path"] == .string(path + "field_rules[0].id"), "\(unknown.text)")
            let denied = await cast.send("POST", Self.path, ["scoring_rules": [Self.rule("Mine")]], token: cast.clerk.token)
            #expect(denied.status == 403, "\(denied.text)")
            let narrow = try await server.token("ZohoCRM.settings.scoring_rules.READ")
            #expect(await cast.send("GET", Self.path, token: narrow).status == 200)
            #expect(await cast.send("POST", Self.path, ["scoring_rules": [Self.rule("Mine")]], token: narrow).status == 401)
        }
    }

    /// Section notes: at most 25 active rules in a module, and 50 in all.
    @Test(arguments: TestServer.engines)
    func thereIsAnEndToRules(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let active = (0..<26).map { Self.rule("Rule \($0)") }
            let made = await cast.send("POST", Self.path, ["scoring_rules": .array(active)])
            let codes = (made.json?["scoring_rules"]?.array ?? []).map { $0["code"]?.string ?? "" }
            #expect(codes.dropLast().allSatisfy { $0 == "SUCCESS" } && codes.last == "ACTIVE_STATE_LIMIT_EXCEEDED", "\(made.text)")
            let idle = (0..<26).map { Self.rule("Idle \($0)", ["active": false]) }
            let more = await cast.send("POST", Self.path, ["scoring_rules": .array(idle)])
            let last = more.json?["scoring_rules"]?.array?.last
            #expect(last?["code"] == "LIMIT_EXCEEDED" && more.status == 207, "\(more.text)")
            let sleeping = more.first("scoring_rules")["details"]?["id"]?.string ?? ""
            let woken = await cast.send("PUT", Self.path + "/\(sleeping)/actions/activate")
            #expect(woken.first("scoring_rules")["code"] == "ACTIVE_STATE_LIMIT_EXCEEDED")
            #expect(await cast.send("POST", Self.path + "/\(sleeping)/actions/clone").first("scoring_rules")["code"] == "LIMIT_EXCEEDED")
        }
    }

    /// 16 and 17.
    @Test(arguments: TestServer.engines)
    func rulesAreTurnedOffAndCopied(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let id = await Self.make(Self.rule(), cast).first("scoring_rules")["details"]?["id"]?.string ?? ""
            let off = await cast.send("DELETE", Self.path + "/\(id)/actions/activate")
            #expect(off.status == 200 && off.first("scoring_rules")["message"] == "scoring rule deactivated successfully", "\(off.text)")
            #expect(await cast.send("GET", Self.path + "/\(id)").first("scoring_rules")["active"] == false)
            let copy = await cast.send("POST", Self.path + "/\(id)/actions/clone")
            let copyID = copy.first("scoring_rules")["details"]?["id"]?.string ?? ""
            #expect(copy.status == 200 && copy.first("scoring_rules")["message"] == "scoring rule cloned successfully" && copyID != id)
            let rule = await cast.send("GET", Self.path + "/\(copyID)").first("scoring_rules")
            #expect(rule["active"] == true && rule["name"] == "Fit copy" && rule["field_rules"]?.array?.first?["score"] == 5)
            let on = await cast.send("PUT", Self.path + "/\(id)/actions/activate")
            #expect(on.first("scoring_rules")["message"] == "scoring rule activated successfully")
            for (method, action) in [("PUT", "activate"), ("DELETE", "activate"), ("POST", "clone")] {
                let unknown = await cast.send(method, Self.path + "/12/actions/" + action)
                #expect(unknown.status == 400 && unknown.first("scoring_rules")["code"] == "INVALID_DATA")
                #expect(await cast.send(method, Self.path + "/\(id)/actions/" + action, token: cast.clerk.token).status == 403)
            }
        }
    }

    /// 14: answers and errors.
    @Test(arguments: TestServer.engines)
    func runsAreScheduled(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let path = "Leads/actions/run_scoring_rules"
            #expect(await cast.send("PUT", path, [:]).code == "CANNOT_PERFORM_ACTION")
            let id = await Self.make(Self.rule(), cast).first("scoring_rules")["details"]?["id"]?.string ?? ""
            let other = await Self.make(
                Self.rule(
                    "Deals",
                    [
                        "module": ["api_name": "Deals"],
                        "field_rules": [["score": 1, "criteria": AutomationCast.test("Deal_Name", "equal", "x")]],
                    ]), cast)
            let foreign = other.first("scoring_rules")["details"]?["id"]?.string ?? ""
            let byRule = await cast.send("PUT", path, ["scoring_rules": [.string(id)]])
            let result = byRule.first("scoring_rules")
            #expect(byRule.status == 200 && result["code"] == "SCHEDULED" && result["details"]?["job_id"] != nil, "\(byRule.text)")
            let whole = await cast.send("PUT", path)
            #expect(whole.status == 200 && whole.code == "SCHEDULED" && whole.json?["details"]?["job_id"] != nil, "\(whole.text)")
            let leads = server.services.catalog.current().module("Leads")?.id.raw
            let layout = server.services.catalog.current().documents(.layout).first { $0.parent?.raw == leads }?.id
            #expect(await cast.send("PUT", path, ["layout": ["id": layout.map { .id($0) } ?? .null]]).code == "SCHEDULED")
            let cases: [(String, JSONValue, String)] = [
                (path, ["layout": ["id": "12"]], "INVALID_DATA"), (path, ["scoring_rules": ["12"]], "INVALID_DATA"),
                (path, ["scoring_rules": [.string(foreign)]], "INVALID_DATA"),
                (path, ["scoring_rules": .array(Array(repeating: .string(id), count: 6))], "INVALID_DATA"),
                (path, ["scoring_rules": []], "INVALID_DATA"),
                (path, ["scoring_rules": [.string(id)], "layout": ["id": "12"]], "AMBIGUITY_DURING_PROCESSING"),
                ("Campaigns/actions/run_scoring_rules", [:], "INVALID_DATA"), ("Nothing/actions/run_scoring_rules", [:], "INVALID_DATA"),
            ]
            for (path, body, code) in cases {
                let answer = await cast.send("PUT", path, body)
                #expect(answer.status == 400 && answer.code == code, "\(path) \(body) \(answer.text)")
            }
            #expect(await cast.send("PUT", path, [:], token: cast.clerk.token).status == 403)
        }
    }

    /// 18: the standard signals; what is never raised here says so.
    @Test(arguments: TestServer.engines)
    func signalsAreListed(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let answer = await cast.send("GET", "settings/signals")
            let signals = answer.json?["signals"]?.array ?? []
            #expect(answer.status == 200 && Set(signals.compactMap { $0["id"]?.string }).count == signals.count)
            let incoming = signals.first { $0["namespace"] == "Email_Incoming__s" }
            #expect(incoming?["extension"]?["namespace"] == "Email" && incoming?["enabled"] == false && incoming?["negative_signal"] == nil)
            #expect(incoming?["feature_availability"] == ["scoring": true, "signals": false])
            let missed = signals.first { $0["namespace"] == "Telephony_Missed__s" }
            #expect(missed?["enabled"] == true && missed?["negative_signal"] == true)
            #expect(await cast.send("GET", "settings/signals", token: try await server.token("ZohoCRM.modules.ALL")).status == 401)
        }
    }
}
