import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What steps do: refused ones, texts of templates, records in the recycle bin (`docs/cadences.md`).
@Suite struct CadenceStepTests {
    /// A step that cannot be done is left out, and the enrolment says why (`docs/cadences.md`).
    @Test(arguments: TestServer.engines) func aRefusedStepIsTold(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await CadenceBench(server)
            let cadence = try await bench.make()
            let path = "\(CadenceBench.settings)/\(cadence)/enrolments"
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
            #expect(await bench.caller.send("GET", "\(CadenceBench.settings)/12/enrolments").status == 400)
            let token = try await server.token("ZohoCRM.modules.ALL")
            #expect(await server.send("GET", "/crm/v7/" + path, token: token).status == 401)
        }
    }

    /// `docs/cadences.md`: a step may hold a template.
    @Test(arguments: TestServer.engines) func aMailTakesTheTextOfATemplate(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await CadenceBench(server)
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
            let refused = await bench.caller.send("GET", "\(CadenceBench.settings)/\(cadence)/enrolments?refused=true")
            #expect(refused.json?["enrolments"]?.array?.compactMap { $0["record"]?["id"]?.string } == [ito], "\(refused.text)")
            #expect(try await bench.mails().count == 1)
            var body = CadenceBench.body
            body["name"] = "Other"
            body["follow_ups"] = steps("12")
            let unknown = await bench.caller.send("POST", CadenceBench.settings, ["cadences": [body]])
            #expect(unknown.json?["cadences"]?.array?.first?["code"] == "INVALID_DATA", "\(unknown.text)")
        }
    }

    /// `docs/cadences.md`: in the recycle bin the steps end.
    @Test(arguments: TestServer.engines) func aRecordThatIsBackFromTheRecycleBinBeginsAnew(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            var bench = try await CadenceBench(server)
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
}
