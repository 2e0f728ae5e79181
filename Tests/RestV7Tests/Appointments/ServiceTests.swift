import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Services and what the organisation prefers about them. Contract: `endpoints/services.md`, 142 to 147.
@Suite struct ServiceTests {
    /// Row 143, request keys; row 142.
    @Test(arguments: TestServer.engines)
    func aServiceKeepsWhatItIsOfferedWith(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            let tax = try #require(await bench.api.send("GET", "org/taxes").json?["org_taxes"]?["taxes"]?.array?.first)
            let id = try await bench.service([
                "Availability_Type": "Specific Day(s)", "Available_Days": ["Monday", "Tuesday"],
                "Available_Timings": [["From": "10:00", "To": "18:30"]],
                "Tax": [["id": tax["id"] ?? .null, "value": tax["display_label"] ?? .null]],
            ])
            let shown = await bench.api.record("Services__s", id)
            #expect(shown["Status"] == "Available" && shown["Job_Sheet_Required"] == "No" && shown["Job_Sheet_Section__s"] == .null)
            #expect(shown["Available_Days"] == ["Monday", "Tuesday"] && shown["Available_Timings"] == [["From": "10:00", "To": "18:30"]])
            #expect(shown["Members"]?.array?.first?["Members"]?["id"] == .string(bench.admin))
            #expect(shown["Tax"] == [["id": tax["id"] ?? .null, "value": tax["display_label"] ?? .null]])
            let list = await bench.api.send("GET", "Services__s?fields=Service_Name,Location,Job_Sheet_Required")
            #expect(list.rows == [["Service_Name": "Repair", "Location": "Client Address", "Job_Sheet_Required": "No", "id": .string(id)]])
            #expect(list.info["sort_by"] == "id" && list.info["sort_order"] == "desc")
            #expect(await bench.api.send("GET", "Services__s").code == "REQUIRED_PARAM_MISSING")

            // Another kind of availability drops what belonged to the former.
            let changed = await bench.api.send("PUT", "Services__s/\(id)", ["data": [["Availability_Type": "Every Business Days"]]])
            #expect(changed.status == 200, "\(changed.text)")
            #expect(await bench.api.record("Services__s", id)["Available_Days"] == .null)
            #expect(await bench.api.send("DELETE", "Services__s?ids=\(id)").codes == ["SUCCESS"])
            #expect(await bench.api.send("GET", "Services__s?fields=id").status == 204)
            #expect(await bench.api.send("DELETE", "Services__s").code == "REQUIRED_PARAM_MISSING")
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let values: JSONValue
        let code: String
        let path: String
        var status = 400
        var testDescription: String { "\(values.text) \(code)" }
    }

