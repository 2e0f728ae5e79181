import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Every type of field, written and read back. Contract: metadata/types, the table and "Validation and errors"; common, §10.
@Suite struct FieldValueTests {
    private struct Taken {
        let module: String
        let field: String
        let given: JSONValue
        let shown: JSONValue
    }

    private static let least: [String: JSONValue] = [
        "Leads": ["Last_Name": "Kim"], "Contacts": ["Last_Name": "Kim"], "Accounts": ["Account_Name": "Acme"],
        "Products": ["Product_Name": "Bolt"],
        "Tasks": ["Subject": "Call"], "Deals": ["Deal_Name": "Deal", "Stage": "Qualification"], "Vendors": ["Vendor_Name": "V"],
        "Events": ["Event_Title": "Meet", "Start_DateTime": "2025-02-01T10:00:00+00:00", "End_DateTime": "2025-02-01T11:00:00+00:00"],
    ]

    private static let taken: [Taken] = [
        .init(module: "Leads", field: "Company", given: "Ac\"me\\ \u{1F600} <b>\n\t", shown: "Ac\"me\\ \u{1F600} <b>\n\t"),
        .init(
            module: "Leads", field: "Company", given: .string(String(repeating: "é", count: 200)),
            shown: .string(String(repeating: "é", count: 200))),
        .init(module: "Leads", field: "Company", given: "", shown: .null),
        .init(module: "Leads", field: "Company", given: .null, shown: .null),
        .init(
            module: "Leads", field: "Description", given: .string(String(repeating: "x", count: 32_000)),
            shown: .string(String(repeating: "x", count: 32_000))),
        .init(module: "Leads", field: "Email", given: "_a+b-c@mail.crm.example", shown: "_a+b-c@mail.crm.example"),
        .init(module: "Leads", field: "Phone", given: "+1 (555) 0100-20;7", shown: "+1 (555) 0100-20;7"),
        .init(module: "Leads", field: "Website", given: "https://crm.example/a?b=c", shown: "https://crm.example/a?b=c"),
        .init(module: "Leads", field: "Website", given: "www.crm.example", shown: "www.crm.example"),
        .init(module: "Leads", field: "Lead_Source", given: "Cold Call", shown: "Cold Call"),
        .init(module: "Leads", field: "Lead_Source", given: "Never heard of", shown: "Never heard of"),
        .init(module: "Leads", field: "Lead_Source", given: "-None-", shown: .null),
        .init(module: "Tasks", field: "Status", given: "Waiting on someone else", shown: "Waiting for input"),
        .init(module: "Tasks", field: "Status", given: "Waiting for input", shown: "Waiting for input"),
        .init(module: "Products", field: "Tax", given: ["Vat - 0.0 %", "Other", "Vat - 0.0 %"], shown: ["Vat - 0.0 %", "Other"]),
        .init(module: "Products", field: "Tax", given: [], shown: .null),
        .init(module: "Leads", field: "Email_Opt_Out", given: true, shown: true),
        .init(module: "Leads", field: "Email_Opt_Out", given: .null, shown: false),
        .init(module: "Leads", field: "No_of_Employees", given: 999_999_999, shown: 999_999_999),
        .init(module: "Leads", field: "No_of_Employees", given: "-12", shown: -12),
        .init(module: "Leads", field: "No_of_Employees", given: "12", shown: 12),
        .init(module: "Accounts", field: "Account_Number", given: .number("999999999999999999"), shown: "999999999999999999"),
        .init(module: "Accounts", field: "Account_Number", given: "7", shown: "7"),
        .init(module: "Leads", field: "Annual_Revenue", given: .number("1234567890.129"), shown: .number("1234567890.12")),
        .init(module: "Leads", field: "Annual_Revenue", given: -5, shown: -5),
        .init(module: "Leads", field: "Annual_Revenue", given: "12.5", shown: .number("12.5")),
        .init(module: "Products", field: "Qty_in_Stock", given: .number("1e3"), shown: 1000),
        .init(module: "Contacts", field: "Date_of_Birth", given: "2000-02-29", shown: "2000-02-29"),
        .init(module: "Events", field: "Start_DateTime", given: "2025-02-01T12:30:00+02:30", shown: "2025-02-01T02:00:00-08:00"),
        .init(module: "Events", field: "Start_DateTime", given: "2025-02-01T10:00:00.123Z", shown: "2025-02-01T02:00:00-08:00"),
        .init(
            module: "Tasks", field: "Remind_At", given: ["ALARM": "ACTION=EMAIL;TRIGGER=-P1D"],
            shown: ["ALARM": "ACTION=EMAIL;TRIGGER=-P1D"]),
        .init(
            module: "Events", field: "Recurring_Activity", given: ["RRULE": "FREQ=DAILY;INTERVAL=1"],
            shown: ["RRULE": "FREQ=DAILY;INTERVAL=1"]),
        .init(
            module: "Events", field: "Remind_At", given: [["unit": 15, "period": "minutes"]], shown: [["unit": 15, "period": "minutes"]]),
        .init(module: "Leads", field: "Tag", given: [["name": "a"], ["name": "a"]], shown: .null),
    ]

