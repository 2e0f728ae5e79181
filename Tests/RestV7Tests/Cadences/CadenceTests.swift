import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Follow-ups after delays. Contract: cadences, 64 to 66; `merge.md` §6.
@Suite struct CadenceTests {
    private static let settings = "settings/automation/cadences"

    private struct Bench {
        var caller: RecordCaller
        var server: TestServer { caller.server }

        init(_ server: TestServer) async throws { caller = try await RecordCaller(server) }

        static let body: JSONValue = [
            "name": "Follow up", "module": ["api_name": "Contacts"],
            "follow_ups": [
                [
                    "type": "email", "delay": ["unit": 0, "period": "days"], "subject": "Hello ${Contacts.Last_Name}",
                    "content": "Dear ${!Contacts.Last_Name}, of ${Contacts.Nothing}.",
                ],
                ["type": "task", "delay": ["unit": 1, "period": "days"], "task": ["Subject": "Ring up"]],
                ["type": "call", "delay": ["unit": 2, "period": "hours"], "call": ["Subject": "Talk"]],
            ],
        ]

        func make(_ changes: (inout JSONValue) -> Void = { _ in }) async throws -> String {
            var body = Self.body
            changes(&body)
            let answer = await caller.send("POST", CadenceTests.settings, ["cadences": [body]])
            try #require(answer.status == 201, "\(answer.text)")
            return try #require(answer.json?["cadences"]?.array?.first?["details"]?["id"]?.string)
        }

        func enrol(_ ids: [String], _ cadences: [String], _ verb: String = "enrol_in") async -> TestServer.Answer {
            await caller.send(
                "POST", "Contacts/actions/\(verb)_cadences",
                ["cadences_ids": .array(cadences.map(JSONValue.string)), "ids": .array(ids.map(JSONValue.string))])
        }

        func contact(_ name: String) async throws -> String {
            try await caller.insert("Contacts", [["Last_Name": .string(name), "Email": .string("\(name.lowercased())@acme.example")]])[0]
        }

        /// Puts the clock forward, and does what is due.
        mutating func wait(hours: Int64) async throws {
            server.clock.advance(seconds: hours * 3600 + 1)
            await JobWorker(server.services).drain()
            caller.token = try await server.token(RecordCaller.scopes)
        }

        func tasks(_ contact: String) async -> [String] {
            await caller.send("GET", "Contacts/\(contact)/Tasks?fields=Subject").rows.compactMap { $0["Subject"]?.string }
        }

        func mails() async throws -> [JSONValue] {
            let token = try await server.token("ZohoCRM.settings.jobs.READ")
            return await server.send("GET", "/crm/v7/__mails", token: token).json?["mails"]?.array ?? []
        }

        func enrolled() async throws -> [String] {
            try await server.services.database.run(.read) { tx in
                try tx.rows("SELECT record_id, cadence_id, step FROM sys_cadence_record ORDER BY record_id, cadence_id") {
                    "\($0.integer(0) ?? 0) \($0.integer(1) ?? 0) \($0.integer(2) ?? 0)"
                }
            }
        }
    }