    static let refusals: [Refusal] = [
        .init(values: ["Duration": 14], code: "INVALID_DATA", path: "Duration"),
        .init(values: ["Duration": 1441], code: "INVALID_DATA", path: "Duration"),
        .init(values: ["Location": "Moon"], code: "INVALID_DATA", path: "Location"),
        .init(values: ["Members": [["Members": ["id": "1"]]]], code: "INVALID_DATA", path: "Members[0].Members"),
        .init(values: ["Members": .null], code: "MANDATORY_NOT_FOUND", path: "Members"),
        .init(values: ["Members": [[:]]], code: "MANDATORY_NOT_FOUND", path: "Members[0].Members"),
        .init(values: ["Members": [["Members": .null]]], code: "MANDATORY_NOT_FOUND", path: "Members[0].Members"),
        .init(values: ["Service_Name": "  "], code: "MANDATORY_NOT_FOUND", path: "Service_Name"),
        .init(values: ["Price": -1], code: "INVALID_DATA", path: "Price"),
        .init(values: ["Available_Timings": [:]], code: "INVALID_DATA", path: "Available_Timings"),
        .init(values: ["Available_Timings": ["10:00"]], code: "INVALID_DATA", path: "Available_Timings[0]"),
        .init(values: ["Availability_Type": "Always"], code: "INVALID_DATA", path: "Availability_Type"),
        .init(
            values: ["Availability_Type": "Specific Date Range", "Available_From": "2030-01-01"], code: "DEPENDENT_FIELD_MISSING",
            path: "Available_Till"),
        .init(
            values: ["Availability_Type": "Specific Date Range", "Available_From": "2030-01-02", "Available_Till": "2030-01-02"],
            code: "INVALID_DATA", path: "Available_Till"),
        .init(values: ["Availability_Type": "Specific Date(s)"], code: "DEPENDENT_FIELD_MISSING", path: "Available_Dates"),
        .init(
            values: ["Availability_Type": "Specific Date(s)", "Available_Dates": ["01/02/2030"]], code: "INVALID_DATA",
            path: "Available_Dates[0]"),
        .init(
            values: ["Availability_Type": "Specific Date(s)", "Available_Dates": .array((10...30).map { .string("2030-01-\($0)") })],
            code: "INVALID_DATA", path: "Available_Dates"),
        .init(
            values: ["Availability_Type": "Specific Date(s)", "Available_Dates": ["2001-01-01"]], code: "NOT_ALLOWED",
            path: "Available_Dates",
            status: 403),
        .init(values: ["Availability_Type": "Specific Day(s)"], code: "DEPENDENT_FIELD_MISSING", path: "Available_Days"),
        .init(values: ["Availability_Type": "Specific Day(s)", "Available_Days": ["Noday"]], code: "INVALID_DATA", path: "Available_Days"),
        .init(values: ["Available_Timings": [["From": "9", "To": "10:00"]]], code: "INVALID_DATA", path: "Available_Timings[0].From"),
        .init(values: ["Available_Timings": [["From": "09:00", "To": "09:30"]]], code: "INVALID_DATA", path: "Available_Timings[0]"),
        .init(
            values: ["Available_Timings": .array(Array(repeating: ["From": "09:00", "To": "12:00"], count: 3))], code: "INVALID_DATA",
            path: "Available_Timings"),
        .init(
            values: ["Job_Sheet_Required": "Yes", "Job_Sheet_Section__s": "S"], code: "NOT_ALLOWED", path: "Job_Sheet_Required", status: 403
        ),
        .init(values: ["Job_Sheet_Required": "No", "Job_Sheet_Section__s": "S"], code: "DEPENDENT_MISMATCH", path: "Job_Sheet_Section__s"),
        .init(values: ["Status": "Gone"], code: "INVALID_DATA", path: "Status"),
        .init(values: ["Status": "Not in Use"], code: "DEPENDENT_FIELD_MISSING", path: "Unavailable_From"),
        .init(
            values: ["Status": "Temporarily Unavailable", "Unavailable_From": "2020-01-01T00:00:00Z"], code: "DEPENDENT_FIELD_MISSING",
            path: "Unavailable_Till"),
        .init(
            values: [
                "Status": "Temporarily Unavailable", "Unavailable_From": "2020-01-01T00:00:00Z", "Unavailable_Till": "2020-01-02T00:00:00Z",
            ],
            code: "DEPENDENT_MISMATCH", path: "Unavailable_Till"),
        .init(
            values: ["Status": "Not in Use", "Unavailable_From": "2090-01-01T00:00:00Z"], code: "INVALID_DATA", path: "Unavailable_From"),
        .init(values: ["Unavailable_From": "2020-01-01T00:00:00Z"], code: "DEPENDENT_MISMATCH", path: "Unavailable_Till"),
        .init(
            values: ["Unavailable_From": "2020-01-01T00:00:00Z", "Unavailable_Till": "2090-01-02T00:00:00Z"], code: "DEPENDENT_MISMATCH",
            path: "Unavailable_Till"),
        .init(values: ["Tax": [["id": "5"]]], code: "INVALID_DATA", path: "Tax[0]"),
    ]

