import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What rules give records. Contract: scoring-rules, 14 and 15; merge, §6.
@Suite struct EntityScoreTests {
    private static let fields =
        "?fields=Positive_Score,Negative_Score,Score,Touch_Point_Score,Touch_Point_Positive_Score,Touch_Point_Negative_Score,Scoring_Rule"

    /// Leads get 5 for Acme, -2 without a telephone, and -1 for each call they missed.
    private static func rule(_ module: String = "Leads", _ more: JSONValue = [:]) -> JSONValue {
        var rule: JSONValue = [
            "name": "Fit", "module": ["api_name": .string(module)],
            "field_rules": [
                ["score": 5, "criteria": AutomationCast.test(module == "Leads" ? "Company" : "Last_Name", "equal", "Acme")],
                ["score": -2, "criteria": AutomationCast.test("Phone", "equal", "${EMPTY}")],
            ],
            "signal_rules": [["score": -1, "signal": ["namespace": "Telephony_Missed__s"]]],
        ]
        for member in more.members ?? [] { rule[member.name] = member.value }
        return rule
    }

    private static func make(_ rule: JSONValue, _ cast: AutomationCast) async throws -> String {
        let made = await cast.send("POST", AutomationCast.scoring, ["scoring_rules": [rule]])
        try #require(made.status == 201, "\(made.text)")
        return made.first("scoring_rules")["details"]?["id"]?.string ?? ""
    }

    private static func scores(_ module: String, _ id: String, _ cast: AutomationCast) async -> [JSONValue] {
        await cast.send("GET", "\(module)/\(id)/Entity_Scores__s" + fields).rows
    }

