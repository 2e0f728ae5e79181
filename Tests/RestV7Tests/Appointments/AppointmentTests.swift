import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Appointments, how they move and end, and what was before. Contract: `endpoints/appointments.md`, 148 to 153, and
/// `appointments-rescheduled-history.md`, 154 to 157.
@Suite struct AppointmentTests {
    /// Rows 148 and 149.
    @Test(arguments: TestServer.engines)
    func anAppointmentTakesItsLengthFromTheService(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            let service = try await bench.service(["Duration": 90])
            let id = try await bench.appointment(service, ["Remind_At": [["unit": 30, "period": "minutes"]]])
            let shown = await bench.api.record("Appointments__s", id)
            #expect(shown["Status"] == "Scheduled" && shown["Duration"] == 90 && shown["Reschedule_Count"] == .null, "\(shown)")
            #expect(shown["Appointment_Start_Time"] == bench.moment(600) && shown["Appointment_End_Time"] == bench.moment(690))
            #expect(shown["Service_Name"] == ["name": "Repair", "id": .string(service)])
            #expect(shown["Appointment_For"]?["module"]?["api_name"] == "Contacts" && shown["Appointment_For"]?["name"] == "Kim")
            #expect(shown["Remind_At"] == [["unit": 30, "period": "minutes"]] && shown["Job_Sheet_Created__s"] == false)
            #expect(
                await bench.api.send("GET", "Contacts/\(bench.contact)/Appointments__s?fields=Appointment_Name").rows.first?["id"]
                    == .string(id))
            let list = await bench.api.send("GET", "Appointments__s?fields=Owner,Appointment_Name,Service_Name")
            #expect(list.rows.first?["Owner"]?["id"] == .string(bench.admin) && list.info["count"] == 1)
        }
    }

    struct Refusal: Sendable {
        let values: JSONValue
        let code: String
        let path: String
    }

    /// Row 149, errors.
    @Test(arguments: TestServer.engines)
    func anAppointmentTheServiceCannotKeepIsRefused(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            let service = try await bench.service()
            let other = try await bench.api.insert("Campaigns", [["Campaign_Name": "Fair"]])[0]
            _ = try await bench.api.other()
            let stranger = try #require(bench.server.services.catalog.current().users.first { $0.id != bench.server.administrator.id })
            let refusals: [Refusal] = [
                .init(values: ["Appointment_Name": .null], code: "MANDATORY_NOT_FOUND", path: "Appointment_Name"),
                .init(values: ["Owner": .null], code: "MANDATORY_NOT_FOUND", path: "Owner"),
                .init(values: ["Service_Name": .null], code: "MANDATORY_NOT_FOUND", path: "Service_Name"),
                .init(values: ["Service_Name": ["id": "77"]], code: "INVALID_DATA", path: "Service_Name"),
                .init(values: ["Appointment_Start_Time": .null], code: "MANDATORY_NOT_FOUND", path: "Appointment_Start_Time"),
                .init(values: ["Owner": .string(String(stranger.id.raw))], code: "INVALID_DATA", path: "Owner"),
                .init(values: ["Location": "Business Address"], code: "INVALID_DATA", path: "Location"),
                .init(values: ["Location": "Moon"], code: "INVALID_DATA", path: "Location"),
                .init(values: ["Address": .null], code: "MANDATORY_NOT_FOUND", path: "Address"),
                .init(values: ["Status": "Done"], code: "INVALID_DATA", path: "Status"),
                .init(values: ["Status": "Completed"], code: "DEPENDENT_MISMATCH", path: "Status"),
                .init(values: ["Appointment_Start_Time": bench.moment(-60)], code: "DEPENDENT_MISMATCH", path: "Appointment_Start_Time"),
                .init(values: ["Cancellation_Note": "ill"], code: "DEPENDENT_FIELD_MISSING", path: "Status"),
                .init(values: ["Reschedule_Note": "ill"], code: "DEPENDENT_FIELD_MISSING", path: "Rescheduled_From"),
                .init(values: ["Rescheduled_From": bench.moment(700)], code: "INVALID_DATA", path: "Rescheduled_From"),
                .init(
                    values: ["Status": "Cancelled", "Cancellation_Reason": "Weather"], code: "INVALID_DATA", path: "Cancellation_Reason"),
                .init(values: ["Remind_At": [["unit": 101, "period": "hours"]]], code: "INVALID_DATA", path: "Remind_At[0].unit"),
                .init(values: ["Remind_At": [["unit": 1, "period": "weeks"]]], code: "INVALID_DATA", path: "Remind_At[0].period"),
                .init(values: ["Remind_At": "soon"], code: "INVALID_DATA", path: "Remind_At"),
                .init(
                    values: ["Appointment_For": ["module": ["api_name": "Campaigns"], "id": .string(other)]], code: "INVALID_DATA",
                    path: "Appointment_For.module"),
            ]
            for refusal in refusals {
                let answer = await bench.api.send("POST", "Appointments__s", ["data": [bench.plainAppointment(service, refusal.values)]])
                #expect(
                    answer.status == 400 && answer.codes == [refusal.code]
                        && answer.refusal["json_path"] == .string("$.data[0].\(refusal.path)"), "\(refusal) \(answer.text)")
            }
            #expect(await bench.api.count("Appointments__s") == 0)
            let past = try await bench.appointment(service, ["Appointment_Start_Time": bench.moment(-120), "Status": "Overdue"])
            #expect(await bench.api.record("Appointments__s", past)["Status"] == "Overdue")
            let moved = try await bench.appointment(service, ["Rescheduled_From": bench.moment(500)])
            let shown = await bench.api.record("Appointments__s", moved)
            #expect(
                shown["Reschedule_Count"] == 1 && shown["Reschedule_Reason"] == "By Customer"
                    && shown["Rescheduled_To"] == bench.moment(600))
        }
    }

    /// Row 149: inside the service's availability; 153: the two preferences about it.
    @Test(arguments: TestServer.engines)
    func bookingsKeepToTheHoursThePreferencesSay(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            try await bench.setBusinessHours(["Monday", "Tuesday", "Wednesday"], "09:00", "17:00")
            let service = try await bench.service([
                "Availability_Type": "Specific Day(s)", "Available_Days": ["Monday"],
                "Available_Timings": [["From": "10:00", "To": "12:00"]],
            ])
            // 7 January 2030 is a Monday; a new organisation is in California.
            func book(_ moment: String) async -> [String] {
                await bench.api.send(
                    "POST", "Appointments__s", ["data": [bench.plainAppointment(service, ["Appointment_Start_Time": .string(moment)])]]
                ).codes
            }
            let (inside, late, tuesday, night, sunday) = (
                "2030-01-07T11:00:00-08:00", "2030-01-07T11:30:00-08:00", "2030-01-08T11:00:00-08:00", "2030-01-08T20:00:00-08:00",
                "2030-01-06T11:00:00-08:00"
            )
            #expect(await book(inside) == ["SUCCESS"])
            for moment in [late, tuesday, night, sunday] { #expect(await book(moment) == ["INVALID_DATA"], "\(moment)") }
            try await bench.prefer(["allow_booking_outside_service_availability": true])
            for moment in [late, tuesday] { #expect(await book(moment) == ["SUCCESS"], "\(moment)") }
            for moment in [night, sunday] { #expect(await book(moment) == ["INVALID_DATA"], "\(moment)") }
            try await bench.prefer(["allow_booking_outside_businesshours": true])
            for moment in [night, sunday] { #expect(await book(moment) == ["SUCCESS"], "\(moment)") }
        }
    }

    /// Rows 150 and 154 to 157.
    @Test(arguments: TestServer.engines)
    func aMoveIsToldByTheAppointmentAndThoseBeforeByItsHistory(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            let service = try await bench.service()
            let id = try await bench.appointment(service)
            let history =
                "Appointments__s/\(id)/Appointments_Rescheduled_History__s?fields=Rescheduled_From,Rescheduled_To,Reschedule_Reason,Reschedule_Note"
            let row: JSONValue = [
                "Appointment_Name": ["id": .string(id)], "Rescheduled_Time": bench.moment(-10), "Rescheduled_From": bench.moment(1),
                "Rescheduled_To": bench.moment(2), "Rescheduled_By": ["id": .string(bench.admin)],
            ]
            let early = await bench.api.send("POST", "Appointments_Rescheduled_History__s", ["data": [row]])
            #expect(early.status == 403 && early.codes == ["NOT_ALLOWED"], "\(early.text)")
            #expect(await bench.change(id, ["Reschedule_Note": "x"]).codes == ["DEPENDENT_FIELD_MISSING"])
            #expect(await bench.change(id, ["Appointment_Start_Time": bench.moment(600)]).codes == ["DEPENDENT_FIELD_UNCHANGED"])

            let first = await bench.change(
                id, ["Appointment_Start_Time": bench.moment(700), "Reschedule_Reason": "By Team", "Reschedule_Note": "ill"])
            #expect(first.codes == ["SUCCESS"], "\(first.text)")
            var shown = await bench.api.record("Appointments__s", id)
            #expect(shown["Reschedule_Count"] == 1 && shown["Rescheduled_From"] == bench.moment(600), "\(shown)")
            #expect(shown["Rescheduled_To"] == bench.moment(700) && shown["Reschedule_Reason"] == "By Team")
            #expect(shown["Rescheduled_By"]?["id"] == .string(bench.admin) && shown["Appointment_End_Time"] == bench.moment(760))
            #expect(await bench.api.send("GET", history).status == 204, "nothing after the first")
            #expect(await bench.change(id, ["Reschedule_Note": "very ill"]).codes == ["SUCCESS"])

            #expect(await bench.change(id, ["Appointment_Start_Time": bench.moment(650)]).codes == ["SUCCESS"])
            let kept = await bench.api.send("GET", history)
            #expect(
                kept.rows.count == 1 && kept.rows[0]["Rescheduled_From"] == bench.moment(600)
                    && kept.rows[0]["Reschedule_Note"] == "very ill")
            shown = await bench.api.record("Appointments__s", id)
            #expect(shown["Reschedule_Count"] == 2 && shown["Reschedule_Reason"] == "By Customer" && shown["Reschedule_Note"] == .null)

            // Rows of the caller's own, up to twenty.
            let added = await bench.api.send(
                "POST", "Appointments_Rescheduled_History__s", ["data": .array(Array(repeating: row, count: 20))])
            #expect(added.status == 207 && added.codes.filter { $0 == "IN_REQUEST_LIMIT_EXCEEDED" }.count == 1, "\(added.text)")
            let own = try #require(added.rows[0]["details"]?["id"]?.string)
            for (values, code): (JSONValue, String) in [
                (["Rescheduled_Time": bench.moment(5)], "INVALID_DATA"), (["Rescheduled_By": ["id": "5"]], "INVALID_DATA"),
                (["Reschedule_Reason": "By Chance"], "INVALID_DATA"), (["Reschedule_Note": "n"], "SUCCESS"),
            ] {
                #expect(
                    await bench.api.send("PUT", "Appointments_Rescheduled_History__s/\(own)", ["data": [values]]).codes == [code],
                    "\(values)")
            }
            let sorted = await bench.api.send(
                "GET", "Appointments_Rescheduled_History__s?fields=Rescheduled_From&sort_by=Rescheduled_From&sort_order=desc&per_page=3")
            #expect(sorted.rows.first?["Rescheduled_From"] == bench.moment(600), "\(sorted.text)")
            // The next move drops the oldest.
            #expect(await bench.change(id, ["Appointment_Start_Time": bench.moment(660)]).codes == ["SUCCESS"])
            #expect(await bench.api.send("GET", "Appointments_Rescheduled_History__s?fields=id").rows.count == 20)
            #expect(await bench.api.send("DELETE", "Appointments_Rescheduled_History__s/\(own)").codes == ["SUCCESS"])
            #expect(await bench.api.send("GET", "Appointments__s/5/Appointments_Rescheduled_History__s?fields=id").code == "INVALID_DATA")
            var missing = row
            missing["Rescheduled_By"] = .null
            #expect(
                await bench.api.send("POST", "Appointments_Rescheduled_History__s", ["data": [missing]]).codes == ["MANDATORY_NOT_FOUND"])
        }
    }

    /// Row 150, errors.
    @Test(arguments: TestServer.engines)
    func whatIsOverStaysAsItIs(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            let service = try await bench.service()
            let other = try await bench.service(["Service_Name": "Other"])
            let id = try await bench.appointment(service)
            #expect(await bench.change(id, ["Status": "Completed"]).codes == ["DEPENDENT_MISMATCH"])
            #expect(await bench.change(id, ["Status": "Overdue"]).codes == ["DEPENDENT_MISMATCH"])
            #expect(await bench.change(id, ["Status": "Done"]).codes == ["INVALID_DATA"])
            #expect(await bench.change(id, ["Cancellation_Note": "x"]).codes == ["DEPENDENT_FIELD_MISSING"])
            #expect(await bench.change(id, ["Cancellation_Note": "x", "Status": "Scheduled"]).codes == ["DEPENDENT_MISMATCH"])
            #expect(await bench.change(id, ["Service_Name": ["id": .string(other)]]).codes == ["SUCCESS"])
            #expect(await bench.api.record("Appointments__s", id)["Service_Name"]?["id"] == .string(service), "the service stays")
            #expect(await bench.api.send("PUT", "Appointments__s", ["data": [["Status": "Cancelled"]]]).codes == ["MANDATORY_NOT_FOUND"])
            let cancelled = await bench.change(id, ["Status": "Cancelled", "Cancellation_Note": "moved away"])
            #expect(cancelled.codes == ["SUCCESS"], "\(cancelled.text)")
            let shown = await bench.api.record("Appointments__s", id)
            #expect(shown["Cancellation_Reason"] == "By Customer" && shown["Cancelled_By"]?["id"] == .string(bench.admin))
            #expect(shown["Cancelled_Time"]?.string != nil)
            for values: JSONValue in [["Status": "Scheduled"], ["Appointment_Start_Time": bench.moment(900)]] {
                let answer = await bench.change(id, values)
                #expect(answer.status == 403 && answer.codes == ["NOT_ALLOWED"], "\(answer.text)")
            }
            #expect(await bench.change(id, ["Additional_Information": "kept"]).codes == ["SUCCESS"])
        }
    }

    /// Row 150: Overdue is set by the clock; Completed too unless the preference asks the user.
    @Test(arguments: TestServer.engines)
    func theClockSaysWhenAnAppointmentIsOver(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            // Tokens last an hour.
            let service = try await bench.service(["Duration": 15])
            let first = try await bench.appointment(service, ["Appointment_Start_Time": bench.moment(5)])
            let moved = try await bench.appointment(service, ["Appointment_Start_Time": bench.moment(5)])
            _ = await bench.change(moved, ["Appointment_Start_Time": bench.moment(3000)])
            bench.server.clock.advance(seconds: 1500)
            await JobWorker(bench.server.services).drain()
            #expect(await bench.api.record("Appointments__s", first)["Status"] == "Overdue")
            #expect(await bench.api.record("Appointments__s", moved)["Status"] == "Scheduled")
            #expect(await bench.change(first, ["Status": "Completed"]).codes == ["SUCCESS"])

            try await bench.prefer(["when_duration_exceeds": "mark_as_complete"])
            let second = try await bench.appointment(service, ["Appointment_Start_Time": bench.moment(28)])
            bench.server.clock.advance(seconds: 1500)
            let forbidden = await bench.change(second, ["Status": "Completed"])
            #expect(forbidden.status == 403 && forbidden.codes == ["NOT_ALLOWED"], "\(forbidden.text)")
            await JobWorker(bench.server.services).drain()
            #expect(await bench.api.record("Appointments__s", second)["Status"] == "Completed")
        }
    }

    /// Rows 150, 152 and 153: job sheets.
    @Test(arguments: TestServer.engines)
    func aJobSheetIsWrittenWhereItIsAskedFor(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            func put(_ values: JSONValue) async -> TestServer.Answer {
                await bench.api.send("PUT", "settings/appointment_preferences", ["appointment_preferences": values])
            }
            #expect(await put(["show_job_sheet": true]).json?["appointment_preferences"]?["code"] == "INVALID_DATA", "services have none")
            _ = await bench.api.send("PUT", "settings/service_preferences", ["service_preferences": ["job_sheet_enabled": true]])
            #expect(
                await put(["show_job_sheet": true, "when_duration_exceeds": "mark_as_complete"]).json?["appointment_preferences"]?["code"]
                    == "DEPENDENT_MISMATCH")
            try await bench.prefer(["show_job_sheet": true])
            let service = try await bench.service(["Job_Sheet_Required": "Yes", "Job_Sheet_Section__s": "Standard"])
            let id = try await bench.appointment(service, ["Appointment_Start_Time": bench.moment(-120), "Status": "Overdue"])
            let missing = await bench.change(id, ["Status": "Completed"])
            #expect(missing.codes == ["MANDATORY_NOT_FOUND"] && missing.refusal["api_name"] == "Job_Sheet_Name", "\(missing.text)")
            let done = await bench.change(
                id, ["Status": "Completed", "Job_Sheet_Name": "Delivered", "Job_Sheet_Description__s": "On time"])
            #expect(done.codes == ["SUCCESS"], "\(done.text)")
            let shown = await bench.api.record("Appointments__s", id)
            #expect(
                shown["Job_Sheet_Name__s"] == "Delivered" && shown["Job_Sheet_Created__s"] == true
                    && shown["Job_Sheet_Section__s"] == "Standard")
        }
    }
}
