import CRMCore
import HTTPShell
import Metadata
import RestV7
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// How long a merge can be undone, and what stays of it afterwards. An extension of ours: merge, §10.
@Suite struct MergeJournalTests {
    private func told(_ answer: TestServer.Answer, _ key: String) -> JSONValue { answer.json?[key]?.array?.first ?? answer.json ?? .null }

    /// Later by so many days, with a token that holds then.
    private func later(_ days: Int64, _ bench: RecordBench) async throws -> RecordBench {
        bench.server.clock.advance(seconds: days * 86_400)
        return RecordBench(server: bench.server, token: try await bench.server.token(TestServer.recordScopes))
    }

    private func counts(_ bench: RecordBench) async throws -> [String: Int64] {
        try await bench.server.services.database.run(.read) { tx in
            func count(_ sql: SQL) throws -> Int64 { try tx.first(sql) { $0.integer(0) ?? 0 } ?? 0 }
            return [
                "moves": try count("SELECT count(*) FROM sys_change WHERE kind IN ('repoint', 'link_dropped', 'link_filled')"),
                "images": try count("SELECT count(*) FROM sys_grave WHERE kind = 'merged' AND image <> '{}'"),
                "graves": try count("SELECT count(*) FROM sys_grave WHERE kind = 'merged'"),
                "files": try count("SELECT count(*) FROM sys_field_file"),
            ]
        }
    }

