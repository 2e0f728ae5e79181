import CRMCore
import Foundation
import Metadata
import SQLStore
import Synchronization
import Testing
import TributaryTestKit
import Wire

/// Many at once over a few records: every answer is documented, and afterwards every row is there once. Contract: merge, §8.
///
/// Runs for two seconds; `TRIBUTARY_MERGE_SECONDS=60` makes it a minute.
@Suite struct MergeConcurrencyTests {
    private static let seconds = ProcessInfo.processInfo.environment["TRIBUTARY_MERGE_SECONDS"].flatMap(Double.init) ?? 2

    /// What one client saw: notes and contacts it added and did not take away, and answers nobody should get.
    private struct Seen: Sendable {
        var notes: Set<String> = []
        var contacts: Set<String> = []
        var merges = 0
        var answers: [String: Int] = [:]
        var wrong: [String] = []
    }

    /// A pool of live ids that all clients draw from; they may be gone by the time they are used.
    private final class Pool: Sendable {
        private let ids: Mutex<[String]>
        init(_ ids: [String]) { self.ids = Mutex(ids) }
        func pick() -> String { ids.withLock { $0.randomElement() ?? "1" } }
        func replace(_ gone: String, with new: String) { ids.withLock { ids in ids.firstIndex(of: gone).map { ids[$0] = new } } }
    }

    private static let documented: Set<String> = [
        "201 SUCCESS", "200 SUCCESS", "400 INVALID_DATA", "400 DUPLICATE_DATA", "400 NOT_ALLOWED", "400 RECORD_LOCKED", "204 ",
        "429 TOO_MANY_REQUESTS",
    ]

    @Test(arguments: TestServer.engines)
    func thirtyTwoClientsOverAFewRecords(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let accounts = Pool(try await bench.add("Accounts", (0..<12).map { ["Account_Name": .string("A\($0)")] }))
            let deadline = ContinuousClock.now + .seconds(Self.seconds)
            let all = await withTaskGroup(of: Seen.self) { group in
                for client in 0..<32 { group.addTask { await self.work(bench, accounts, client, until: deadline) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let wrong = all.flatMap(\.wrong)
            #expect(wrong.isEmpty, "\(wrong.prefix(5))")
            let answers = all.map(\.answers).reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
            #expect(answers["429 TOO_MANY_REQUESTS"] == nil, "\(answers)")
            if engine == .postgres {
                let deadlocks = try await bench.server.services.database.run(.read) { tx in
                    try tx.first("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") { $0.integer(0) ?? 0 } ?? 0
                }
                #expect(deadlocks == 0, "writers waited in a circle")
            }
            #expect(all.map(\.merges).reduce(0, +) > 0, "\(answers)")
            await bench.drain()
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
            let dump = try await bench.dump()
            // A note goes only with its record, and then lies in the recycle bin beside it.
            let graves = try await bench.server.services.database.run(.read) { tx in
                Set(try tx.rows("SELECT id FROM sys_grave WHERE kind = 'recycle'") { String($0.integer(0) ?? 0) })
            }
            for note in all.flatMap(\.notes) {
                #expect((dump.rows["Notes"]?[Int64(note) ?? 0] != nil) != graves.contains(note), "note \(note)")
            }
            for contact in all.flatMap(\.contacts) { #expect(dump.rows["Contacts"]?[Int64(contact) ?? 0] != nil, "contact \(contact)") }
            #expect(dump.count("Contacts") == all.map(\.contacts.count).reduce(0, +))
            try await expectNoOrphans(bench)
        }
    }

    /// Nothing points at a record that is neither alive nor, by an ordinary deletion, in the recycle bin.
    private func expectNoOrphans(_ bench: RecordBench) async throws {
        let orphans = try await bench.server.services.database.run(.read) { tx in
            try tx.rows(
                """
                SELECT n.id FROM m_notes n WHERE NOT EXISTS (SELECT 1 FROM m_accounts a WHERE a.id = n.parent_id) UNION ALL \
                SELECT c.id FROM m_contacts c WHERE c.account_name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM m_accounts a WHERE a.id = c.account_name) \
                AND NOT EXISTS (SELECT 1 FROM sys_grave g WHERE g.id = c.account_name AND g.kind = 'recycle')
                """
            ) { $0.integer(0) ?? 0 }
        }
        #expect(orphans == [])
    }

    private func work(_ bench: RecordBench, _ accounts: Pool, _ client: Int, until deadline: ContinuousClock.Instant) async -> Seen {
        var seen = Seen()
        while ContinuousClock.now < deadline {
            let one = accounts.pick()
            let other = accounts.pick()
            let answer: TestServer.Answer
            var list = "data"
            switch Int.random(in: 0..<10) {
            case 0, 1, 2:
                list = "merge"
                let key = Bool.random() ? [("Idempotency-Key", "\(client)-\(UInt64.random(in: 0..<3))")] : []
                answer = await bench.merge(
                    "Accounts", one, Bool.random() ? [(other, ["Phone"])] : [(other, []), (accounts.pick(), [])], query: "", headers: key)
                if answer.status == 201 { seen.merges += 1 }
                if answer.json?["code"] == "IDEMPOTENCY_KEY_REUSED" { continue }
            case 3, 4:
                answer = await bench.send(
                    "PUT", "Accounts", ["data": [["id": .string(one), "Phone": "\(client)", "Parent_Account": ["id": .string(other)]]]])
            case 5:
                answer = await bench.send("DELETE", "Accounts/\(one)")
                if answer.status == 200 { await refill(bench, accounts, one) }
            case 6, 7:
                answer = await bench.send("POST", "Accounts/\(one)/Notes", ["data": [["Note_Content": "n"]]])
                if answer.status == 201 { seen.notes.insert(id(answer)) }
            case 8:
                answer = await bench.send("POST", "Contacts", ["data": [["Last_Name": "P", "Account_Name": ["id": .string(one)]]]])
                if answer.status == 201 { seen.contacts.insert(id(answer)) }
            default: answer = await bench.send("GET", "Accounts/\(one)")
            }
            if answer.header("X-Merged-Into") != nil || answer.status == 400 { await refillIfGone(bench, accounts, one) }
            check(answer, list, &seen)
        }
        return seen
    }

    private func check(_ answer: TestServer.Answer, _ list: String, _ seen: inout Seen) {
        let result = answer.json?[list]?.array?.first ?? answer.json
        let code = answer.status == 200 && result?["code"] == nil ? "SUCCESS" : result?["code"]?.string ?? ""
        let told = "\(answer.status) \(code)"
        seen.answers[told, default: 0] += 1
        if !Self.documented.contains(told) { seen.wrong.append("\(told): \(answer.text.prefix(300))") }
    }

    private func id(_ answer: TestServer.Answer) -> String { answer.json?["data"]?.array?.first?["details"]?["id"]?.string ?? "" }

    private func refillIfGone(_ bench: RecordBench, _ accounts: Pool, _ id: String) async {
        if await bench.send("GET", "Accounts/\(id)").status == 204 { await refill(bench, accounts, id) }
    }

    private func refill(_ bench: RecordBench, _ accounts: Pool, _ gone: String) async {
        if let new = try? await bench.add("Accounts", ["Account_Name": "New"]) { accounts.replace(gone, with: new) }
    }
}
