import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Two server processes on one PostgreSQL database: one shapes the organisation while the other answers
/// (`docs/ARCHITECTURE.md`, "many processes").
@Suite struct TwoProcessesTests {
    private static var shared: [Database.Engine] { TestServer.engines.filter { $0 == .postgres } }

    /// Every answer while the organisation changes is a right one, and each change is there within a second.
    @Test(arguments: shared)
    func changesUnderLoadReachTheOtherProcessWithoutAFailedAnswer(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { first in
            let token = try await first.token()
            let org = try Organisation(first)
            await org.makeModule("Leases", "Lease", token)
            try await first.withSecondProcess { second in
                let contact = await org.insert("Contacts", [["Last_Name": "Ito"]], token)[0]
                let stop = Flag()
                async let wrong = Self.load(second, token, contact, until: stop)
                var slowest: Duration = .zero
                for round in 1...6 {
                    let name = "Round_\(round)"
                    let made = await org.makeFields(
                        "Leases",
                        [
                            ["field_label": .string("Round \(round)"), "data_type": "text"],
                            [
                                "field_label": .string("Tenant \(round)"), "data_type": "lookup",
                                "lookup": ["module": ["api_name": "Contacts"], "display_label": .string("Held \(round)")],
                            ],
                        ], token)
                    #expect(made.status == 201, "\(made.text)")
                    slowest = max(slowest, await Self.wait { second.services.catalog.current().module("Leases")?.field(name) != nil })
                    let row = await Organisation(second, like: org).insert(
                        "Leases",
                        [
                            .object([
                                .init("Name", "n"), .init(name, .string("v\(round)")), .init("Tenant_\(round)", ["id": .string(contact)]),
                            ])
                        ], token)
                    #expect(await org.record("Leases", row[0], token)?[name]?.string == "v\(round)", "\(row)")
                    let held = await second.send("GET", "/crm/v7/Contacts/\(contact)/Held_\(round)?fields=Name", token: token)
                    #expect(held.json?["data"]?.array?.count == 1, "\(held.text)")
                    if round % 2 == 0 {
                        await org.makeModule("Berths \(round)", "Berth \(round)", token)
                        slowest = max(slowest, await Self.wait { second.services.catalog.current().module("Berths_\(round)") != nil })
                        let field = first.services.catalog.current().module("Leases")?.field("Round_\(round - 1)")?.id.raw ?? 0
                        #expect(await first.send("DELETE", "/crm/v7/settings/fields/\(field)?module=Leases", token: token).status == 200)
                    }
                }
                stop.raise()
                let (failed, answers) = await wrong
                #expect(failed.isEmpty, "\(failed.prefix(3))")
                #expect(answers > 20)
                // Told by a notification, well before the poll of 15 s would have noticed; how fast is not for a test to say.
                #expect(slowest < .seconds(12))
            }
        }
    }

    /// Writes planned on an old catalog start again; reads keep theirs. Returns what should not have been answered.
    private static func load(_ server: TestServer, _ token: String, _ contact: String, until stop: Flag) async -> (
        failed: [String], answers: Int
    ) {
        await withTaskGroup(of: (failed: [String], answers: Int).self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var failed: [String] = []
                    var answers = 0
                    while !stop.isRaised {
                        let made = await server.send("POST", "/crm/v7/Leases", ["data": [["Name": .string("w\(worker)")]]], token: token)
                        let id = made.json?["data"]?.array?.first?["details"]?["id"]?.string ?? ""
                        if made.status != 201 { failed.append(made.text) }
                        let read = await server.send("GET", "/crm/v7/Leases/\(id)", token: token)
                        if read.status != 200 || read.json?["data"]?.array?.first?["Name"]?.string != "w\(worker)" {
                            failed.append(read.text)
                        }
                        let page = await server.send("GET", "/crm/v7/Leases?fields=Name,Owner&per_page=5", token: token)
                        if page.status != 200 || page.json?["data"]?.array?.isEmpty != false { failed.append(page.text) }
                        let merged = await server.send(
                            "PUT", "/crm/v7/Contacts/\(contact)", ["data": [["First_Name": .string("n\(answers)")]]], token: token)
                        if merged.status != 200 { failed.append(merged.text) }
                        answers += 4
                    }
                    return (failed, answers)
                }
            }
            return await group.reduce(([], 0)) { ($0.0 + $1.failed, $0.1 + $1.answers) }
        }
    }

    private static func wait(_ condition: () -> Bool) async -> Duration {
        let clock = ContinuousClock()
        let began = clock.now
        // 5 s, so that a failure is seen as slow and not as missing.
        while !condition(), clock.now - began < .seconds(5) { try? await Task.sleep(for: .milliseconds(5)) }
        return clock.now - began
    }
}