    /// 64; making one is ours (`docs/cadences.md`).
    @Test(arguments: TestServer.engines) func cadencesAreMadeListedAndDeleted(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await Bench(server)
            #expect(await bench.caller.send("GET", Self.settings).status == 204)
            let id = try await bench.make()
            let answer = await bench.caller.send("GET", Self.settings)
            let one = answer.json?["cadences"]?.array?.first ?? .null
            #expect(one["id"] == .string(id) && one["type"] == "Manual enrollment" && one["status"] == "active" && one["active"] == true)
            #expect(one["summary"] == ["task_follow_up_count": 1, "call_follow_up_count": 1, "email_follow_up_count": 1])
            #expect(one["module"]?["api_name"] == "Contacts" && one["published"] == true && one["custom_view"] == .null)
            #expect(one["execution_details"]?["execute_every"] == ["unit": 1, "period": "hours"] && one["follow_ups"] == nil)
            #expect(answer.info == ["per_page": 50, "count": 1, "page": 1, "more_records": false])
            let full = await bench.caller.send("GET", "\(Self.settings)/\(id)").json?["cadences"]?.array?.first ?? .null
            #expect(full["follow_ups"]?.array?.count == 3)
            let bad: [((inout JSONValue) -> Void, String)] = [
                ({ $0["name"] = nil }, "MANDATORY_NOT_FOUND"), ({ $0["module"] = ["api_name": "Tasks"] }, "INVALID_DATA"),
                ({ $0["follow_ups"] = [] }, "INVALID_DATA"), ({ $0["type"] = "Odd" }, "INVALID_DATA"),
                ({ $0["type"] = "Custom view" }, "MANDATORY_NOT_FOUND"), ({ $0["end_date"] = "soon" }, "INVALID_DATA"),
                ({ $0["follow_ups"] = [["type": "fax", "delay": ["unit": 1, "period": "days"]]] }, "INVALID_DATA"),
                (
                    { $0["follow_ups"] = [["type": "task", "delay": ["unit": 1, "period": "years"], "task": ["Subject": "x"]]] },
                    "INVALID_DATA"
                ),
                ({ $0["follow_ups"] = [["type": "task", "delay": ["unit": 1, "period": "days"], "task": [:]]] }, "MANDATORY_NOT_FOUND"),
            ]
            for (index, (change, code)) in bad.enumerated() {
                var body = Bench.body
                body["name"] = "Other"
                change(&body)
                let answer = await bench.caller.send("POST", Self.settings, ["cadences": [body]])
                #expect(answer.json?["cadences"]?.array?.first?["code"]?.string == code, "\(index): \(answer.text)")
            }
            let off = await bench.caller.send("PUT", "\(Self.settings)/\(id)", ["cadences": [["active": false]]])
            #expect(off.status == 200, "\(off.text)")
            #expect(await bench.caller.send("GET", Self.settings).json?["cadences"]?.array?.first?["status"] == "inactive")
            #expect(await bench.caller.send("DELETE", "\(Self.settings)/\(id)").status == 200)
            #expect(await bench.caller.send("GET", Self.settings).status == 204)
            let token = try await server.token("ZohoCRM.modules.ALL")
            #expect(await server.send("GET", "/crm/v7/" + Self.settings, token: token).status == 401)
        }
    }

    /// 65: the steps are done when their time comes, once each.
    @Test(arguments: TestServer.engines) func anEnrolledRecordIsFollowedUp(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await Bench(server)
            let cadence = try await bench.make()
            let lee = try await bench.contact("Lee")
            let done = await bench.enrol([lee], [cadence])
            #expect(
                done.json == [
                    "data": [
                        [
                            "code": "SUCCESS",
                            "details": ["cadences": [["name": "Follow up", "id": .string(cadence)]], "id": .string(lee)],
                            "message": "records manually enrolled", "status": "success",
                        ]
                    ]
                ], "\(done.text)")
            #expect(await bench.enrol([lee], [cadence]).status == 200, "again changes nothing")
            try await bench.wait(hours: 0)
            let mail = try await bench.mails().first ?? .null
            #expect(try await bench.mails().count == 1 && mail["to"] == "lee@acme.example" && mail["subject"] == "Hello Lee")
            let emails = await bench.caller.send("GET", "Contacts/\(lee)/Emails").json?["Emails"]?.array ?? []
            let token = try #require(emails.first?["message_id"]?.string, "\(emails)")
            let whole = await bench.caller.send("GET", "Contacts/\(lee)/Emails/\(token)")
            #expect(whole.json?["Emails"]?.array?.first?["content"] == "Dear Lee, of .", "\(whole.text)")
            #expect(await bench.tasks(lee) == [])
            try await bench.wait(hours: 23)
            #expect(await bench.tasks(lee) == [])
            try await bench.wait(hours: 2)
            #expect(await bench.tasks(lee) == ["Ring up"])
            try await bench.wait(hours: 2)
            let calls = await bench.caller.send("GET", "Contacts/\(lee)/Calls?fields=Subject").rows
            #expect(calls.map { $0["Subject"] } == ["Talk"], "\(calls)")
            try await bench.wait(hours: 100)
            #expect(await bench.tasks(lee) == ["Ring up"])
            #expect(try await bench.mails().count == 1)
        }
    }

    /// 65 and 66, errors and effects.
    @Test(arguments: TestServer.engines) func recordsAreTakenOut(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await Bench(server)
            let cadence = try await bench.make()
            let view = try #require(
                server.services.catalog.current().documents(.customView).first { document in
                    document.parent?.raw == server.services.catalog.current().module("Contacts")?.id.raw
                })
            let viewed = try await bench.make {
                $0["name"] = "By view"
                $0["type"] = "Custom view"
                $0["active"] = false
                $0["custom_view"] = ["id": .id(view.id)]
            }
            let lee = try await bench.contact("Lee")
            let ito = try await bench.contact("Ito")
            for verb in ["enrol_in", "unenrol_from"] {
                #expect(await bench.enrol([lee], ["12"], verb).code == "INVALID_DATA")
                #expect(await bench.enrol([lee], [viewed], verb).code == "NOT_ALLOWED")
                #expect(await bench.enrol([], [cadence], verb).code == "MANDATORY_NOT_FOUND")
                #expect(await bench.enrol([lee], [], verb).code == "MANDATORY_NOT_FOUND")
                let many = await bench.enrol((0...100).map(String.init), [cadence], verb)
                #expect(many.code == "LIMIT_EXCEEDED" && many.json?["details"]?["limit_due_to"]?.array?.first?["api_name"] == "ids")
                #expect(await bench.enrol([lee], Array(repeating: cadence, count: 6), verb).code == "LIMIT_EXCEEDED")
                let none = await bench.enrol(["12"], [cadence], verb)
                #expect(none.status == 400 && none.codes == ["INVALID_DATA"], "\(none.text)")
            }
            let reader = try await server.token("ZohoCRM.modules.READ")
            #expect(await server.send("POST", "/crm/v7/Contacts/actions/enrol_in_cadences", [:], token: reader).status == 401)
            #expect(
                await bench.caller.send("POST", "Accounts/actions/enrol_in_cadences", ["ids": [], "cadences_ids": []]).code
                    == "INVALID_MODULE")
            #expect(try await bench.enrolled() == [])
            #expect(await bench.enrol([lee, "12", ito], [cadence]).codes == ["SUCCESS", "INVALID_DATA", "SUCCESS"])
            let out = await bench.enrol([lee], [cadence], "unenrol_from")
            #expect(out.json?["data"]?.array?.first?["message"] == "records manually unenrolled", "\(out.text)")
            try await bench.wait(hours: 0)
            try await bench.wait(hours: 30)
            #expect(await bench.tasks(lee) == [])
            #expect(await bench.tasks(ito) == ["Ring up"])
            #expect(try await bench.mails().map { $0["to"] } == ["ito@acme.example"])
        }
    }

    /// A step that cannot be done is left out, and the enrolment says why (`docs/cadences.md`).
    @Test(arguments: TestServer.engines) func aRefusedStepIsTold(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await Bench(server)
            let cadence = try await bench.make()
            let path = "\(Self.settings)/\(cadence)/enrolments"
            #expect(await bench.caller.send("GET", path).status == 204)
            let lee = try await bench.contact("Lee")
            let silent = try await bench.caller.insert(
                "Contacts", [["Last_Name": "Ito"], ["Last_Name": "Sen", "Email": "sen@acme.example", "Email_Opt_Out": true]])
            _ = await bench.enrol([lee] + silent, [cadence])
            try await bench.wait(hours: 0)
            let all = await bench.caller.send("GET", path)
            let enrolments = all.json?["enrolments"]?.array ?? []
            #expect(enrolments.compactMap { $0["record"]?["id"]?.string } == [lee] + silent, "\(all.text)")
            #expect(enrolments.allSatisfy { $0["steps_over"] == 1 && $0["due_time"]?.string != nil && $0["enrolled_by"]?["id"] != nil })
            #expect(enrolments.first?["refused_steps"] == [])
            let some = await bench.caller.send("GET", path + "?refused=true")
            let refused = some.json?["enrolments"]?.array ?? []
            #expect(refused.compactMap { $0["record"]?["id"]?.string } == silent, "\(some.text)")
            let steps = refused.compactMap { $0["refused_steps"]?.array?.first }
            #expect(steps.count == 2 && steps.first?["message"] == "the record has no mail address", "\(steps)")
            #expect(steps.allSatisfy { $0["step"] == 1 && $0["code"]?.string != nil && $0["time"]?.string != nil })
            #expect(some.info["count"] == 2 && some.info["more_records"] == false)
            #expect(try await bench.mails().map { $0["to"] } == ["lee@acme.example"])
            try await bench.wait(hours: 25)
            #expect(await bench.tasks(silent[0]) == ["Ring up"], "the next step is done all the same")
            #expect(await bench.caller.send("GET", path + "?refused=maybe").status == 400)
            #expect(await bench.caller.send("GET", "\(Self.settings)/12/enrolments").status == 400)
            let token = try await server.token("ZohoCRM.modules.ALL")
            #expect(await server.send("GET", "/crm/v7/" + path, token: token).status == 401)
        }
    }

    /// `docs/cadences.md`: a step may hold a template.
    @Test(arguments: TestServer.engines) func aMailTakesTheTextOfATemplate(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await Bench(server)
            let template: JSONValue = [
                "name": "Hello", "module": ["api_name": "Contacts"], "subject": "Good day, ${Contacts.Last_Name}",
                "content": "<p>${Contacts.Last_Name}</p>",
            ]
            let writer = try await server.token("ZohoCRM.templates.email.ALL")
            let made = await server.send(
                "POST", "/crm/v7/settings/email_templates", ["email_templates": [template]], token: writer)
            let id = try #require(made.json?["email_templates"]?.array?.first?["details"]?["id"]?.string, "\(made.text)")
            func steps(_ id: String) -> JSONValue {
                [["type": "email", "delay": ["unit": 0, "period": "days"], "template": ["id": .string(id)]]]
            }
            let cadence = try await bench.make { $0["follow_ups"] = steps(id) }
            let lee = try await bench.contact("Lee")
            _ = await bench.enrol([lee], [cadence])
            try await bench.wait(hours: 0)
            #expect(try await bench.mails().map { $0["subject"] } == ["Good day, Lee"])
            // A template that is gone meanwhile.
            let token = try await server.token("ZohoCRM.templates.email.ALL")
            #expect(await server.send("DELETE", "/crm/v7/settings/email_templates/\(id)", token: token).status == 200)
            let ito = try await bench.contact("Ito")
            _ = await bench.enrol([ito], [cadence])
            try await bench.wait(hours: 0)
            let refused = await bench.caller.send("GET", "\(Self.settings)/\(cadence)/enrolments?refused=true")
            #expect(refused.json?["enrolments"]?.array?.compactMap { $0["record"]?["id"]?.string } == [ito], "\(refused.text)")
            #expect(try await bench.mails().count == 1)
            var body = Bench.body
            body["name"] = "Other"
            body["follow_ups"] = steps("12")
            let unknown = await bench.caller.send("POST", Self.settings, ["cadences": [body]])
            #expect(unknown.json?["cadences"]?.array?.first?["code"] == "INVALID_DATA", "\(unknown.text)")
        }
    }

    /// `docs/cadences.md`: in the recycle bin the steps end.
    @Test(arguments: TestServer.engines) func aRecordThatIsBackFromTheRecycleBinBeginsAnew(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await Bench(server)
            let cadence = try await bench.make()
            let lee = try await bench.contact("Lee")
            _ = await bench.enrol([lee], [cadence])
            await bench.caller.send("DELETE", "Contacts/\(lee)")
            try await bench.wait(hours: 0)
            #expect(try await bench.mails().isEmpty)
            let back = await bench.caller.send("POST", "settings/recycle_bin/actions/restore?ids=\(lee)")
            try #require(back.status == 200, "\(back.text)")
            try await bench.wait(hours: 50)
            #expect(try await bench.mails().isEmpty)
            #expect(await bench.enrol([lee], [cadence]).codes == ["SUCCESS"])
            try await bench.wait(hours: 0)
            #expect(try await bench.mails().count == 1)
        }
    }

    @Test(arguments: TestServer.engines) func aRecordThatMeetsTheCriteriaLeaves(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await Bench(server)
            let cadence = try await bench.make {
                $0["unenroll_criteria"] = ["field": ["api_name": "Lead_Source"], "comparator": "equal", "value": "Advertisement"]
            }
            let lee = try await bench.contact("Lee")
            _ = await bench.enrol([lee], [cadence])
            try await bench.wait(hours: 1)
            await bench.caller.send("PUT", "Contacts/\(lee)", ["data": [["Lead_Source": "Advertisement"]]])
            try await bench.wait(hours: 30)
            #expect(await bench.tasks(lee) == [])
            #expect(try await bench.enrolled() == [])
        }
    }

    /// 64: type "Custom view".
    @Test(arguments: TestServer.engines) func theRecordsOfAViewEnrolByThemselves(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await Bench(server)
            let catalog = server.services.catalog.current()
            let contacts = try #require(catalog.module("Contacts"))
            let view = try #require(catalog.documents(.customView).first { $0.parent?.raw == contacts.id.raw })
            let lee = try await bench.contact("Lee")
            _ = try await bench.make {
                $0["type"] = "Custom view"
                $0["custom_view"] = ["id": .id(view.id)]
                $0["follow_ups"] = [["type": "task", "delay": ["unit": 0, "period": "days"], "task": ["Subject": "Ring up"]]]
            }
            try await bench.wait(hours: 0)
            #expect(await bench.tasks(lee) == ["Ring up"])
            let ito = try await bench.contact("Ito")
            try await bench.wait(hours: 2)
            #expect(await bench.tasks(ito) == ["Ring up"])
            #expect(await bench.tasks(lee) == ["Ring up"], "once for each")
        }
    }

    /// `merge.md` §6: children un-enrolled; the master's enrolment untouched.
    @Test(arguments: TestServer.engines) func aMergeLeavesOnlyTheMastersEnrolment(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await Bench(server)
            let cadence = try await bench.make()
            let other = try await bench.make { $0["name"] = "Other" }
            let master = try await bench.contact("Master")
            let child = try await bench.contact("Child")
            _ = await bench.enrol([master], [cadence])
            _ = await bench.enrol([child], [cadence, other])
            try await bench.wait(hours: 1)
            let before = try await bench.enrolled()
            #expect(before.count == 3)
            let merged = await bench.caller.send("POST", "Contacts/\(master)/actions/merge?verbose=true", RecordBench.body([(child, [])]))
            #expect(merged.status == 201, "\(merged.text)")
            #expect(try await bench.enrolled() == before.filter { $0.hasPrefix(master) })
            let journal = merged.json?["merge"]?.array?.first?["details"]?["journal_id"] ?? .null
            #expect(await bench.caller.send("POST", "Contacts/\(master)/actions/unmerge", ["journal_id": journal]).status == 200)
            #expect(try await bench.enrolled() == before)
            try await bench.wait(hours: 30)
            #expect(await bench.tasks(master) == ["Ring up"])
            #expect(await bench.tasks(child) == ["Ring up", "Ring up"], "one of each cadence")
            await bench.caller.send("DELETE", "Contacts/\(child)")
            await bench.caller.send("DELETE", "settings/recycle_bin/\(child)")
            #expect(try await bench.enrolled().allSatisfy { $0.hasPrefix(master) })
        }
    }
}
