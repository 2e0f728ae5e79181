import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Contract: fiscal-year, 93 and 94; business-hours, 95 to 97; holidays, 98 to 101; shift-hours, 106 to 109.
@Suite struct CalendarFamiliesTests {
    private struct Bench {
        let server: TestServer
        let token: String

        func send(_ method: String, _ path: String, _ body: JSONValue? = nil) async -> TestServer.Answer {
            await server.send(method, "/crm/v7/" + path, body, token: token)
        }
        func year(_ body: JSONValue) async -> TestServer.Answer { await send("PUT", "settings/fiscal_year", ["fiscal_year": body]) }
        func hours(_ body: JSONValue, _ method: String = "POST") async -> TestServer.Answer {
            await send(method, "settings/business_hours", ["business_hours": body])
        }
        func holiday(_ body: JSONValue) async -> TestServer.Answer { await send("POST", "settings/holidays", ["holidays": [body]]) }
        func shift(_ body: JSONValue) async -> TestServer.Answer {
            await send("POST", CalendarFamiliesTests.shifts, ["shift_hours": [body]])
        }
    }

    private static let shifts = "settings/business_hours/shift_hours"
    private static let week: JSONValue = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]

    private static func with(_ engine: Database.Engine, _ body: (Bench) async throws -> Void) async throws {
        try await TestServer.with(engine) { server in try await body(Bench(server: server, token: try await server.token())) }
    }

    private static func merged(_ base: JSONValue, _ values: JSONValue) -> JSONValue {
        var item = base
        for member in values.members ?? [] { item[member.name] = member.value }
        return item
    }

    private static let plainHours: JSONValue = [
        "type": "custom", "week_starts_on": "Monday", "business_days": week, "same_as_everyday": true, "daily_timing": ["09:00", "18:00"],
    ]
    private static let plainShift: JSONValue = [
        "name": "Day", "timezone": "Europe/Oslo", "shift_days": ["Monday", "Tuesday"], "same_as_everyday": true,
        "daily_timing": ["10:00", "17:00"],
    ]

    private static func code(_ answer: TestServer.Answer, _ wrapper: String) -> String {
        let result = answer.json?[wrapper].flatMap { $0.array?.first ?? $0 }
        return (result?["code"] ?? answer.json?["code"])?.string ?? answer.text
    }

    private static func path(_ answer: TestServer.Answer, _ wrapper: String) -> String? {
        answer.json?[wrapper].flatMap { $0.array?.first ?? $0 }?["details"]?["json_path"]?.string
    }

    /// 93 and 94; criteria ask by the year of the books.
    @Test(arguments: TestServer.engines) func theFiscalYearIsSetAndAskedFor(_ engine: Database.Engine) async throws {
        try await Self.with(engine) { bench in
            let first = await bench.send("GET", "settings/fiscal_year")
            #expect(first.status == 200 && first.json?["fiscal_year"]?["start_month"] == "January", "\(first.text)")
            #expect(first.json?["fiscal_year"]?["display_based_on"] == "start_month" && first.json?["fiscal_year"]?["id"]?.string != nil)
            let set = await bench.year(["start_month": "April", "display_based_on": "end_month"])
            #expect(set.status == 200, "\(set.text)")
            #expect(
                set.json == [
                    "fiscal_year": ["code": "SUCCESS", "details": [:], "message": "Updated Successfully", "status": "success"]
                ])
            let shown = await bench.send("GET", "settings/fiscal_year").json?["fiscal_year"]
            #expect(
                shown?["start_month"] == "April" && shown?["display_based_on"] == "end_month"
                    && shown?["id"] == first.json?["fiscal_year"]?["id"])
            #expect(await bench.year(["start_month": "JULY"]).status == 200)
            for bad: JSONValue in [[:], ["start_month": "Smarch"], ["start_month": 4], ["display_based_on": "middle"]] {
                let answer = await bench.year(bad)
                #expect(answer.status == 400 && Self.code(answer, "fiscal_year") == "INVALID_DATA", "\(answer.text)")
            }
            #expect(await bench.send("GET", "settings/fiscal_year").json?["fiscal_year"]?["start_month"] == "July")
            let reader = try await bench.server.token("ZohoCRM.settings.fiscal_year.READ")
            #expect(
                await bench.server.send("PUT", "/crm/v7/settings/fiscal_year", ["fiscal_year": ["start_month": "May"]], token: reader)
                    .status == 401)
        }
    }

    /// 95 to 97.
    @Test(arguments: TestServer.engines) func businessHoursAreSetAndChanged(_ engine: Database.Engine) async throws {
        try await Self.with(engine) { bench in
            #expect(await bench.send("GET", "settings/business_hours").status == 204)
            let cases: [(JSONValue, String, String?)] = [
                (["week_starts_on": "Monday"], "MANDATORY_NOT_FOUND", "type"),
                (["type": "custom"], "MANDATORY_NOT_FOUND", "week_starts_on"),
                (["type": "24*6", "week_starts_on": "Monday"], "INVALID_DATA", "type"),
                (["type": "24*7", "week_starts_on": "Moonday"], "INVALID_DATA", "week_starts_on"),
                (["type": "24*5", "week_starts_on": "Monday"], "DEPENDENT_FIELD_MISSING", "business_days"),
                (["type": "24*5", "week_starts_on": "Monday", "business_days": ["Monday"]], "INVALID_DATA", "business_days"),
                (
                    ["type": "custom", "week_starts_on": "Monday", "business_days": Self.week], "DEPENDENT_FIELD_MISSING",
                    "same_as_everyday"
                ),
                (Self.merged(Self.plainHours, ["daily_timing": .null]), "DEPENDENT_FIELD_MISSING", "daily_timing"),
                (Self.merged(Self.plainHours, ["same_as_everyday": false]), "DEPENDENT_FIELD_MISSING", "custom_timing"),
                (Self.merged(Self.plainHours, ["daily_timing": ["9", "18:00"]]), "INVALID_DATA", "daily_timing[0]"),
                (Self.merged(Self.plainHours, ["daily_timing": ["18:00", "09:00"]]), "INVALID_DATA", "daily_timing"),
                (Self.merged(Self.plainHours, ["business_days": ["Monday", "Monday"]]), "INVALID_DATA", "business_days[1]"),
                (
                    Self.merged(
                        Self.plainHours,
                        ["same_as_everyday": false, "custom_timing": [["days": "Monday", "business_timing": ["09:00", "10:00"]]]]),
                    "INVALID_DATA", "custom_timing"
                ),
            ]
            for (body, code, path) in cases {
                let answer = await bench.hours(body)
                #expect(answer.status == 400 && Self.code(answer, "business_hours") == code, "\(body.text): \(answer.text)")
                #expect(Self.path(answer, "business_hours") == path.map { "$.business_hours.\($0)" }, "\(answer.text)")
            }
            #expect(await bench.send("GET", "settings/business_hours").status == 204)
            let made = await bench.hours(Self.plainHours)
            #expect(made.status == 201 && made.json?["business_hours"]?["message"] == "Business Hours saved successfully", "\(made.text)")
            let id = made.json?["business_hours"]?["details"]?["id"] ?? .null
            let shown = await bench.send("GET", "settings/business_hours").json?["business_hours"]
            #expect(shown?["id"] == id && shown?["daily_timing"] == ["09:00", "18:00"] && shown?["custom_timing"] == .null)
            let days: JSONValue = .array(
                (Self.week.array ?? []).map { ["days": $0, "business_timing": ["10:00", "17:00"]] })
            let custom = Self.merged(Self.plainHours, ["same_as_everyday": false, "custom_timing": days, "id": id])
            #expect(await bench.hours(custom, "PUT").status == 200)
            let dropped = await bench.hours(
                Self.merged(custom, ["custom_timing": [["days": "Friday", "_delete": .null]]]), "PUT")
            #expect(dropped.status == 200, "\(dropped.text)")
            let left = await bench.send("GET", "settings/business_hours").json?["business_hours"]
            #expect(left?["business_days"]?.array?.count == 4 && left?["custom_timing"]?.array?.count == 4, "\(left ?? .null)")
            #expect(Self.code(await bench.hours(Self.plainHours, "PUT"), "business_hours") == "MANDATORY_NOT_FOUND")
            let other = await bench.hours(Self.merged(Self.plainHours, ["id": "12"]), "PUT")
            #expect(Self.code(other, "business_hours") == "INVALID_DATA")
            #expect(await bench.hours(["type": "24*7", "week_starts_on": "Sunday", "id": id], "PUT").status == 200)
            #expect(await bench.send("GET", "settings/business_hours").json?["business_hours"]?["type"] == "24_by_7")
        }
    }

    /// 98 to 101.
    @Test(arguments: TestServer.engines) func holidaysAreKept(_ engine: Database.Engine) async throws {
        try await Self.with(engine) { bench in
            #expect(await bench.send("GET", "settings/holidays").status == 204)
            let plain: JSONValue = ["name": "Founders", "date": "2031-04-24", "type": "business_holiday"]
            let cases: [(JSONValue, String, String)] = [
                (["date": "2031-04-24", "type": "business_holiday"], "MANDATORY_NOT_FOUND", "name"),
                (["name": "F", "type": "business_holiday"], "MANDATORY_NOT_FOUND", "date"),
                (["name": "F", "date": "2031-04-24"], "MANDATORY_NOT_FOUND", "type"),
                (["name": "F", "date": "2031-04-24", "shift_hour": ["id": "1"]], "DEPENDENT_FIELD_MISSING", "type"),
                (Self.merged(plain, ["type": "shift_holiday"]), "DEPENDENT_FIELD_MISSING", "shift_hour"),
                (Self.merged(plain, ["type": "shift_holiday", "shift_hour": ["id": "1"]]), "INVALID_DATA", "shift_hour.id"),
                (Self.merged(plain, ["name": "A&B"]), "INVALID_DATA", "name"),
                (Self.merged(plain, ["date": "24.04.2031"]), "INVALID_DATA", "date"),
                (Self.merged(plain, ["type": "moon"]), "INVALID_DATA", "type"),
            ]
            for (body, code, path) in cases {
                let answer = await bench.holiday(body)
                #expect(Self.code(answer, "holidays") == code, "\(body.text): \(answer.text)")
                #expect(Self.path(answer, "holidays") == "$.holidays[0].\(path)", "\(answer.text)")
            }
            let made = await bench.holiday(plain)
            #expect(
                made.status == 201 && made.json?["holidays"]?.array?.first?["message"] == "Holiday created successfully", "\(made.text)")
            let id = made.json?["holidays"]?.array?.first?["details"]?["id"]?.string ?? ""
            #expect(Self.code(await bench.holiday(plain), "holidays") == "DUPLICATE_DATA")
            let listed = await bench.send("GET", "settings/holidays?year=2031&type=business_holiday")
            #expect(
                listed.json?["holidays"] == [
                    [
                        "id": .string(id), "type": "business_holiday", "shift_hour": .null, "name": "Founders", "date": "2031-04-24",
                        "year": 2031,
                    ]
                ], "\(listed.text)")
            #expect(listed.json?["info"] == ["per_page": 200, "count": 1, "page": 1, "more_records": false])
            #expect(await bench.send("GET", "settings/holidays?year=2030").status == 204)
            #expect(await bench.send("GET", "settings/holidays/\(id)").json?["holidays"]?.array?.count == 1)
            let moved = await bench.send("PUT", "settings/holidays/\(id)", ["holidays": [["name": "Founding", "date": "2032-04-24"]]])
            #expect(moved.status == 200, "\(moved.text)")
            let many = await bench.send(
                "PUT", "settings/holidays",
                [
                    "holidays": [
                        ["id": .string(id), "name": "Founding", "date": "2031-04-25"], ["id": "7", "name": "x", "date": "2031-01-01"],
                    ]
                ])
            #expect(many.json?.codes("holidays") == ["SUCCESS", "INVALID_DATA"], "\(many.text)")
            // 52 in a year, and not one more.
            let year = (0..<52).map { number -> JSONValue in
                [
                    "name": .string("H\(number)"),
                    "date": .string("2033-0\(1 + number / 26)-\(number % 26 + 1 < 10 ? "0" : "")\(number % 26 + 1)"),
                    "type": "business_holiday",
                ]
            }
            let full = await bench.send("POST", "settings/holidays", ["holidays": .array(year)])
            #expect(full.status == 201, "\(full.text)")
            #expect(
                Self.code(await bench.holiday(["name": "Over", "date": "2033-05-01", "type": "business_holiday"]), "holidays")
                    == "LIMIT_EXCEEDED")
            #expect(
                await bench.send("DELETE", "settings/holidays/\(id)").json?["holidays"]?.array?.first?["message"]
                    == "Holiday deleted successfully")
            #expect(await bench.send("DELETE", "settings/holidays/\(id)").status == 400)
        }
    }

    /// 106 to 109.
    @Test(arguments: TestServer.engines) func shiftsLieInsideBusinessHours(_ engine: Database.Engine) async throws {
        try await Self.with(engine) { bench in
            #expect(Self.code(await bench.shift(Self.plainShift), "shift_hours") == "NOT_ALLOWED")
            #expect(await bench.hours(Self.plainHours).status == 201)
            func pause(_ values: JSONValue) -> JSONValue {
                Self.merged(["same_as_everyday": true, "break_days": ["Monday"], "daily_timing": ["12:00", "13:00"]], values)
            }
            let cases: [(JSONValue, String)] = [
                (["name": .null], "MANDATORY_NOT_FOUND"), (["timezone": .null], "MANDATORY_NOT_FOUND"),
                (["timezone": "Mars/Base"], "INVALID_DATA"),
                (["name": "A;B"], "INVALID_DATA"), (["shift_days": ["Sunday"]], "INVALID_DATA"),
                (["daily_timing": .null], "DEPENDENT_FIELD_MISSING"),
                (["daily_timing": ["08:00", "17:00"]], "INVALID_DATA"), (["same_as_everyday": false], "DEPENDENT_FIELD_MISSING"),
                (["same_as_everyday": false, "custom_timing": [["shift_timing": ["10:00", "11:00"]]]], "DEPENDENT_FIELD_MISSING"),
                (["same_as_everyday": false, "custom_timing": [["days": "Monday", "shift_timing": ["10:00", "11:00"]]]], "INVALID_DATA"),
                (["break_hours": [pause(["daily_timing": ["09:00", "10:30"]])]], "INVALID_DATA"),
                (["break_hours": [pause([:]), pause(["daily_timing": ["12:30", "13:30"]])]], "INVALID_DATA"),
                (["break_hours": [pause(["daily_timing": ["12:00", "14:30"]])]], "NOT_ALLOWED"),
                (["users": [["id": "1"]]], "INVALID_DATA"),
                (["users": [["id": .string(String(bench.server.administrator.id.raw)), "effective_from": "2001-01-01"]]], "INVALID_DATA"),
                (["holidays": [["name": "x", "date": "soon"]]], "INVALID_DATA"),
            ]
            for (values, code) in cases {
                let answer = await bench.shift(Self.merged(Self.plainShift, values))
                #expect(Self.code(answer, "shift_hours") == code, "\(values.text): \(answer.text)")
            }
            #expect(await bench.send("GET", Self.shifts).status == 204)
            #expect(await bench.send("GET", "settings/holidays").status == 204)

            let admin = JSONValue.string(String(bench.server.administrator.id.raw))
            let made = await bench.shift(
                Self.merged(
                    Self.plainShift,
                    ["break_hours": [pause([:])], "holidays": [["name": "Feast", "date": "2031-01-06"]], "users": [["id": admin]]]))
            #expect(
                made.status == 201 && made.json?["shift_hours"]?.array?.first?["message"] == "Shift Hours created successfully.",
                "\(made.text)")
            let id = made.json?["shift_hours"]?.array?.first?["details"]?["id"]?.string ?? ""
            let listed = await bench.send("GET", Self.shifts)
            #expect(listed.json?["shift_count"] == ["total_shift_with_user": 1, "total_shift": 1], "\(listed.text)")
            let shown = try #require(listed.json?["shift_hours"]?.array?.first)
            #expect(shown["users_count"] == 1 && shown["users"]?.array?.first?["id"] == admin && shown["custom_timing"] == .null)
            #expect(
                shown["break_hours"]?.array?.first?["daily_timing"] == ["12:00", "13:00"]
                    && shown["holidays"]?.array?.first?["name"] == "Feast")
            #expect(
                await bench.send("GET", "settings/holidays?shift_id=\(id)").json?["holidays"]?.array?.first?["shift_hour"]?["name"] == "Day"
            )
            let single = await bench.send("GET", Self.shifts + "/\(id)")
            #expect(single.json?["shift_hours"]?.array?.count == 1 && single.json?["shift_count"] == nil)

            // Nobody is in two shifts.
            #expect(await bench.shift(Self.merged(Self.plainShift, ["name": "Late", "users": [["id": admin]]])).status == 201)
            #expect(await bench.send("GET", Self.shifts + "/\(id)").json?["shift_hours"]?.array?.first?["users_count"] == 0)
            // Business hours may not shrink below a shift.
            let hours = await bench.send("GET", "settings/business_hours").json?["business_hours"]?["id"] ?? .null
            let less = await bench.hours(Self.merged(Self.plainHours, ["id": hours, "daily_timing": ["11:00", "18:00"]]), "PUT")
            #expect(Self.code(less, "business_hours") == "INVALID_DATA", "\(less.text)")

            let pauseID = shown["break_hours"]?.array?.first?["id"] ?? .null
            let changed = await bench.send(
                "PUT", Self.shifts + "/\(id)",
                [
                    "shift_hours": [
                        [
                            "name": "Early", "daily_timing": ["09:00", "12:30"], "break_hours": [["id": pauseID, "_delete": .null]],
                            "holidays": [["id": shown["holidays"]?.array?.first?["id"] ?? .null, "_delete": .null]],
                        ]
                    ]
                ])
            #expect(changed.status == 200, "\(changed.text)")
            let after = await bench.send("GET", Self.shifts + "/\(id)").json?["shift_hours"]?.array?.first
            #expect(after?["name"] == "Early" && after?["break_hours"] == .null && after?["holidays"] == .null, "\(after ?? .null)")
            #expect(
                await bench.send("DELETE", Self.shifts + "/\(id)").json?["shift_hours"]?.array?.first?["message"]
                    == "shift hours deleted successfully")
            #expect(await bench.send("DELETE", Self.shifts + "/\(id)").status == 400)
            let narrow = try await Organisation(bench.server).user("n@x.example", profile: Organisation(bench.server).standard)
            let theirs = await bench.server.send("POST", "/crm/v7/" + Self.shifts, ["shift_hours": [Self.plainShift]], token: narrow.token)
            #expect(theirs.status == 201 || theirs.json?["code"] == "NO_PERMISSION", "\(theirs.text)")
        }
    }

    /// A service of every business day is none on a holiday, and whoever works in a shift is booked in it.
    @Test(arguments: TestServer.engines) func appointmentsKeepToHolidaysAndShifts(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            let api = bench.api
            let service = try await bench.service()
            func book(_ start: String) async -> [String] {
                await api.send(
                    "POST", "Appointments__s", ["data": [bench.plainAppointment(service, ["Appointment_Start_Time": .string(start)])]]
                ).codes
            }
            // 2031-03-03 is a Monday; the organisation's clocks are its own.
            let zone = bench.server.services.catalog.current().zone
            func at(_ day: String, _ hour: Int) -> String {
                let plain = Instant(iso: "\(day)T\(hour < 10 ? "0" : "")\(hour):00:00Z") ?? Instant(milliseconds: 0)
                return Instant(milliseconds: plain.milliseconds - Int64(zone.offsetMinutes(at: plain)) * 60_000).iso(offsetMinutes: 0)
            }
            #expect(
                await api.send(
                    "POST", "settings/holidays", ["holidays": [["name": "Feast", "date": "2031-03-04", "type": "business_holiday"]]]
                ).status == 201)
            #expect(await book(at("2031-03-03", 10)) == ["SUCCESS"])
            #expect(await book(at("2031-03-04", 10)) == ["INVALID_DATA"])
            #expect(
                await api.send("POST", "settings/business_hours", ["business_hours": ["type": "24*7", "week_starts_on": "Monday"]]).status
                    == 201)
            let shift: JSONValue = [
                "name": "Day", "timezone": .string(bench.server.services.catalog.current().organization["time_zone"]?.string ?? "Etc/UTC"),
                "shift_days": ["Monday", "Wednesday"], "same_as_everyday": true, "daily_timing": ["09:00", "17:00"],
                "break_hours": [["same_as_everyday": true, "break_days": ["Monday"], "daily_timing": ["12:00", "13:00"]]],
                "holidays": [["name": "Off", "date": "2031-03-05"]], "users": [["id": .string(bench.admin)]],
            ]
            let made = await api.send("POST", Self.shifts, ["shift_hours": [shift]])
            #expect(made.status == 201, "\(made.text)")
            #expect(await book(at("2031-03-03", 10)) == ["SUCCESS"])
            #expect(await book(at("2031-03-03", 12)) == ["INVALID_DATA"])
            #expect(await book(at("2031-03-03", 18)) == ["INVALID_DATA"])
            #expect(await book(at("2031-03-06", 10)) == ["INVALID_DATA"])
            #expect(await book(at("2031-03-05", 10)) == ["INVALID_DATA"])
            #expect(await book(at("2031-03-12", 10)) == ["SUCCESS"])
        }
    }
}