    /// Row 143, errors.
    @Test(arguments: TestServer.engines)
    func aServiceThatContradictsItselfIsRefused(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            for refusal in Self.refusals {
                var values = bench.plainService
                for member in refusal.values.members ?? [] { values[member.name] = member.value }
                let answer = await bench.api.send("POST", "Services__s", ["data": [values]])
                #expect(
                    answer.status == refusal.status && answer.codes == [refusal.code]
                        && answer.refusal["json_path"] == .string("$.data[0].\(refusal.path)"), "\(refusal) \(answer.text)")
            }
            #expect(await bench.api.count("Services__s") == 0)
        }
    }

    /// Row 143: DEPENDENT_MISMATCH outside business hours.
    @Test(arguments: TestServer.engines)
    func aServiceIsOfferedInBusinessHours(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            try await bench.setBusinessHours(["Monday", "Tuesday"], "09:00", "17:00")
            func code(_ values: JSONValue) async -> [String] {
                var service = bench.plainService
                for member in values.members ?? [] { service[member.name] = member.value }
                return await bench.api.send("POST", "Services__s", ["data": [service]]).codes
            }
            #expect(await code(["Available_Timings": [["From": "08:00", "To": "12:00"]]]) == ["DEPENDENT_MISMATCH"])
            #expect(await code(["Availability_Type": "Specific Day(s)", "Available_Days": ["Sunday"]]) == ["DEPENDENT_MISMATCH"])
            // 2 January 2030 is a Wednesday.
            #expect(await code(["Availability_Type": "Specific Date(s)", "Available_Dates": ["2030-01-02"]]) == ["DEPENDENT_MISMATCH"])
            #expect(await code(["Available_Timings": [["From": "09:00", "To": "17:00"]]]) == ["SUCCESS"])
            #expect(
                await code([
                    "Availability_Type": "Specific Day(s)", "Available_Days": ["Sunday"], "Status": "Not in Use",
                    "Unavailable_From": "2020-01-01T00:00:00Z",
                ]) == ["SUCCESS"], "what is not in use may stand outside of them")
        }
    }

    /// Rows 146 and 147.
    @Test(arguments: TestServer.engines)
    func jobSheetsAreForOrganisationsThatWantThem(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            #expect(
                await bench.api.send("GET", "settings/service_preferences").json == ["service_preferences": ["job_sheet_enabled": false]])
            let saved = await bench.api.send("PUT", "settings/service_preferences", ["service_preferences": ["job_sheet_enabled": true]])
            #expect(saved.json?["service_preferences"]?["message"] == "Services preferences updated successfully", "\(saved.text)")
            #expect(
                await bench.api.send("GET", "settings/service_preferences").json == ["service_preferences": ["job_sheet_enabled": true]])
            let id = try await bench.service(["Job_Sheet_Required": "Yes", "Job_Sheet_Section__s": "Standard"])
            #expect(await bench.api.record("Services__s", id)["Job_Sheet_Section__s"] == "Standard")
            let missing = await bench.api.send("POST", "Services__s", ["data": [bench.service(with: ["Job_Sheet_Required": "Yes"])]])
            #expect(missing.codes == ["DEPENDENT_FIELD_MISSING"])
            for body: JSONValue in [["service_preferences": ["job_sheet_enabled": "yes"]], ["service_preferences": [:]], [:]] {
                #expect(await bench.api.send("PUT", "settings/service_preferences", body).status == 400)
            }
            var narrow = bench.api
            narrow.token = try await bench.server.token("ZohoCRM.settings.modules.READ,ZohoCRM.modules.services.READ")
            #expect(await narrow.send("GET", "settings/service_preferences").status == 200)
            #expect(await narrow.send("PUT", "settings/service_preferences", [:]).status == 401)
            #expect(await narrow.send("GET", "Services__s?fields=id").status == 200)
            #expect(await narrow.send("POST", "Services__s", ["data": [[:]]]).status == 401)
        }
    }

    /// Row 143: 500 active services; records, 129 for the copy.
    @Test(arguments: TestServer.engines)
    func noMoreThanFiveHundredServicesAreInUse(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            for _ in 0..<4 {
                _ = try await bench.api.insert("Services__s", Array(repeating: bench.plainService, count: 100))
            }
            let first = try await bench.api.insert("Services__s", Array(repeating: bench.plainService, count: 98))[0]
            let answer = await bench.api.send("POST", "Services__s", ["data": .array(Array(repeating: bench.plainService, count: 3))])
            #expect(answer.status == 207 && answer.codes == ["SUCCESS", "SUCCESS", "LIMIT_EXCEEDED"], "\(answer.text)")
            let idle = bench.service(with: ["Status": "Not in Use", "Unavailable_From": "2020-01-01T00:00:00Z"])
            let kept = try await bench.api.insert("Services__s", [idle])[0]
            #expect(await bench.api.send("PUT", "Services__s/\(kept)", ["data": [["Status": "Available"]]]).codes == ["LIMIT_EXCEEDED"])
            _ = await bench.api.send(
                "PUT", "Services__s/\(first)", ["data": [["Status": "Not in Use", "Unavailable_From": "2020-01-01T00:00:00Z"]]])
            #expect(await bench.api.send("PUT", "Services__s/\(kept)", ["data": [["Status": "Available"]]]).codes == ["SUCCESS"])
        }
    }

    /// Row 145; records, 129.
    @Test(arguments: TestServer.engines)
    func appointmentsGoWithTheirServiceAndComeBackWithIt(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            let service = try await bench.service()
            let appointment = try await bench.appointment(service)
            let copy = await bench.api.send("POST", "Services__s/\(service)/actions/clone", ["data": [["Service_Name": "Copy"]]])
            #expect(copy.status == 201, "\(copy.text)")
            #expect(await bench.api.send("GET", "Services__s/\(service)/Appointments__s?fields=id").rows.count == 1)
            #expect(await bench.api.send("DELETE", "Services__s/\(service)").codes == ["SUCCESS"])
            #expect(await bench.api.send("GET", "Appointments__s/\(appointment)").status == 204)
            #expect(await bench.api.count("Services__s") == 1)
        }
    }
}

