import Foundation
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Random queries against a plain evaluator over the same rows, on both engines. It asks through COQL, and so covers the conditions
/// that lists, searches and views share. `TRIBUTARY_FUZZ_ROUNDS` makes it longer, `TRIBUTARY_FUZZ_SEED` different.
@Suite struct COQLDifferentialTests {
    private static let rounds = ProcessInfo.processInfo.environment["TRIBUTARY_FUZZ_ROUNDS"].flatMap(Int.init) ?? 250
    private static let seed = ProcessInfo.processInfo.environment["TRIBUTARY_FUZZ_SEED"].flatMap(UInt64.init) ?? 20_251

    @Test(arguments: TestServer.engines)
    func randomQueriesFindWhatAPlainEvaluatorFinds(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            var dice = Dice(state: Self.seed)
            let accounts = try await fill(server, token, "Accounts", RandomRows.accounts(&dice), linking: [])
            let deals = try await fill(server, token, "Deals", RandomRows.deals(&dice), linking: accounts)
            for round in 0..<Self.rounds {
                let query = RandomQuery(&dice, accounts: accounts)
                let expected = PlainEvaluator(deals: deals, accounts: accounts).run(query)
                let answer = await server.send("POST", "/crm/v7/coql", ["select_query": .string(query.text)], token: token)
                let found = (answer.json?["data"]?.array ?? []).map(query.reading)
                #expect(
                    [200, 204].contains(answer.status) && found == expected.rows,
                    "round \(round): \(query.text)\n\(answer.text.prefix(600))\nexpected \(expected.rows.prefix(6))")
                if answer.status == 200 { #expect(answer.json?["info"]?["more_records"] == .bool(expected.more), "\(query.text)") }
            }
        }
    }

    /// Adds rows, and returns them with their ids.
    private func fill(_ server: TestServer, _ token: String, _ module: String, _ rows: [PlainRow], linking accounts: [PlainRow])
        async throws -> [PlainRow]
    {
        var rows = rows
        for start in stride(from: 0, to: rows.count, by: 100) {
            let part = start..<min(start + 100, rows.count)
            let items = part.map { index -> JSONValue in
                var item = rows[index].json
                if let account = rows[index].account {
                    item["Account_Name"] = .string(accounts[account].id)
                }
                return item
            }
            let answer = await server.send("POST", "/crm/v7/\(module)", ["data": .array(items)], token: token)
            #expect(answer.status == 201, "\(answer.text.prefix(500))")
            for (index, result) in zip(part, answer.json?["data"]?.array ?? []) { rows[index].id = result["details"]?["id"]?.string ?? "" }
        }
        return rows
    }
}