    /// 15: a record is scored when it is written, and again when what counts changes.
    @Test(arguments: TestServer.engines)
    func scoresFollowTheRecord(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let rule = try await Self.make(Self.rule(), cast)
            let lead = try await server.add("Leads", ["Last_Name": "A", "Company": "Acme"], token: cast.token)
            let answer = await cast.send("GET", "Leads/\(lead)/Entity_Scores__s" + Self.fields)
            let score = answer.rows.first
            #expect(answer.status == 200 && answer.rows.count == 1, "\(answer.text)")
            #expect(score?["Positive_Score"] == 5 && score?["Negative_Score"] == -2 && score?["Score"] == 3)
            #expect(score?["Touch_Point_Score"]?.isNull == true && score?["Scoring_Rule"] == ["name": "Fit", "id": .string(rule)])
            #expect(
                answer.info == [
                    "per_page": 200, "next_page_token": .null, "count": 1, "page": 1, "previous_page_token": .null,
                    "page_token_expiry": .null,
                    "more_records": false,
                ])
            _ = await cast.send("PUT", "Leads/\(lead)", ["data": [["Phone": "1"]]])
            let after = await Self.scores("Leads", lead, cast).first
            #expect(after?["Score"] == 5 && after?["Negative_Score"]?.isNull == true && after?["id"] == score?["id"])
            _ = await cast.send("PUT", "Leads/\(lead)", ["data": [["Company": "Other"]]])
            #expect(await cast.send("GET", "Leads/\(lead)/Entity_Scores__s" + Self.fields).status == 204)
            // A field that no rule names changes nothing; names that scores do not have are dropped.
            _ = await cast.send("PUT", "Leads/\(lead)", ["data": [["Company": "Acme", "City": "Oslo"]]])
            let some = await cast.send("GET", "Leads/\(lead)/Entity_Scores__s?fields=Score,Colour").rows.first
            #expect(some?.members?.map(\.name) == ["id", "Score"])
            for (path, code) in [
                ("Leads/\(lead)/Entity_Scores__s", "REQUIRED_PARAM_MISSING"), ("Leads/12/Entity_Scores__s" + Self.fields, "INVALID_DATA"),
                ("Campaigns/\(lead)/Entity_Scores__s" + Self.fields, "INVALID_MODULE"),
            ] {
                let refused = await cast.send("GET", path)
                #expect(refused.status == 400 && refused.code == code, "\(refused.text)")
            }
            let narrow = try await server.token("ZohoCRM.modules.leads.READ")
            #expect(await cast.send("GET", "Leads/\(lead)/Entity_Scores__s" + Self.fields, token: narrow).status == 401)
        }
    }

    /// 15: the SDK's paths show all scores that the caller sees, and one by itself.
    @Test(arguments: TestServer.engines)
    func allScoresAreListed(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            _ = try await Self.make(Self.rule(), cast)
            let leads = try await (0..<3).asyncMap { index in
                try await server.add("Leads", ["Last_Name": "A", "Company": index == 1 ? "Acme" : "Other"], token: cast.token)
            }
            let path = "Entity_Scores__s?fields=Score,Entity"
            let all = await cast.send("GET", path)
            #expect(all.rows.map { $0["Entity"]?["id"] } == leads.map { .string($0) }, "\(all.text)")
            #expect(all.rows.first?["Entity"]?["module"]?["api_name"] == "Leads")
            #expect(await cast.send("GET", path + "&sort_by=Score&sort_order=desc").rows.map { $0["Score"] } == [3, -2, -2])
            let first = await cast.send("GET", path + "&per_page=2")
            #expect(first.rows.count == 2 && first.info["more_records"] == true)
            let next = await cast.send("GET", path + "&page_token=" + (first.info["next_page_token"]?.string ?? ""))
            #expect(next.rows.map { $0["Entity"]?["id"] } == [.string(leads[2])] && next.info["page"] == 2, "\(next.text)")
            let id = all.rows.first?["id"]?.string ?? ""
            #expect(await cast.send("GET", "Entity_Scores__s/\(id)?fields=Score").rows.map { $0["Score"] } == [-2])
            #expect(await cast.send("GET", "Entity_Scores__s/\(leads[1])?fields=Score").rows.map { $0["Score"] } == [3])
            #expect(await cast.send("GET", path + "&ids=\(leads[0]),\(leads[1])").rows.count == 2)
            #expect(await cast.send("GET", "Entity_Scores__s/12?fields=Score").code == "INVALID_DATA")
            #expect(await cast.send("GET", path + "&sort_by=Colour").code == "INVALID_DATA")
            #expect(await cast.send("GET", path + "&page=20&per_page=200").code == "DISCRETE_PAGINATION_LIMIT_EXCEEDED")
            try await RightsCast.close(["Leads"], server, cast.token)
            #expect(await cast.send("GET", path, token: cast.sellers[0].token).status == 204)
            #expect(
                await cast.send("GET", "Leads/\(leads[0])/Entity_Scores__s?fields=Score", token: cast.sellers[0].token).code
                    == "INVALID_DATA")
        }
    }

    /// 14: what was there before a rule is scored by a job; what has been still for six months is not. Rules that go, or are turned off,
    /// take their scores along.
    @Test(arguments: TestServer.engines)
    func aRunScoresWhatIsThere(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let old = try await server.add("Leads", ["Last_Name": "Old", "Company": "Acme"], token: cast.token)
            server.clock.advance(seconds: 200 * 86_400)
            let token = try await server.token(AutomationCast.scopes)
            let new = try await server.add("Leads", ["Last_Name": "New", "Company": "Acme"], token: token)
            func send(_ method: String, _ path: String, _ body: JSONValue? = nil) async -> TestServer.Answer {
                await cast.send(method, path, body, token: token)
            }
            let made = await send("POST", AutomationCast.scoring, ["scoring_rules": [Self.rule()]])
            let rule = made.first("scoring_rules")["details"]?["id"]?.string ?? ""
            let path = "Entity_Scores__s?fields=Score,Entity"
            await server.drain()
            #expect(await send("GET", path).rows.map { $0["Entity"]?["id"] } == [.string(new)], "\(made.text)")
            _ = await send("PUT", "Leads/\(old)", ["data": [["City": "Oslo"]]])
            #expect(await send("PUT", "Leads/actions/run_scoring_rules", ["scoring_rules": [.string(rule)]]).status == 200)
            await server.drain()
            #expect(await send("GET", path).rows.count == 2)
            _ = await send("DELETE", AutomationCast.scoring + "/\(rule)/actions/activate")
            #expect(await send("GET", path).status == 204)
            await server.drain()
            _ = await send("PUT", AutomationCast.scoring + "/\(rule)/actions/activate")
            #expect(await send("GET", path).status == 204)
            await server.drain()
            #expect(await send("GET", path).rows.map { $0["Score"] } == [3, 3])
            let entry =
                await send("GET", AutomationCast.scoring + "/\(rule)").first("scoring_rules")["field_rules"]?.array?.first?["id"] ?? .null
            _ = await send("PUT", AutomationCast.scoring + "/\(rule)", ["scoring_rules": [["field_rules": [["id": entry, "score": 9]]]]])
            await server.drain()
            #expect(await send("GET", path).rows.map { $0["Score"] } == [7, 7])
            _ = await send("DELETE", AutomationCast.scoring + "/\(rule)")
            #expect(await send("GET", path).status == 204)
            await server.drain()
            let left = try await server.services.scoreRows()
            #expect(left == 0)
        }
    }

    /// A rule of one layout is about the records of that layout only.
    @Test(arguments: TestServer.engines)
    func layoutsLimitRules(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let catalog = server.services.catalog.current()
            let module = try #require(catalog.module("Leads"))
            let standard = try #require(catalog.documents(.layout).first { $0.parent?.raw == module.id.raw })
            let other = try await server.services.changeMetadata { scope in
                var body = standard.body
                body["name"] = "Second"
                return try scope.add(.layout, "Second", body, parent: RecordID(raw: module.id.raw))
            }
            _ = try await Self.make(Self.rule("Leads", ["layout": ["id": .id(other)]]), cast)
            let first = try await server.add("Leads", ["Last_Name": "A", "Company": "Acme"], token: cast.token)
            #expect(await Self.scores("Leads", first, cast).isEmpty)
            let moved = await cast.send("PUT", "Leads/\(first)", ["data": [["Layout": ["id": .id(other)]]]])
            #expect(moved.status == 200, "\(moved.text)")
            #expect(await Self.scores("Leads", first, cast).map { $0["Score"] } == [3])
        }
    }

    /// Signals: each missed call that names somebody counts, once for each person it names.
    @Test(arguments: TestServer.engines)
    func missedCallsCount(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            _ = try await Self.make(Self.rule(), cast)
            let lead = try await server.add("Leads", ["Last_Name": "A", "Company": "Acme", "Phone": "1"], token: cast.token)
            func call(_ type: String) async throws -> String {
                try await server.add(
                    "Calls",
                    [
                        "Subject": "C", "Call_Type": .string(type), "Call_Start_Time": "2025-01-01T10:00:00Z", "Call_Duration": "00:01",
                        "What_Id": ["id": .string(lead)], "$se_module": "Leads",
                    ], token: cast.token)
            }
            _ = try await call("Inbound")
            #expect(await Self.scores("Leads", lead, cast).first?["Touch_Point_Score"]?.isNull == true)
            let missed = try await call("Missed")
            _ = try await call("Missed")
            let score = await Self.scores("Leads", lead, cast).first
            #expect(score?["Touch_Point_Negative_Score"] == -2 && score?["Touch_Point_Score"] == -2 && score?["Score"] == 3)
            #expect(score?["Touch_Point_Positive_Score"]?.isNull == true && score?["Positive_Score"] == 5)
            // records, 134: the timeline tells which entries are signals, when asked.
            let plain = await cast.send("GET", "Leads/\(lead)/__timeline").json?["__timeline"]?.array ?? []
            #expect(plain.count == 4 && plain.allSatisfy { $0["type"] == nil && $0["extension"] == nil })
            let told = await cast.send("GET", "Leads/\(lead)/__timeline?include=type,extension&include_timeline_type=signals")
            let entries = told.json?["__timeline"]?.array ?? []
            #expect(entries.map { $0["type"] } == ["signals", "signals", "record", "record"], "\(told.text)")
            #expect(entries.map { $0["extension"] } == ["Telephony", "Telephony", .null, .null])
            #expect(await cast.send("GET", "Leads/\(lead)/__timeline?include_timeline_type=signals").code == "REQUIRED_PARAM_MISSING")
            #expect(await cast.send("GET", "Leads/\(lead)/__timeline?include=colour").code == "INVALID_DATA")
            _ = await cast.send("PUT", "Calls/\(missed)", ["data": [["Call_Type": "Inbound"]]])
            #expect(await Self.scores("Leads", lead, cast).first?["Score"] == 4)
        }
    }

    /// merge, §6: the survivor is scored as what it has become, and so are all again after an undo.
    @Test(arguments: TestServer.engines)
    func aMergeScoresTheSurvivorAnew(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            _ = try await Self.make(Self.rule("Contacts"), cast)
            let master = try await server.add("Contacts", ["Last_Name": "A", "Phone": "1"], token: cast.token)
            let child = try await server.add("Contacts", ["Last_Name": "Acme", "Phone": "2"], token: cast.token)
            _ = try await server.add(
                "Calls",
                [
                    "Subject": "C", "Call_Type": "Missed", "Call_Start_Time": "2025-01-01T10:00:00Z", "Call_Duration": "00:01",
                    "Who_Id": ["id": .string(child)],
                ], token: cast.token)
            #expect(await Self.scores("Contacts", master, cast).isEmpty)
            #expect(await Self.scores("Contacts", child, cast).map { $0["Score"] } == [4])
            let merged = await cast.send(
                "POST", "Contacts/\(master)/actions/merge?verbose=true",
                ["merge": [["data": [["id": .string(child), "_fields": [["api_name": "Last_Name"]]]]]]])
            #expect(merged.status == 201, "\(merged.text)")
            let journal = merged.first("merge")["details"]?["journal_id"] ?? .null
            #expect(await Self.scores("Contacts", master, cast).map { $0["Score"] } == [4])
            #expect(try await server.services.scoreRows() == 1)
            let undone = await cast.send("POST", "Contacts/\(master)/actions/unmerge", ["journal_id": journal])
            #expect(undone.status == 200, "\(undone.text)")
            #expect(await Self.scores("Contacts", master, cast).isEmpty)
            #expect(await Self.scores("Contacts", child, cast).map { $0["Score"] } == [4])
        }
    }

    /// A record in the bin shows no scores, gets them back with its life, and loses them for good.
    @Test(arguments: TestServer.engines)
    func scoresGoWithTheRecord(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            _ = try await Self.make(Self.rule(), cast)
            let lead = try await server.add("Leads", ["Last_Name": "A", "Company": "Acme"], token: cast.token)
            _ = await cast.send("DELETE", "Leads/\(lead)")
            #expect(await cast.send("GET", "Leads/\(lead)/Entity_Scores__s" + Self.fields).code == "INVALID_DATA")
            #expect(await cast.send("GET", "Entity_Scores__s?fields=Score").status == 204)
            #expect(await cast.send("POST", "settings/recycle_bin/actions/restore?ids=\(lead)").status == 200)
            #expect(await Self.scores("Leads", lead, cast).map { $0["Score"] } == [3])
            _ = await cast.send("DELETE", "Leads/\(lead)")
            #expect(await cast.send("DELETE", "settings/recycle_bin/\(lead)").status == 200)
            #expect(try await server.services.scoreRows() == 0)
        }
    }
}

extension Services {
    /// How many scores are kept, whoever may see them.
    fileprivate func scoreRows() async throws -> Int64 {
        try await database.run(.read) { tx in try tx.first("SELECT count(*) FROM sys_score") { $0.integer(0) ?? 0 } ?? 0 }
    }
}

extension Range<Int> {
    fileprivate func asyncMap<T>(_ body: (Int) async throws -> T) async rethrows -> [T] {
        var made: [T] = []
        for element in self { made.append(try await body(element)) }
        return made
    }
}
