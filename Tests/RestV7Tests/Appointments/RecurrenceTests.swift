import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Activities that repeat are there as often as they repeat. Contract: records, section notes; decision 2.
@Suite struct RecurrenceTests {
    private static func event(_ rule: JSONValue) -> JSONValue {
        [
            "Event_Title": "Round", "Start_DateTime": "2090-01-02T10:00:00Z", "End_DateTime": "2090-01-02T11:30:00Z", "Venue": "Ulm",
            "Participants": [["type": "email", "participant": "guest@acme.example"]], "Remind_At": [["unit": 15, "period": "minutes"]],
            "Recurring_Activity": rule,
        ]
    }

    private static func column(_ api: RecordCaller, _ module: String, _ name: String) async -> [String] {
        await api.send("GET", "\(module)?fields=\(name)").rows.compactMap { $0[name]?.string }.sorted()
    }

    @Test(arguments: TestServer.engines) func aWeeklyMeetingIsThereEveryWeek(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let id = try await api.insert("Events", [Self.event(["RRULE": "FREQ=WEEKLY;INTERVAL=1;COUNT=4", "EXDATE": "2090-01-16"])])[0]
            #expect(await Self.column(api, "Events", "Start_DateTime").count == 1)
            await JobWorker(server.services).drain()
            let rows = await api.send("GET", "Events?fields=Start_DateTime,End_DateTime,Venue,Recurring_Activity,Remind_At,Participants")
                .rows
            let starts = rows.compactMap { $0["Start_DateTime"]?.string.flatMap { Instant(iso: $0) } }.sorted()
            #expect(starts.map { $0.iso(offsetMinutes: 0).prefix(10) } == ["2090-01-02", "2090-01-09", "2090-01-23"])
            for row in rows {
                let start = try #require(row["Start_DateTime"]?.string.flatMap { Instant(iso: $0) })
                let end = try #require(row["End_DateTime"]?.string.flatMap { Instant(iso: $0) })
                #expect(end.milliseconds - start.milliseconds == 90 * 60_000 && row["Venue"] == "Ulm")
                #expect(row["Participants"]?.array?.count == 1 && row["Remind_At"] == [["unit": 15, "period": "minutes"]])
                // Only the first knows the rule.
                #expect((row["Recurring_Activity"]?.isNull == false) == (row["id"]?.string == id), "\(row.text)")
            }
            // What happens to one happens to it alone, and the rule makes nothing again.
            #expect(
                await api.send("PUT", "Events/\(id)", ["data": [["Venue": "Bonn", "Recurring_Activity": ["RRULE": "FREQ=DAILY;COUNT=9"]]]])
                    .codes == ["SUCCESS"])
            await JobWorker(server.services).drain()
            #expect(await Self.column(api, "Events", "Venue") == ["Bonn", "Ulm", "Ulm"])
            #expect(try await ConsistencyCheck.run(server.services) == [])
        }
    }

    @Test(arguments: TestServer.engines) func aTaskThatComesToRepeatDoesSo(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let task = try await api.insert("Tasks", [["Subject": "Pay", "Due_Date": "2090-01-31"]])[0]
            let rule: JSONValue = ["RRULE": "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=-1;UNTIL=2090-05-01"]
            #expect(await api.send("PUT", "Tasks/\(task)", ["data": [["Recurring_Activity": rule]]]).codes == ["SUCCESS"])
            await JobWorker(server.services).drain()
            #expect(await Self.column(api, "Tasks", "Due_Date") == ["2090-01-31", "2090-02-28", "2090-03-31", "2090-04-30"])
            let job = try await JobList(server.services).page(.all, kind: "recurrence").jobs.first
            #expect(job?.state == .done && job?.total == 3 && job?.done == 3 && job?.failed == 0)
            // One that is gone when its turn comes repeats no more.
            let gone = try await api.insert("Tasks", [["Subject": "Gone", "Recurring_Activity": ["RRULE": "FREQ=DAILY;COUNT=3"]]])[0]
            #expect(await api.send("DELETE", "Tasks/\(gone)").status == 200)
            await JobWorker(server.services).drain()
            #expect(await Self.column(api, "Tasks", "Subject") == ["Pay", "Pay", "Pay", "Pay"])
        }
    }

    /// A hundred at most, in batches that a kill cannot double.
    @Test(arguments: TestServer.engines) func noRuleMakesMoreThanAHundred(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            _ = try await api.insert(
                "Tasks", [["Subject": "Daily", "Due_Date": "2090-01-01", "Recurring_Activity": ["RRULE": "FREQ=DAILY"]]])
            await JobWorker(server.services).drain()
            let days = await Self.column(api, "Tasks", "Due_Date")
            #expect(days.count == 101 && Set(days).count == 101 && days.last == "2090-04-11")
        }
    }
}
