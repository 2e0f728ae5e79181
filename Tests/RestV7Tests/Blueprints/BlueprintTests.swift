import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Records in processes. Contract: blueprint, 233 and 234; mass-update, 201.
@Suite struct BlueprintTests {
    /// 233: process_info and transitions; entry is ours (`docs/blueprints.md`).
    @Test(arguments: TestServer.engines) func aNewRecordThatFitsEntersTheProcess(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            let early = try await bench.lead()
            let process = try await bench.make()
            let lead = try await bench.lead(["Phone": "1"])
            let view = await bench.shown(lead)
            let info = view["process_info"] ?? .null
            #expect(info["id"] == .string(process) && info["name"] == "Nurture" && info["api_name"] == "Lead_Status")
            #expect(info["field_value"] == "Not Contacted" && info["escalation"] == .null && info["is_continuous"] == false)
            let transitions = view["transitions"]?.array ?? []
            #expect(transitions.map { $0["name"] } == ["Call"])
            let call = transitions.first ?? .null
            #expect(call["type"] == "manual" && call["criteria_matched"] == true && call["next_field_value"] == "Attempted to Contact")
            #expect(call["data"]?["Phone"] == "1" && call["percent_partial_save"] == 0)
            #expect(call["fields"]?.array?.map { $0["api_name"]?.string } == ["Phone", "No_of_Employees", "Notes"])
            #expect(call["fields"]?.array?.map { $0["mandatory"]?.bool } == [true, false, true])
            #expect(call["next_transitions"]?.array?.map { $0["name"] } == ["Reach"])
            #expect(call["next_transitions"]?.array?.first?["criteria_matched"] == false)
            #expect(await bench.caller.record("Leads", lead)["$process_flow"] == true)

            for other in [["Company": "Other"], ["Lead_Status": "Contacted"], ["Lead_Status": .null]] as [JSONValue] {
                let outside = try await bench.lead(other)
                let answer = await bench.caller.send("GET", bench.path(outside))
                #expect(answer.status == 400 && answer.code == "RECORD_NOT_IN_PROCESS", "\(other)")
                #expect(answer.json?["message"] == "record not in process")
                #expect(await bench.caller.record("Leads", outside)["$process_flow"] == false)
            }
            #expect(await bench.caller.send("GET", bench.path(early)).code == "RECORD_NOT_IN_PROCESS")
            await bench.caller.send("PUT", "Leads/\(early)", ["data": [["City": "Oslo"]]])
            #expect(await bench.shown(early)["process_info"]?["name"] == "Nurture", "with its next change")
        }
    }

    /// 234: the values go through the ordinary pipeline; what follows is the blueprint's.
    @Test(arguments: TestServer.engines) func aTransitionMovesTheRecordOn(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            try await bench.make()
            let lead = try await bench.lead(["City": "Bergen"])
            let done = await bench.take("Call", lead, ["Phone": "5550100", "No_of_Employees": 3, "Notes": "called"])
            #expect(done.status == 200, "\(done.text)")
            #expect(done.json == ["code": "SUCCESS", "details": [:], "message": "transition updated successfully", "status": "success"])
            let record = await bench.caller.record("Leads", lead)
            #expect(record["Lead_Status"] == "Attempted to Contact" && record["Phone"] == "5550100" && record["Rating"] == "Active")
            let notes = await bench.caller.column("Note_Content", "Leads/\(lead)/Notes?fields=Note_Content")
            #expect(notes == ["called"])
            let tasks = await bench.caller.send("GET", "Leads/\(lead)/Tasks?fields=Subject,Due_Date").rows
            #expect(tasks.first?["Subject"] == "Call again" && tasks.first?["Due_Date"] == "2030-01-02", "\(tasks)")
            let timeline = await bench.caller.send("GET", "Leads/\(lead)/__timeline").json?["__timeline"]?.array ?? []
            let entry = timeline.first { entry in
                (entry["field_history"]?.array ?? []).contains { $0["api_name"] == "Lead_Status" }
            }
            #expect(entry?["source"] == "blueprint", "\(timeline)")

            let view = await bench.transition("Reach", of: lead)
            #expect(view["criteria_matched"] == true && view["fields"]?.array?.last?["items"] == [["read": false], ["write": false]])
            let link: JSONValue = ["Attachments": [["$link_url": "www.example.com"]], "CheckLists": [["read": true], ["write": true]]]
            let last = await bench.take("Reach", lead, link)
            #expect(last.json?["message"] == "transition updated successfully", "\(last.text)")
            #expect(await bench.caller.record("Leads", lead)["Lead_Status"] == "Contacted")
            #expect(await bench.caller.column("File_Name", "Leads/\(lead)/Attachments?fields=File_Name").count == 1)
            #expect(await bench.caller.send("GET", bench.path(lead)).code == "RECORD_NOT_IN_PROCESS", "where nothing leads on it is over")
            let free = await bench.caller.send("PUT", "Leads/\(lead)", ["data": [["Lead_Status": "Lost Lead"]]])
            #expect(free.codes == ["SUCCESS"])
        }
    }

    /// 234, note: "transition saved partially"; MANDATORY_NOT_FOUND when nothing is given.
    @Test(arguments: TestServer.engines) func whatIsGivenIsKeptUntilTheRestCame(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            try await bench.make()
            let lead = try await bench.lead(["City": "Bergen"])
            for data in [.null, [:], ["Nonsense": 1], ["Phone": " \t", "Notes": "\u{00A0}"]] as [JSONValue] {
                let nothing = await bench.take("Call", lead, data)
                #expect(nothing.status == 400 && nothing.code == "MANDATORY_NOT_FOUND")
                #expect(nothing.json?["details"]?["api_name"] == "Phone")
            }
            let some = await bench.take("Call", lead, ["Phone": "5550100"])
            #expect(some.status == 200 && some.json?["message"] == "transition saved partially", "\(some.text)")
            let record = await bench.caller.record("Leads", lead)
            #expect(record["Lead_Status"] == "Not Contacted" && record["Phone"] == "5550100" && record["Rating"] == .null)
            #expect(await bench.transition("Call", of: lead)["percent_partial_save"] == 50)
            let rest = await bench.take("Call", lead, ["Notes": "later"])
            #expect(rest.json?["message"] == "transition updated successfully")
            #expect(await bench.caller.record("Leads", lead)["Lead_Status"] == "Attempted to Contact")

            let half: JSONValue = ["CheckLists": [["title": "Before", "items": [["read": true], ["write": false]]]]]
            #expect(await bench.take("Reach", lead, half).json?["message"] == "transition saved partially")
            #expect(await bench.transition("Reach", of: lead)["fields"]?.array?.last?["items"] == [["read": true], ["write": false]])
            #expect(
                await bench.take("Reach", lead, ["CheckLists": [["write": true]]]).json?["message"] == "transition updated successfully")
        }
    }

    /// 234, errors: nothing of a refused transition stays.
    @Test(arguments: TestServer.engines) func aRefusedTransitionChangesNothing(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            try await bench.make()
            let lead = try await bench.lead()
            let id = await bench.transition("Call", of: lead)["id"] ?? .null
            let before = try await RecordDump.take(server.services)
            func put(_ item: JSONValue) async -> TestServer.Answer {
                await bench.caller.send("PUT", bench.path(lead), ["blueprint": [item]])
            }
            let bad: [(JSONValue, String, String)] = [
                (["transition_id": "12"], "INVALID_DATA", "$.blueprint[0].transition_id"),
                ([:], "MANDATORY_NOT_FOUND", "$.blueprint[0].transition_id"),
                (["transition_id": id, "data": ["Phone": 5, "Notes": "n"]], "INVALID_DATA", "$.blueprint[0].data.Phone"),
                (["transition_id": id, "data": ["City": "Oslo"]], "INVALID_DATA", "$.blueprint[0].data.City"),
                (["transition_id": id, "data": ["Notes": 5]], "INVALID_DATA", "$.blueprint[0].data.Notes"),
                (["transition_id": id, "data": ["widget": ["id": "1"]]], "INVALID_DATA", "$.blueprint[0].data.widget"),
                (["transition_id": id, "data": ["CheckLists": [["x": true]]]], "INVALID_DATA", "$.blueprint[0].data.CheckLists"),
                (
                    ["transition_id": id, "data": ["Phone": "1", "Notes": "n", "No_of_Employees": 0]], "INVALID_DATA",
                    "$.blueprint[0].data.No_of_Employees"
                ),
                (["transition_id": id, "data": [1]], "INVALID_DATA", "$.blueprint[0].data"),
            ]
            for (item, code, path) in bad {
                let answer = await put(item)
                #expect(answer.status == 400 && answer.code == code, "\(item.text): \(answer.text)")
                #expect(answer.json?["details"]?["json_path"] == .string(path), "\(item.text): \(answer.text)")
            }
            for body in [[:], ["blueprint": []], ["blueprint": [1]], ["blueprint": [["transition_id": id], ["transition_id": id]]]]
                as [JSONValue]
            {
                let answer = await bench.caller.send("PUT", bench.path(lead), body)
                #expect(answer.status == 400, "\(body.text): \(answer.text)")
            }
            #expect(try await RecordDump.take(server.services).differences(from: before) == [])
            #expect(await bench.caller.send("GET", "Leads/12/actions/blueprint").code == "INVALID_DATA")
            #expect(
                await bench.caller.send("PUT", "Leads/12/actions/blueprint", ["blueprint": [["transition_id": id]]]).code == "INVALID_DATA")
            #expect(await bench.caller.send("GET", "Attachments/12/actions/blueprint").code == "INVALID_MODULE")
            let reader = try await server.token("ZohoCRM.modules.leads.READ")
            #expect(await server.send("GET", "/crm/v7/" + bench.path(lead), token: reader).status == 200)
            #expect(await server.send("PUT", "/crm/v7/" + bench.path(lead), ["blueprint": []], token: reader).status == 401)

            _ = await bench.take("Call", lead, ["Phone": "1", "Notes": "n"])
            let criteria = await bench.take("Reach", lead, ["CheckLists": [["read": true], ["write": true]]])
            #expect(criteria.code == "INVALID_DATA" && criteria.json?["message"] == "invalid transition")
            #expect(criteria.json?["details"]?["info_message"] == "only in Bergen")
            #expect(await bench.caller.record("Leads", lead)["Lead_Status"] == "Attempted to Contact")
        }
    }

    /// mass-update, 201: RECORD_IN_BLUEPRINT; ours: the same for every way of writing.
    @Test(arguments: TestServer.engines) func onlyTransitionsChangeTheFieldOfTheProcess(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            try await bench.make()
            let lead = try await bench.lead(["Email": "kim@acme.example"])
            let outside = try await bench.lead(["Company": "Other"])
            try await bench.caller.makeUnique(["Email"], of: "Leads")
            let update = await bench.caller.send("PUT", "Leads/\(lead)", ["data": [["Lead_Status": "Contacted", "City": "Oslo"]]])
            #expect(update.status == 400 && update.codes == ["RECORD_IN_BLUEPRINT"], "\(update.text)")
            #expect(update.refusal["api_name"] == "Lead_Status" && update.refusal["id"] == .string(lead))
            let upsert: JSONValue = ["Email": "kim@acme.example", "Last_Name": "K", "Lead_Status": "Contacted"]
            #expect(
                await bench.caller.send("POST", "Leads/upsert", ["data": [upsert], "duplicate_check_fields": ["Email"]]).codes
                    == ["RECORD_IN_BLUEPRINT"])
            var caller = bench.caller
            caller.token = try await server.token(RecordCaller.scopes + ",ZohoCRM.mass_update.ALL")
            let mass = await caller.send(
                "POST", "Leads/actions/mass_update", ["data": [["Lead_Status": "Contacted"]], "ids": [.string(lead), .string(outside)]])
            #expect(mass.status == 207 && mass.codes == ["RECORD_IN_BLUEPRINT", "SUCCESS"], "\(mass.text)")
            #expect(await caller.record("Leads", lead)["Lead_Status"] == "Not Contacted")
            let same = await caller.send("PUT", "Leads/\(lead)", ["data": [["Lead_Status": "Not Contacted", "City": "Oslo"]]])
            #expect(same.codes == ["SUCCESS"], "the value it has is no change")
        }
    }

    /// An owner of a transition, and the right to change records.
    @Test(arguments: TestServer.engines) func transitionsAreForThoseNamed(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            let organisation = try Organisation(server)
            let top = server.services.catalog.current().documents(.role)[0].id
            let ana = try await organisation.user("ana@x.example", profile: organisation.standard, role: top, scopes: RecordCaller.scopes)
            let bo = try await organisation.user("bo@x.example", profile: organisation.standard, role: top, scopes: RecordCaller.scopes)
            try await bench.make { body in
                var transitions = body["transitions"]?.array ?? []
                transitions[0]["owners"] = [["type": "users", "id": .id(ana.id)]]
                body["transitions"] = .array(transitions)
            }
            let lead = try await bench.lead()
            let id = await bench.transition("Call", of: lead)["id"] ?? .null
            #expect(id != .null, "administrators may take them all")
            let body: JSONValue = ["blueprint": [["transition_id": id, "data": ["Phone": "1", "Notes": "n"]]]]
            let path = "/crm/v7/" + bench.path(lead)
            let view = await server.send("GET", path, token: bo.token)
            #expect(view.status == 200 && view.json?["blueprint"]?["transitions"] == [], "\(view.text)")
            let refused = await server.send("PUT", path, body, token: bo.token)
            #expect(refused.status == 403 && refused.json?["code"] == "NO_PERMISSION", "\(refused.text)")
            #expect(await server.send("PUT", path, body, token: ana.token).status == 200)
            let record = await bench.caller.record("Leads", lead)
            #expect(record["Modified_By"]?["id"] == .id(ana.id))
        }
    }

    /// 233, note: a transition may happen by itself when its time in the state is over.
    @Test(arguments: TestServer.engines) func anAutomaticTransitionHappensByItself(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            try await bench.make { body in
                body["transitions"] = [
                    [
                        "name": "Give up", "type": "automatic", "from": ["Not Contacted"], "to": "Lost Lead",
                        "execute_after": ["unit": 2, "period": "days"],
                    ],
                    ["name": "Reach", "from": ["Not Contacted"], "to": "Contacted"],
                ]
            }
            let lead = try await bench.lead()
            let other = try await bench.lead()
            let automatic = await bench.transition("Give up", of: lead)
            #expect(automatic["type"] == "automatic" && automatic["execution_time"]?.string != nil)
            #expect(await bench.take("Give up", lead).json?["message"] == "invalid transition")
            #expect(await bench.take("Reach", other).status == 200)
            let worker = JobWorker(server.services)
            await worker.drain()
            #expect(await bench.caller.record("Leads", lead)["Lead_Status"] == "Not Contacted")
            server.clock.advance(seconds: 2 * 86_400 + 1)
            await worker.drain()
            var caller = bench.caller
            caller.token = try await server.token(RecordCaller.scopes)
            #expect(await caller.record("Leads", lead)["Lead_Status"] == "Lost Lead")
            #expect(await caller.record("Leads", other)["Lead_Status"] == "Contacted", "it had gone on")
        }
    }

    /// 234: what an action of the process cannot write is told as the call's, and leaves the record where it was.
    @Test(arguments: TestServer.engines) func anActionWhoseValueIsTakenStopsTheTransition(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            let made = await bench.caller.send(
                "POST", "settings/fields?module=Leads",
                ["fields": [["field_label": "Badge", "data_type": "text", "length": 20, "unique": ["case_sensitive": false]]]])
            #expect(made.status == 201 || made.status == 200, "\(made.text)")
            try await bench.make { body in
                var transitions = body["transitions"]?.array ?? []
                transitions[0]["fields"] = .null
                transitions[0]["notes"] = .null
                transitions[0]["actions"] = [["type": "field_update", "field": ["api_name": "Badge"], "value": "one"]]
                body["transitions"] = .array(transitions)
            }
            let first = try await bench.lead()
            let second = try await bench.lead()
            #expect(await bench.take("Call", first, [:]).status == 200)
            let refused = await bench.take("Call", second, [:])
            let refusal = refused.json?["blueprint"]?.array?.first ?? refused.json ?? .null
            #expect(refusal["code"] == "DUPLICATE_DATA", "\(refused.text)")
            #expect(refusal["details"]?["json_path"] == "$.blueprint[0].data.Badge", "\(refused.text)")
            #expect(await bench.caller.record("Leads", second)["Lead_Status"] == "Not Contacted")
        }
    }
}