    @Test(arguments: TestServer.engines)
    func eachTypeTakesWhatItShould(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            #expect(server.administrator.zone.identifier == "America/Los_Angeles", "the datetimes above are shown in the caller's zone")
            for one in Self.taken {
                var item = Self.least[one.module] ?? [:]
                item[one.field] = one.given
                let answer = await api.send("POST", one.module, ["data": [item]])
                #expect(answer.status == 201, "\(one.field) \(answer.text)")
                let record = await api.record(one.module, answer.refusal["id"]?.string ?? "")
                if one.field == "Tag" {
                    #expect(record["Tag"]?.array?.count == 1)
                    continue
                }
                #expect(
                    record[one.field] == one.shown, "\(one.field) \(one.given.text.prefix(60)): \(record[one.field]?.text.prefix(80) ?? "")"
                )
                guard one.given != .null else { continue }
                // What was shown can be written back.
                let again = await api.send(
                    "PUT", "\(one.module)/\(answer.refusal["id"]?.string ?? "")",
                    ["data": [[one.field: record[one.field] ?? .null] as JSONValue]])
                #expect(again.status == 200, "\(one.field) \(again.text)")
                let kept = await api.record(one.module, answer.refusal["id"]?.string ?? "")[one.field]
                #expect(kept == one.shown, "\(one.field) \(one.given.text.prefix(60)): \(kept?.text.prefix(80) ?? "")")
            }
        }
    }

    /// The key that tells what is wrong, beside `api_name` and `json_path`.
    private enum Fault: CustomStringConvertible {
        case type(String)
        case longest(Int)
        case other
        var description: String { detail.map { "\($0.name)=\($0.value.text)" } ?? "other" }
        var detail: JSONValue.Member? {
            switch self {
            case .type(let name): .init("expected_data_type", .string(name))
            case .longest(let length): .init("maximum_length", .integer(length))
            case .other: nil
            }
        }
    }

    private static let refused: [(String, String, Fault, [JSONValue])] = [
        ("Leads", "Company", .type("text"), [5, true, [:], ["x"], 1.5]),
        ("Leads", "Company", .longest(200), [.string(String(repeating: "x", count: 201))]),
        // A character with two hundred accents is one to readers, and more than a field holds.
        ("Leads", "Company", .longest(200), [.string("e" + String(repeating: "\u{301}", count: 200))]),
        ("Leads", "Description", .longest(32_000), [.string(String(repeating: "x", count: 32_001))]),
        ("Leads", "Description", .type("text"), [["a": 1]]),
        (
            "Leads", "Email", .type("email"),
            [
                "kim", "kim@", "@crm.example", "kim@crm", "kim@crm.e", "ki m@crm.example", ".kim@crm.example", "a@b@c.example",
                "kim@crm..example",
            ]
        ),
        ("Leads", "Email", .type("text"), [5, []]),
        ("Leads", "Email", .longest(100), [.string(String(repeating: "x", count: 90) + "@crm.example")]),
        ("Leads", "Phone", .type("phone"), ["call me", "+", "555_0100", "55<50"]), ("Leads", "Phone", .type("text"), [5_550_100]),
        ("Leads", "Phone", .longest(30), [.string(String(repeating: "5", count: 31))]),
        ("Leads", "Website", .type("website"), ["crm", "http://", "crm example.com", ".example", "https://a..b"]),
        ("Leads", "Website", .type("text"), [false]),
        ("Leads", "Lead_Source", .type("text"), [5, ["Cold Call"], true]),
        ("Leads", "Lead_Source", .longest(120), [.string(String(repeating: "x", count: 121))]),
        ("Products", "Tax", .type("jsonarray"), ["Vat", 5, [:]]), ("Leads", "Email_Opt_Out", .type("boolean"), ["true", 1, 0, [], "yes"]),
        (
            "Leads", "No_of_Employees", .type("integer"),
            ["many", true, 1.5, [], .number("1e2"), .number("99999999999999999999"), "0x10", "--1"]
        ),
        ("Leads", "No_of_Employees", .longest(9), [1_234_567_890, .number("-9223372036854775808"), "9223372036854775807"]),
        ("Accounts", "Account_Number", .type("bigint"), ["x", 1.5, true, .number("99999999999999999999")]),
        ("Accounts", "Account_Number", .longest(18), [.number("1234567890123456789")]),
        ("Leads", "Annual_Revenue", .type("double"), ["much", true, [], "nan", "inf", "-infinity", "0x1p3", .number("1e400")]),
        ("Leads", "Annual_Revenue", .longest(16), [.number("1e16"), .number("-12345678901234567"), .number("1e300")]),
        ("Products", "Qty_in_Stock", .type("double"), ["ten", [:]]),
        (
            "Contacts", "Date_of_Birth", .type("date"),
            ["2001-02-29", "01/02/2000", "2000-1-1", "2000-01-01T00:00:00Z", 20_000_101, "0000-00-00", "0000-01-01", "10000-01-01"]
        ),
        (
            "Events", "Start_DateTime", .type("datetime"),
            ["2025-02-01", "2025-02-01T10:00:00", "2025-02-01T25:00:00Z", "now", 5, "0000-12-31T23:59:59Z", "2025-02-01T10:00:00+99:00"]
        ),
        ("Tasks", "Remind_At", .type("jsonobject"), ["tomorrow", 5]), ("Events", "Recurring_Activity", .type("jsonobject"), ["daily"]),
        ("Events", "Remind_At", .type("jsonarray"), [15, true]), ("Leads", "Tag", .type("jsonarray"), ["a", 5, [:]]),
        ("Leads", "Tag", .longest(10), [.array((0..<11).map { ["name": .string("t\($0)")] })]),
        ("Contacts", "Account_Name", .type("jsonobject"), ["x", true, -1, 0]),
        ("Leads", "Owner", .type("jsonobject"), [[:], "me"]), ("Leads", "Owner", .other, ["1", 7]), ("Leads", "Layout", .other, ["1"]),
    ]

    @Test(arguments: TestServer.engines)
    func eachTypeSaysWhatIsWrongWithAValue(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            for (module, field, fault, values) in Self.refused {
                for value in values {
                    var item = Self.least[module] ?? [:]
                    item[field] = value
                    let answer = await api.send("POST", module, ["data": [item]])
                    #expect(
                        answer.status == 400 && answer.codes == ["INVALID_DATA"],
                        "\(field) \(value.text.prefix(60)) \(answer.text.prefix(300))")
                    #expect(
                        answer.refusal["api_name"] == .string(field) && answer.refusal["json_path"] == .string("$.data[0].\(field)"),
                        "\(field) \(value.text.prefix(60)) \(answer.text.prefix(300))")
                    if let detail = fault.detail {
                        #expect(answer.refusal[detail.name] == detail.value, "\(field) \(value.text.prefix(60)) \(answer.text.prefix(300))")
                    }
                }
            }
            for module in Self.least.keys { #expect(await api.count(module) == 0, "\(module)") }
        }
    }

    /// Contract: records, section notes; 126, `$append_values`.
    @Test(arguments: TestServer.engines)
    func appendedChoicesJoinTheOldOnes(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let id = try await api.insert("Products", [["Product_Name": "Bolt", "Tax": ["A", "B"], "$append_values": ["Tax": true]]])[0]
            func put(_ tax: JSONValue, _ append: JSONValue?) async -> JSONValue? {
                var item: JSONValue = ["Tax": tax]
                item["$append_values"] = append
                #expect(await api.send("PUT", "Products/\(id)", ["data": [item]]).status == 200)
                return await api.record("Products", id)["Tax"]
            }
            #expect(await put(["C", "A"], ["Tax": true]) == ["A", "B", "C"])
            #expect(await put(["D"], ["Tax": false]) == ["D"])
            #expect(await put(["E"], ["Other": true]) == ["E"])
            #expect(await put([], ["Tax": true]) == ["E"], "adding nothing takes nothing away")
            #expect(await put(["F"], 5) == ["F"])
            #expect(await put([], nil) == .null)
        }
    }

    /// A picklist value is found under both its spellings and stored under the one that is shown.
    @Test(arguments: TestServer.engines)
    func theShownSpellingWinsOverAnotherValuesActualOne(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            try await server.services.changeMetadata { scope in
                guard let field = scope.catalog.module("Leads")?.field("Rating") else { return }
                var body = field.body
                body["pick_list_values"] = [
                    ["display_value": "Low", "actual_value": "L"], ["display_value": "High", "actual_value": "Low"],
                ]
                try scope.replace(RecordID(raw: field.id.raw), body: body)
            }
            let ids = try await api.insert(
                "Leads", [["Last_Name": "A", "Rating": "Low"], ["Last_Name": "B", "Rating": "L"], ["Last_Name": "C", "Rating": "High"]])
            var shown: [JSONValue?] = []
            for id in ids { shown.append(await api.record("Leads", id)["Rating"]) }
            #expect(shown == ["Low", "Low", "High"])
            #expect(await api.send("GET", "Leads/search?criteria=(Rating:equals:L)").rows.count == 2)
            #expect(await api.send("GET", "Leads/search?criteria=(Rating:in:L,High)").rows.count == 3)
        }
    }
}
