import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Preferences about appointments, and the deals that come of them. Contract: `endpoints/appointments.md`, 152 and 153.
@Suite struct AppointmentPreferenceTests {
    private static func field(_ name: String, _ type: String, _ value: JSONValue) -> JSONValue {
        ["field": ["api_name": .string(name)], "type": .string(type), "value": value]
    }

    private func mappings(_ account: String) -> [JSONValue] {
        [
            Self.field("Deal_Name", "merge_field", "${!Appointments__s.Appointment_Name}"),
            Self.field("Account_Name", "static", ["name": "Acme", "id": .string(account)]), Self.field("Stage", "static", "Closed Won"),
            Self.field("Pipeline", "static", ["name": "Standard (Standard)", "id": "1"]),
            Self.field("Owner", "merge_field", "${Appointments__s.Owner}"),
        ]
    }

    private func layout(_ bench: BookingBench) throws -> JSONValue {
        let catalog = bench.server.services.catalog.current()
        let deals = try #require(catalog.module("Deals"))
        let layout = try #require(catalog.documents(.layout).first { $0.parent?.raw == deals.id.raw })
        return ["id": .id(layout.id), "name": "Standard"]
    }

    @Test(arguments: TestServer.engines)
    func aNewOrganisationAsksTheProvider(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            let first = await bench.api.send("GET", "settings/appointment_preferences")
            #expect(
                first.json == [
                    "appointment_preferences": [
                        "allow_booking_outside_businesshours": false, "allow_booking_outside_service_availability": false,
                        "show_job_sheet": false, "when_duration_exceeds": "ask_appointment_provider_to_complete",
                        "when_appointment_completed": "do_not_create_deal", "deal_record_configuration": .null,
                    ]
                ], "\(first.text)")
            #expect(await bench.api.send("GET", "settings/appointment_preferences?include=deal_record_configuration").status == 200)
            for query in ["include=everything", "fields=id"] {
                let wrong = await bench.api.send("GET", "settings/appointment_preferences?\(query)")
                #expect(wrong.status == 400 && wrong.code == "INVALID_REQUEST", "\(wrong.text)")
            }
            let saved = await bench.api.send(
                "PUT", "settings/appointment_preferences", ["appointment_preferences": ["when_duration_exceeds": "mark_as_complete"]])
            #expect(saved.json?["appointment_preferences"]?["message"] == "Appointments preferences updated successfully")
            let refused: [(JSONValue, String)] = [
                (["allow_booking_outside_businesshours": true], "DEPENDENT_MISMATCH"), (["when_duration_exceeds": "wait"], "INVALID_DATA"),
                (["when_appointment_completed": "sing"], "INVALID_DATA"), (["show_job_sheet": "yes"], "INVALID_DATA"),
                (["when_appointment_completed": "create_deal"], "DEPENDENT_FIELD_MISSING"),
                (["when_appointment_completed": "create_deal", "deal_record_configuration": .null], "DEPENDENT_FIELD_MISSING"),
            ]
            for (values, code) in refused {
                let answer = await bench.api.send("PUT", "settings/appointment_preferences", ["appointment_preferences": values])
                #expect(
                    answer.status == 400 && answer.json?["appointment_preferences"]?["code"] == .string(code), "\(values) \(answer.text)")
            }
            let after = await bench.api.send("GET", "settings/appointment_preferences").json?["appointment_preferences"]
            #expect(after?["when_duration_exceeds"] == "mark_as_complete" && after?["allow_booking_outside_businesshours"] == false)
        }
    }

    @Test(arguments: TestServer.engines)
    func aConfigurationThatMakesNoDealIsRefused(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            let account = try await bench.api.insert("Accounts", [["Account_Name": "Acme"]])[0]
            let layout = try layout(bench)
            func put(_ mappings: [JSONValue]?, layout given: JSONValue? = nil) async -> (Int, JSONValue?) {
                var configuration: JSONValue = ["layout": given ?? layout]
                if let mappings { configuration["field_mappings"] = .array(mappings) }
                let answer = await bench.api.send(
                    "PUT", "settings/appointment_preferences",
                    ["appointment_preferences": ["when_appointment_completed": "create_deal", "deal_record_configuration": configuration]])
                return (answer.status, answer.json?["appointment_preferences"]?["code"])
            }
            let good = mappings(account)
            func with(_ mapping: JSONValue) -> [JSONValue] {
                good.filter { $0["field"]?["api_name"] != mapping["field"]?["api_name"] } + [mapping]
            }
            let refusals: [([JSONValue]?, String, Int)] = [
                (nil, "DEPENDENT_FIELD_MISSING", 400), (Array(good.dropLast(2)), "REQUIRED_DATA_NOT_FOUND", 400),
                (with(Self.field("Nothing", "static", "x")), "INVALID_DATA", 400),
                (with(Self.field("Next_Step", "guess", "x")), "INVALID_DATA", 400),
                (with(Self.field("Next_Step", "static", .string(String(repeating: "x", count: 300)))), "INVALID_MAPPING", 400),
                (with(Self.field("Next_Step", "merge_field", "${Contacts.Last_Name}")), "INVALID_DATA", 400),
                (with(Self.field("Probability", "merge_field", "${Appointments__s.Appointment_Name}")), "INVALID_DATA", 400),
                (with(Self.field("Amount", "merge_field", "${Services__s.Duration}")), "NOT_ALLOWED", 403),
                (with(Self.field("Closing_Date", "static", "2030-01-01")), "NOT_ALLOWED", 403),
                (with(Self.field("Stage", "static", "Qualification")), "NOT_ALLOWED", 403),
                (with(Self.field("Stage", "static", "Nowhere")), "MAPPING_MISMATCH", 400),
                (with(Self.field("Pipeline", "static", "Other")), "MAPPING_MISMATCH", 400),
            ]
            for (mappings, code, status) in refusals {
                let answer = await put(mappings)
                #expect(answer.0 == status && answer.1 == .string(code), "\(code) \(answer)")
            }
            #expect(await put(good, layout: ["id": "5"]).1 == "INVALID_DATA")
            #expect(await put(good).0 == 200)
            let shown = await bench.api.send("GET", "settings/appointment_preferences?include=deal_record_configuration")
            let kept = shown.json?["appointment_preferences"]?["deal_record_configuration"]
            #expect(kept?["field_mappings"]?.array?.count == good.count + 2, "amount and closing date come by themselves")
            #expect(
                await bench.api.send("GET", "settings/appointment_preferences").json?["appointment_preferences"]?[
                    "deal_record_configuration"] == .null)
        }
    }

    @Test(arguments: TestServer.engines)
    func aCompletedAppointmentBecomesADeal(_ engine: Database.Engine) async throws {
        try await BookingBench.with(engine) { bench in
            let account = try await bench.api.insert("Accounts", [["Account_Name": "Acme"]])[0]
            let layout = try layout(bench)
            try await bench.prefer([
                "when_appointment_completed": "create_deal",
                "deal_record_configuration": ["layout": layout, "field_mappings": .array(mappings(account))],
            ])
            let service = try await bench.service()
            let id = try await bench.appointment(service, ["Appointment_Start_Time": bench.moment(-120), "Status": "Overdue"])
            #expect(await bench.api.count("Deals") == 0)
            #expect(await bench.change(id, ["Status": "Completed"]).codes == ["SUCCESS"])
            let deal = await bench.api.send("GET", "Deals?fields=Deal_Name,Amount,Stage,Account_Name,Owner,Closing_Date,Pipeline").rows
                .first
            #expect(
                deal?["Deal_Name"] == "Kim - Repair" && deal?["Amount"] == 230.66 && deal?["Stage"] == "Closed Won",
                "\(String(describing: deal))")
            #expect(deal?["Account_Name"]?["id"] == .string(account) && deal?["Owner"]?["id"] == .string(bench.admin))
            let day = bench.moment(-120).string?.prefix(10) ?? ""
            #expect(deal?["Closing_Date"] == .string(String(day)))

            // The clock does the same; and the deal outlives the service.
            try await bench.prefer(["when_duration_exceeds": "mark_as_complete"])
            let brief = try await bench.service(["Duration": 15])
            _ = try await bench.appointment(brief, ["Appointment_Start_Time": bench.moment(10)])
            bench.server.clock.advance(seconds: 3000)
            await JobWorker(bench.server.services).drain()
            #expect(await bench.api.count("Deals") == 2)
            _ = await bench.api.send("DELETE", "Services__s/\(service)")
            #expect(await bench.api.count("Deals") == 2)
        }
    }
}