    @Test(arguments: TestServer.engines)
    func anUndoIsRefusedAfterItsTime(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Leads", (0..<4).map { ["Last_Name": .string("L\($0)")] })
            let (m, c) = (ids[0], ids[1])
            let note = await bench.send("POST", "Leads/\(c)/Notes", ["data": [["Note_Content": "n"]]])
            #expect(note.status == 201)
            let products = try await bench.add("Products", [["Product_Name": "P"]])
            for lead in [m, c] {
                _ = try await bench.addRows(
                    "Leads_X_Products", [["Parent": ["id": .string(lead)], "Product": ["id": .string(products[0])]]])
            }
            let old = await bench.merge("Leads", m, [(c, [])])
            let journal = told(old, "merge")["details"]?["journal_id"] ?? .null
            var now = try await later(20, bench)
            let young = await now.merge("Leads", ids[2], [(ids[3], [])])
            now = try await later(9, now)
            try await JournalSweep(now.server.services).sweep()
            var listed = told(await now.send("GET", "Leads/\(m)/actions/unmerge"), "unmerge")
            #expect(listed["expired"] == false && listed["undo_until"]?.string != nil, "\(listed)")
            #expect(try await counts(now) == ["moves": 2, "images": 2, "graves": 2, "files": 0])

            now = try await later(2, now)
            let refusal: JSONValue = [
                "code": "NOT_ALLOWED", "details": ["api_name": "journal_id", "json_path": "$.journal_id"],
                "message": "the time in which the merge could be undone is over", "status": "error",
            ]
            // Before and after the sweep alike.
            for _ in 0..<2 {
                let undo = await now.undo("Leads", m, old)
                #expect(undo.status == 400 && undo.json == refusal, "\(undo.text)")
                listed = told(await now.send("GET", "Leads/\(m)/actions/unmerge"), "unmerge")
                #expect(listed["expired"] == true && listed["journal_id"] == journal, "\(listed)")
                try await JournalSweep(now.server.services).sweep()
            }
            // The note's move is part of its history.
            #expect(try await counts(now) == ["moves": 1, "images": 1, "graves": 2, "files": 0])
            // What the merge was is still known, and the old id still answers.
            #expect(await now.send("GET", "Leads/\(c)").header("X-Merged-Into") == m)
            #expect(await now.related("Leads", m, "Notes").count == 1)
            let timeline = await now.send("GET", "Leads/\(m)/__timeline")
            #expect(timeline.text.contains("find_and_merge_duplicate"), "\(timeline.text)")
            let deleted = await now.send("GET", "Leads/deleted?type=permanent").json?["data"]?.array ?? []
            #expect(deleted.contains { $0["id"]?.string == c })
            #expect(try await ConsistencyCheck.run(now.server.services) == [])
            // The younger one can be undone still.
            #expect(await now.undo("Leads", ids[2], young).status == 200)
        }
    }

    /// The survivor's timeline tells the same before and after its journal is taken away (`docs/merge.md`).
    @Test(arguments: TestServer.engines)
    func theTimelineStaysWhenTheJournalGoes(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Accounts", [["Account_Name": "M"], ["Account_Name": "C", "Phone": "1"]])
            let (m, c) = (ids[0], ids[1])
            #expect(await bench.send("POST", "Accounts/\(c)/Notes", ["data": [["Note_Title": "t", "Note_Content": "n"]]]).status == 201)
            for (module, name) in [("Tasks", "Subject"), ("Calls", "Subject")] {
                var activity: JSONValue = ["What_Id": ["id": .string(c)], "$se_module": "Accounts"]
                activity[name] = "a"
                if module == "Calls" {
                    activity["Call_Start_Time"] = "2026-05-01T10:00:00+00:00"
                    activity["Call_Type"] = "Inbound"
                    activity["Call_Duration"] = "01:00"
                }
                _ = try await bench.add(module, activity)
            }
            _ = try await bench.add("Contacts", ["Last_Name": "P", "Account_Name": ["id": .string(c)]])
            #expect(await bench.merge("Accounts", m, [(c, ["Phone"])]).status == 201)
            let now = try await later(31, bench)
            let before = await now.send("GET", "Accounts/\(m)/__timeline").json?["__timeline"]?.array ?? []
            #expect(before.count >= 9, "\(before)")
            let moves = before.filter { $0["source"] == "findandmerge" && $0["action"] == "updated" }
            #expect(moves.count == 3 && moves.allSatisfy { $0["related_record"]?["id"]?.string == m }, "\(moves)")
            try await JournalSweep(now.server.services).sweep()
            #expect(await now.send("GET", "Accounts/\(m)/__timeline").json?["__timeline"]?.array == before)
            #expect(try await counts(now)["moves"] == 3, "the contact's move is forgotten, as no timeline tells it")
        }
    }

    /// The files that went with a child are free again: they expire as those nobody holds do.
    @Test(arguments: TestServer.engines)
    func filesOfChildrenAreFreed(_ engine: Database.Engine) async throws {
        try await FileFields.with(engine) { leads in
            let m = try await leads.create(["Papers": try await leads.files("m")])
            let c = try await leads.create(["Papers": try await leads.files("c1", "c2")])
            let bench = RecordBench(server: leads.server, token: leads.token)
            let merged = await bench.merge("Leads", m, [(c, [])])
            #expect(merged.status == 201, "\(merged.text)")
            #expect(try await counts(bench)["files"] == 3)
            let now = try await later(31, bench)
            try await JournalSweep(now.server.services).sweep()
            #expect(try await counts(now)["files"] == 1, "the master's stays")
            let free = try await now.server.services.database.run(.read) { tx in
                try tx.first("SELECT count(*) FROM sys_file WHERE expires_at IS NOT NULL") { $0.integer(0) ?? 0 } ?? 0
            }
            #expect(free == 2)
        }
    }

    /// More rows than one transaction takes are swept all the same, and an undo accepted in time is carried out late.
    @Test(arguments: TestServer.engines)
    func aLongJournalGoesInSteps(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Accounts", [["Account_Name": "M"], ["Account_Name": "C"]])
            let account: JSONValue = ["id": .string(ids[1])]
            _ = try await bench.addRows("Contacts", Array(repeating: ["Last_Name": "C", "Account_Name": account], count: 5_100))
            let merged = await bench.merge("Accounts", ids[0], [(ids[1], [])])
            await bench.drain()
            #expect(try await counts(bench)["moves"] == 5_100)
            var now = try await later(29, bench)
            let journal = told(merged, "merge")["details"]?["job_id"] ?? .null
            let undo = await now.send("POST", "Accounts/\(ids[0])/actions/unmerge", ["journal_id": journal])
            #expect(told(undo, "unmerge")["code"] == "SCHEDULED", "\(undo.text)")
            now = try await later(2, now)
            await now.drain()
            #expect(await now.related("Accounts", ids[1], "Contacts").count == 200)
            try await JournalSweep(now.server.services).sweep()
            #expect(try await counts(now)["moves"] == 0)
        }
    }

    @Test func theTimeIsRead() {
        #expect(UndoPeriod("30") == .standard && UndoPeriod("forever") == .forever && UndoPeriod("1") == UndoPeriod(days: 1))
        for bad in ["0", "-1", "", "36501", "30d", "never"] { #expect(UndoPeriod(bad) == nil, "\(bad)") }
    }
}
