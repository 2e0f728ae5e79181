import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Two records are linked once, whoever links them at the same time and whatever is merged meanwhile. Contract: merge, §6 "one
/// row per pair".
@Suite struct LinkPairTests {
    @Test(arguments: TestServer.engines)
    func writersFromBothSidesLinkAPairOnce(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let campaigns = try await bench.add("Campaigns", (0..<3).map { ["Campaign_Name": .string("K\($0)")] })
            let leads = try await bench.add("Leads", (0..<3).map { ["Last_Name": .string("L\($0)")] })
            let spare = try await bench.add("Leads", (0..<24).map { ["Last_Name": .string("S\($0)")] })
            let answers = await withTaskGroup(of: [TestServer.Answer].self) { group in
                for client in 0..<12 {
                    group.addTask {
                        var seen: [TestServer.Answer] = []
                        for round in 0..<6 {
                            let campaign = campaigns[(client + round) % 3]
                            let lead = leads[(client / 2 + round) % 3]
                            switch (client + round) % 4 {
                            case 0:
                                let path = "Campaigns/\(campaign)/Leads/\(lead)"
                                seen.append(await bench.send("PUT", path, ["data": [["Member_Status": "Sent"]]]))
                            case 1: seen.append(await bench.send("PUT", "Leads/\(lead)/Campaigns/\(campaign)", ["data": [[:]]]))
                            case 2: seen.append(await bench.send("DELETE", "Campaigns/\(campaign)/Leads/\(lead)"))
                            default:
                                // A lead in the same campaign becomes part of this one.
                                let child = spare[(client * 6 + round) / 3 % 24]
                                seen.append(await bench.send("PUT", "Campaigns/\(campaign)/Leads/\(child)", ["data": [[:]]]))
                                seen.append(await bench.merge("Leads", lead, [(child, [])]))
                            }
                        }
                        return seen
                    }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            let wrong = answers.filter { ![200, 201, 207, 400].contains($0.status) }
            #expect(wrong.isEmpty, "\(wrong.map(\.text).prefix(3))")
            #expect(answers.contains { $0.status == 200 } && answers.contains { $0.status == 201 })
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
        }
    }

    /// The record store itself refuses the second of a pair; the others of a call are kept.
    @Test(arguments: TestServer.engines)
    func theSecondRowOfAPairIsRefused(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let lead = try await bench.add("Leads", ["Last_Name": "L"])
            let products = try await bench.add("Products", ["P", "Q"].map { ["Product_Name": .string($0)] })
            @Sendable func row(_ product: String) -> JSONValue { ["Parent": ["id": .string(lead)], "Product": ["id": .string(product)]] }
            _ = try await bench.addRows("Leads_X_Products", [row(products[0])])
            let services = bench.server.services
            let catalog = services.catalog.current()
            let module = try #require(catalog.module("Leads_X_Products"))
            let access = AccessPolicy.system("rows of a test", for: bench.server.administrator.id)
            let codes = try await services.write(catalog, access, .system) { scope in
                try services.records.insert([JSONCursor(row(products[0])), JSONCursor(row(products[1]))], module, scope).map { outcome in
                    if case .failure(let rejection) = outcome { rejection.code.name } else { "SUCCESS" }
                }
            }
            #expect(codes == ["DUPLICATE_DATA", "SUCCESS"])
            #expect(try await ConsistencyCheck.run(services) == [])
        }
    }

    /// A row of a multi-select lookup that is pointed at a record which is joined already.
    @Test(arguments: TestServer.engines)
    func aMultiSelectLookupHoldsARecordOnce(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let theirs = try await bench.server.joinByField(bench.token).theirs
            let products = try await bench.add("Products", ["P", "Q"].map { ["Product_Name": .string($0)] })
            func joined(_ id: String) -> JSONValue { [theirs: ["id": .string(id)]] }
            let kim = try await bench.add("Contacts", ["Last_Name": "Kim", "Courses": [joined(products[0]), joined(products[1])]])
            let rows = await bench.get("Contacts", kim)["Courses"]?.array ?? []
            let before = try await bench.dump()
            var changed = joined(products[1])
            changed["id"] = rows[0]["id"] ?? .null
            let answer = await bench.send("PUT", "Contacts/\(kim)", ["data": [["Courses": [changed]]]])
            let result = answer.json?["data"]?.array?.first
            #expect(answer.status == 400 && result?["code"] == "DUPLICATE_DATA", "\(answer.text)")
            #expect(result?["details"]?["json_path"] == "$.data[0].Courses", "\(answer.text)")
            #expect(try await bench.dump() == before)
        }
    }
}
