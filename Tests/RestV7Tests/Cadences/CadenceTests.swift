import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Follow-ups after delays. Contract: cadences, 64 to 66; `merge.md` §6.
@Suite struct CadenceTests {
    /// 64; making one is ours (`docs/cadences.md`).
    @Test(arguments: TestServer.engines) func cadencesAreMadeListedAndDeleted(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await CadenceBench(server)
            #expect(await bench.caller.send("GET", CadenceBench.settings).status == 204)
            let id = try await bench.make()
            let answer = await bench.caller.send("GET", CadenceBench.settings)
            let one = answer.json?["cadences"]?.array?.first ?? .null
            #expect(one["id"] == .string(id) && one["type"] == "Manual enrollment" && one["status"] == "active" && one["active"] == true)
            #expect(one["summary"] == ["task_follow_up_count": 1, "call_follow_up_count": 1, "email_follow_up_count": 1])
            #expect(one["module"]?["api_name"] == "Contacts" && one["published"] == true && one["custom_view"] == .null)
            #expect(one["execution_details"]?["execute_every"] == ["unit": 1, "period": "hours"] && one["follow_ups"] == nil)
            #expect(answer.info == ["per_page": 50, "count": 1, "page": 1, "more_records": false])
            let full = await bench.caller.send("GET", "\(CadenceBench.settings)/\(id)").json?["cadences"]?.array?.first ?? .null
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
                var body = CadenceBench.body
                body["name"] = "Other"
                change(&body)
                let answer = await bench.caller.send("POST", CadenceBench.settings, ["cadences": [body]])
                #expect(answer.json?["cadences"]?.array?.first?["code"]?.string == code, "\(index): \(answer.text)")
            }
            let off = await bench.caller.send("PUT", "\(CadenceBench.settings)/\(id)", ["cadences": [["active": false]]])
            #expect(off.status == 200, "\(off.text)")
            #expect(await bench.caller.send("GET", CadenceBench.settings).json?["cadences"]?.array?.first?["status"] == "inactive")
            #expect(await bench.caller.send("DELETE", "\(CadenceBench.settings)/\(id)").status == 200)
            #expect(await bench.caller.send("GET", CadenceBench.settings).status == 204)
            let token = try await server.token("ZohoCRM.modules.ALL")
            #expect(await server.send("GET", "/crm/v7/" + CadenceBench.settings, token: token).status == 401)
        }
    }

    /// 65: the steps are done when their time comes, once each.
    @Test(arguments: TestServer.engines) func anEnrolledRecordIsFollowedUp(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await CadenceBench(server)
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
            #expect(whole.json?["Emails"]?.array?.first?["content"] == "Dear Lee, of ${Contacts.Nothing}.", "\(whole.text)")
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
            var bench = try await CadenceBench(server)
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

    @Test(arguments: TestServer.engines) func aRecordThatMeetsTheCriteriaLeaves(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await CadenceBench(server)
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
            var bench = try await CadenceBench(server)
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
            var bench = try await CadenceBench(server)
            let cadence = try await bench.make()
            let other = try await bench.make { $0["name"] = "Other" }
            let master = try await bench.contact("Master")
            let child = try await bench.contact("Child")
            _ = await bench.enrol([master], [cadence])
            _ = await bench.enrol([child], [cadence, other])
            try await bench.wait(hours: 1)
            let before = try await bench.enrolled()
            #expect(before.count == 3)
            let merged = await bench.caller.send(
                "POST", "Contacts/\(master)/actions/merge?verbose=true", RecordBench.body([(child, [])]))
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
