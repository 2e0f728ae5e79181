import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Events: whom they invite, when they repeat and remind, and how they are called off. Contract: records, section notes;
/// `endpoints/meeting-cancel.md`, 183; `metadata/types.md`, "Special JSON".
@Suite struct EventTests {
    private static func event(_ values: JSONValue = [:]) -> JSONValue {
        var event: JSONValue = [
            "Event_Title": "Fair", "Start_DateTime": "2090-01-01T10:00:00Z", "End_DateTime": "2090-01-01T11:00:00Z",
        ]
        for member in values.members ?? [] { event[member.name] = member.value }
        return event
    }

    /// common, §10: the form of Participants.
    @Test(arguments: TestServer.engines)
    func participantsAreKnownByNameAndAddress(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let contact = try await api.insert("Contacts", [["Last_Name": "Kim", "First_Name": "Lee", "Email": "lee@acme.example"]])[0]
            let lead = try await api.insert("Leads", [["Last_Name": "Ito"]])[0]
            let admin = String(server.administrator.id.raw)
            let people: JSONValue = [
                ["type": "contact", "participant": .string(contact)], ["type": "lead", "participant": .string(lead), "name": "wrong"],
                ["type": "user", "participant": .string(admin)], ["type": "email", "participant": "guest@acme.example", "name": "Guest"],
                ["type": "contact", "participant": .string(contact), "invited": true],
            ]
            let id = try await api.insert("Events", [Self.event(["Participants": people])])[0]
            let shown = await api.record("Events", id)["Participants"]?.array ?? []
            #expect(shown.count == 4, "somebody is invited once")
            #expect(
                shown.first == [
                    "participant": .string(contact), "type": "contact", "name": "Lee Kim", "Email": "lee@acme.example", "invited": false,
                    "status": "not_known",
                ])
            #expect(shown[1]["name"] == "Ito" && shown[1]["Email"] == .null && shown[2]["name"] == .string(server.administrator.fullName))
            #expect(shown[3]["name"] == "Guest" && shown[3]["Email"] == "guest@acme.example")