/// A server with somebody to serve, and short words for services and appointments.
struct BookingBench {
    let server: TestServer
    let api: RecordCaller
    let contact: String
    let started: Instant
    var admin: String { String(server.administrator.id.raw) }

    static func with(_ engine: Database.Engine, _ body: (BookingBench) async throws -> Void) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let contact = try await api.insert("Contacts", [["Last_Name": "Kim"]])[0]
            try await body(BookingBench(server: server, api: api, contact: contact, started: server.clock.now()))
        }
    }

    var plainService: JSONValue {
        [
            "Service_Name": "Repair", "Duration": 60, "Location": "Client Address", "Price": 230.66,
            "Availability_Type": "Every Business Days",
            "Members": [["Members": ["id": .string(admin)]]],
        ]
    }

    func service(with values: JSONValue) -> JSONValue {
        var service = plainService
        for member in values.members ?? [] { service[member.name] = member.value }
        return service
    }

    func service(_ values: JSONValue = [:]) async throws -> String { try await api.insert("Services__s", [service(with: values)])[0] }

    /// A moment so many minutes from the start of the test, as answers show it.
    func moment(_ minutes: Int64) -> JSONValue {
        let moment = Instant(milliseconds: (started.milliseconds / 60_000 + minutes) * 60_000)
        return .string(moment.iso(offsetMinutes: server.services.catalog.current().zone.offsetMinutes(at: moment)))
    }

    func plainAppointment(_ service: String, _ values: JSONValue = [:]) -> JSONValue {
        var item: JSONValue = [
            "Appointment_Name": "Kim - Repair", "Service_Name": ["id": .string(service)], "Owner": .string(admin),
            "Appointment_For": ["module": ["api_name": "Contacts"], "id": .string(contact), "name": "Kim"], "Location": "Client Address",
            "Address": "7 Jackson Street", "Appointment_Start_Time": moment(600),
        ]
        for member in values.members ?? [] { item[member.name] = member.value }
        return item
    }

    func appointment(_ service: String, _ values: JSONValue = [:]) async throws -> String {
        try await api.insert("Appointments__s", [plainAppointment(service, values)])[0]
    }

    func change(_ id: String, _ values: JSONValue) async -> TestServer.Answer {
        await api.send("PUT", "Appointments__s/\(id)", ["data": [values]])
    }

    func prefer(_ values: JSONValue) async throws {
        let answer = await api.send("PUT", "settings/appointment_preferences", ["appointment_preferences": values])
        try #require(answer.status == 200, "\(answer.text)")
    }

    /// As the settings would keep them.
    func setBusinessHours(_ days: [String], _ from: String, _ to: String) async throws {
        try await server.services.changeMetadata { scope in
            let body: JSONValue = [
                "type": "custom", "week_starts_on": "Monday", "business_days": .array(days.map(JSONValue.string)), "same_as_everyday": true,
                "daily_timing": [.string(from), .string(to)],
            ]
            try scope.add("business_hours", nil, body)
        }
    }
}