            let refused: [(JSONValue, String, String)] = [
                ([["participant": .string(contact)]], "MANDATORY_NOT_FOUND", "[0].type"),
                ([["type": "robot", "participant": "1"]], "INVALID_DATA", "[0].type"),
                ([["type": "contact"]], "MANDATORY_NOT_FOUND", "[0].participant"),
                ([["type": "contact", "participant": .string(lead)]], "INVALID_DATA", "[0].participant"),
                ([["type": "user", "participant": "5"]], "INVALID_DATA", "[0].participant"),
                ([["type": "email", "participant": "nobody"]], "INVALID_DATA", "[0].participant"), (["somebody"], "INVALID_DATA", "[0]"),
            ]
            for (people, code, path) in refused {
                let answer = await api.send("POST", "Events", ["data": [Self.event(["Participants": people])]])
                #expect(
                    answer.codes == [code] && answer.refusal["json_path"] == .string("$.data[0].Participants\(path)"), "\(answer.text)")
            }
            #expect(await api.send("PUT", "Events/\(id)", ["data": [["Participants": []]]]).codes == ["SUCCESS"])
            #expect(await api.record("Events", id)["Participants"] == .null)
        }
    }

    /// records, section notes: Remind_At and Recurring_Activity of events and tasks.
    @Test(arguments: TestServer.engines)
    func remindersAndRecurrencesComeBackAsGiven(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let rule: JSONValue = ["RRULE": "FREQ=DAILY;INTERVAL=2;DTSTART=2090-01-01;UNTIL=2090-02-01"]
            let id = try await api.insert(
                "Events", [Self.event(["Recurring_Activity": rule, "Remind_At": [["unit": 1, "period": "days", "time": "08:00"]]])])[0]
            let shown = await api.record("Events", id)
            #expect(shown["Recurring_Activity"] == rule && shown["Remind_At"] == [["unit": 1, "period": "days", "time": "08:00"]])
            #expect(await api.send("PUT", "Events/\(id)", ["data": [["Remind_At": "15 mins"]]]).codes == ["SUCCESS"])
            #expect(await api.record("Events", id)["Remind_At"] == [["unit": 15, "period": "minutes"]])
            let alarms = [
                "ACTION=EMAIL;TRIGGER=-P1D;TRIGGER_TIME=09:30", "FREQ=NONE;ACTION=POPUP;TRIGGER=DATE-TIME:2090-01-01T10:00:00+05:30",
                "ACTION=EMAILANDPOPUP;TRIGGER=-P3W",
            ]
            for alarm in alarms {
                let task = try await api.insert("Tasks", [["Subject": "Call", "Remind_At": ["ALARM": .string(alarm)]]])[0]
                #expect(await api.record("Tasks", task)["Remind_At"] == ["ALARM": .string(alarm)])
            }
            let refused: [(String, JSONValue, String)] = [
                ("Events", Self.event(["Recurring_Activity": ["RRULE": "EVERY DAY"]]), "Recurring_Activity.RRULE"),
                ("Events", Self.event(["Recurring_Activity": ["RRULE": "FREQ=OFTEN"]]), "Recurring_Activity.RRULE"),
                ("Events", Self.event(["Recurring_Activity": ["RRULE": "FREQ=DAILY;INTERVAL=0"]]), "Recurring_Activity.RRULE"),
                (
                    "Events", Self.event(["Recurring_Activity": ["RRULE": "FREQ=DAILY", "EXDATE": "2090-13-01"]]),
                    "Recurring_Activity.EXDATE"
                ),
                ("Events", Self.event(["Recurring_Activity": ["EXDATE": "x"]]), "Recurring_Activity.RRULE"),
                ("Events", Self.event(["Remind_At": [["unit": -1, "period": "days"]]]), "Remind_At[0].unit"),
                ("Events", Self.event(["Remind_At": [["unit": 1, "period": "years"]]]), "Remind_At[0].period"),
                ("Events", Self.event(["End_DateTime": "2089-01-01T00:00:00Z"]), "End_DateTime"),
                ("Tasks", ["Subject": "x", "Remind_At": ["ALARM": "TRIGGER=-P9D"]], "Remind_At.ALARM"),
                ("Tasks", ["Subject": "x", "Recurring_Activity": ["RRULE": "INTERVAL=1"]], "Recurring_Activity.RRULE"),
            ]
            for rule in [
                "FREQ=DAILY;BYDAY=XX", "FREQ=MONTHLY;BYDAY=0MO", "FREQ=MONTHLY;BYDAY=54MO", "FREQ=MONTHLY;BYMONTHDAY=32",
                "FREQ=YEARLY;BYMONTH=0", "FREQ=YEARLY;BYMONTH=-1", "FREQ=MONTHLY;BYSETPOS=x", "FREQ=WEEKLY;WKST=1",
                "FREQ=YEARLY;BYWEEKNO=54",
                "FREQ=YEARLY;BYYEARDAY=367", "FREQ=DAILY;UNTIL=20901301", "FREQ=DAILY;UNTIL=T", "FREQ=DAILY;COUNT=2;COUNT=3",
                "FREQ=DAILY;BYDAY=MO,", "FREQ=DAILY;DTSTART=20900101T250000Z",
            ] {
                let item = Self.event(["Recurring_Activity": ["RRULE": .string(rule)]])
                let answer = await api.send("POST", "Events", ["data": [item]])
                #expect(
                    answer.refusal["json_path"] == "$.data[0].Recurring_Activity.RRULE" && answer.refusal["api_name"] == "RRULE",
                    "\(rule) \(answer.text)")
            }
            for rule in [
                "FREQ=MONTHLY;BYDAY=2mo,-1FR;COUNT=2", "FREQ=YEARLY;BYMONTH=1,12;BYMONTHDAY=-31;UNTIL=20900105T100000Z",
                "FREQ=WEEKLY;BYDAY=MO, TU;WKST=SU;BYSETPOS=-1;UNTIL=20900105",
            ] {
                let item = Self.event(["Recurring_Activity": ["RRULE": .string(rule)]])
                #expect(await api.send("POST", "Events", ["data": [item]]).status == 201, "\(rule)")
            }
            for (module, item, path) in refused {
                let answer = await api.send("POST", module, ["data": [item]])
                #expect(answer.status == 400 && answer.refusal["json_path"] == .string("$.data[0].\(path)"), "\(path) \(answer.text)")
            }
        }
    }

    /// meeting-cancel, 183.
    @Test(arguments: TestServer.engines)
    func anEventIsCalledOffOnce(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let guest: JSONValue = ["Participants": [["type": "email", "participant": "guest@acme.example"]]]
            let ids = try await api.insert("Events", [Self.event(guest), Self.event()])
            var past = Self.event(guest)
            past["Start_DateTime"] = "2020-01-01T10:00:00Z"
            past["End_DateTime"] = "2020-01-01T11:00:00Z"
            let over = try await api.insert("Events", [past])[0]
            func cancel(_ id: String, _ body: JSONValue = ["data": [["send_cancelling_mail": false]]]) async -> TestServer.Answer {
                await api.send("POST", "Events/\(id)/actions/cancel", body)
            }
            #expect(await api.column("$event_cancelled", "Events?fields=Event_Title,$event_cancelled") == [false, false, false])
            let done = await cancel(ids[0])
            #expect(
                done.status == 200
                    && done.rows == [
                        [
                            "code": "SUCCESS", "details": ["id": .string(ids[0])], "message": "The event is successfully cancelled",
                            "status": "success",
                        ]
                    ], "\(done.text)")
            #expect(
                await api.column("$event_cancelled", "Events?fields=Event_Title,$event_cancelled&sort_order=asc&sort_by=id") == [
                    true, false, false,
                ])
            #expect(await api.record("Events", ids[0])["$event_cancelled"] == true)
            #expect(
                await api.send("PUT", "Events/\(ids[0])", ["data": [["$event_cancelled": false, "Venue": "Hall"]]]).codes == ["SUCCESS"])
            #expect(await api.record("Events", ids[0])["$event_cancelled"] == true, "no caller calls it on again")
            let refused: [(TestServer.Answer, String, String)] = [
                (await cancel(ids[0]), "NOT_ALLOWED", "The event is already cancelled"),
                (await cancel(ids[1]), "NOT_ALLOWED", "You cannot cancel the event without inviting participants"),
                (await cancel(over), "NOT_ALLOWED", "You cannot cancel the meeting after the meeting end time"),
                (await cancel("77"), "INVALID_DATA", "the id given seems to be invalid"),
            ]
            for (answer, code, message) in refused {
                #expect(answer.status == 400 && answer.codes == [code] && answer.rows[0]["message"] == .string(message), "\(answer.text)")
            }
            for body: JSONValue in [[:], ["data": []], ["data": [[:]]], ["data": [["send_cancelling_mail": "no"]]]] {
                let answer = await cancel(ids[1], body)
                #expect(answer.status == 400, "\(answer.text)")
            }
            let timeline = await api.send("GET", "Events/\(ids[0])/__timeline")
            #expect(timeline.json?["__timeline"]?.array?.contains { $0["action"] == "updated" } == true, "\(timeline.text)")
            var narrow = api
            narrow.token = try await server.token("ZohoCRM.modules.events.READ")
            #expect(await narrow.send("POST", "Events/\(ids[1])/actions/cancel", [:]).status == 401)
        }
    }

    /// related-records, 161: Invited_Events and Invitees; merge, §6.
    @Test(arguments: TestServer.engines)
    func invitationsAreListedOnBothSides(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let people = try await api.insert("Contacts", [["Last_Name": "Kim"], ["Last_Name": "Kimm"], ["Last_Name": "Roy"]])
            let invitation: JSONValue = ["Participants": [["type": "contact", "participant": .string(people[1])]]]
            let event = try await api.insert("Events", [Self.event(invitation), Self.event()])[0]
            let list = await api.send("GET", "Contacts/\(people[1])/Invited_Events?fields=Event_Title")
            #expect(list.rows == [["Event_Title": "Fair", "id": .string(event), "$module": "Events"]], "\(list.text)")
            #expect(await api.send("GET", "Contacts/\(people[0])/Invited_Events?fields=id").status == 204)
            #expect(await api.send("GET", "Contacts/\(people[1])/Invited_Events/\(event)").rows.first?["id"] == .string(event))
            let invitees = await api.send("GET", "Events/\(event)/Invitees?fields=name,type")
            #expect(invitees.rows == [["participant": .string(people[1]), "type": "contact", "name": "Kimm"]], "\(invitees.text)")
            #expect(await api.send("GET", "Events/\(event)/Invitees").code == "REQUIRED_PARAM_MISSING")
            #expect(await api.send("GET", "Events/77/Invitees?fields=name").code == "INVALID_DATA")

            let body: JSONValue = ["merge": [["data": [["id": .string(people[1]), "_fields": []]]]]]
            let merged = await api.send("POST", "Contacts/\(people[0])/actions/merge", body)
            #expect(merged.status == 201, "\(merged.text)")
            #expect(await api.column("Event_Title", "Contacts/\(people[0])/Invited_Events?fields=Event_Title") == ["Fair"])
        }
    }

    /// related-records, 161: Activities_Chronological_View and its history.
    @Test(arguments: TestServer.engines)
    func allActivitiesOfARecordAreOneList(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let lead = try await api.insert("Leads", [["Last_Name": "Kim"]])[0]
            func on(_ fields: JSONValue) -> JSONValue {
                var item = fields
                item["What_Id"] = .string(lead)
                item["$se_module"] = "Leads"
                return item
            }
            var expected: [JSONValue] = []
            for number in 1...3 {
                expected.append(.string(try await api.insert("Tasks", [on(["Subject": .string("T\(number)")])])[0]))
                expected.append(.string(try await api.insert("Events", [on(Self.event(["Event_Title": .string("E\(number)")]))])[0]))
                let call: JSONValue = [
                    "Subject": .string("C\(number)"), "Call_Type": "Outbound", "Call_Start_Time": "2025-02-01T10:00:00Z",
                    "Call_Duration": "01:00",
                    "Outgoing_Call_Status": "Scheduled",
                ]
                expected.append(.string(try await api.insert("Calls", [on(call)])[0]))
            }
            _ = try await api.insert("Tasks", [on(["Subject": "done", "Status": "Completed"]), ["Subject": "of nobody"]])
            let path = "Leads/\(lead)/Activities_Chronological_View?fields=Subject,Events.Event_Title,Calls.Call_Type"
            let all = await api.send("GET", path)
            #expect(all.rows.compactMap { $0["id"] } == Array(expected.reversed()), "\(all.text)")
            #expect(all.rows[0] == ["Subject": "C3", "Call_Type": "Outbound", "id": expected[8], "$module": "Calls"])
            #expect(all.rows[1] == ["Event_Title": "E3", "id": expected[7], "$module": "Events"])
            #expect(all.info["count"] == 9 && all.info["more_records"] == false)

            // Pages by number and by token, there and back.
            let first = await api.send("GET", path + "&per_page=4")
            #expect(first.rows.compactMap { $0["id"] } == Array(expected.reversed().prefix(4)) && first.info["more_records"] == true)
            #expect(await api.send("GET", path + "&per_page=4&page=3").rows.compactMap { $0["id"] } == [expected[0]])
            let next = first.info["next_page_token"]?.string ?? ""
            let second = await api.send("GET", path + "&per_page=4&page_token=\(next)")
            #expect(second.rows.compactMap { $0["id"] } == Array(expected.reversed().dropFirst(4).prefix(4)), "\(second.text)")
            let back = second.info["previous_page_token"]?.string ?? ""
            #expect(await api.send("GET", path + "&per_page=4&page_token=\(back)").rows == first.rows)
            let ascending = await api.send("GET", path + "&sort_by=Created_Time&sort_order=asc&per_page=2")
            #expect(ascending.rows.compactMap { $0["id"] } == Array(expected.prefix(2)))

            #expect(await api.column("Subject", "Leads/\(lead)/Activities_Chronological_View_History?fields=Subject") == ["done"])
            #expect(await api.column("Subject", "Leads/\(lead)/Activities_History?fields=Subject") == ["done"])
            #expect(await api.send("GET", "Leads/\(lead)/Activities_Chronological_View").code == "REQUIRED_PARAM_MISSING")
            #expect(await api.send("GET", "Leads/77/Activities_Chronological_View?fields=id").code == "INVALID_DATA")
            let other = try await api.insert("Leads", [["Last_Name": "Roy"]])[0]
            #expect(await api.send("GET", "Leads/\(other)/Activities_Chronological_View?fields=id").status == 204)
        }
    }
}
