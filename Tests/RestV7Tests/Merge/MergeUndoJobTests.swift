import CRMCore
import HTTPShell
import Metadata
import RestV7
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Undos and merges of groups that are too large to wait for. Extensions of ours: merge, §8 and §10.
@Suite struct MergeUndoJobTests {
    private func notes(_ count: Int, on lead: String) -> [JSONValue] {
        let parent: JSONValue = ["id": .string(lead), "module": ["api_name": "Leads"]]
        return Array(repeating: ["Note_Content": "n", "Parent_Id": parent], count: count)
    }

    private func told(_ answer: TestServer.Answer, _ key: String) -> JSONValue { answer.json?[key]?.array?.first ?? answer.json ?? .null }

    /// A merge of two leads that moved 1,001 notes, and the database before it.
    private func merged(_ bench: RecordBench) async throws -> (m: String, c: String, answer: String, before: RecordDump) {
        let ids = try await bench.add("Leads", ["M", "C"].map { ["Last_Name": .string($0), "Company": .string($0)] })
        _ = try await bench.addRows("Notes", notes(1001, on: ids[1]))
        let before = try await bench.dump()
        let job = told(await bench.merge("Leads", ids[0], [(ids[1], ["Company"])]), "merge")["details"]?["job_id"]?.string ?? ""
        await bench.drain()
        return (ids[0], ids[1], job, before)
    }

    /// The whole course: the answer, the hold on the master, the refusals meanwhile, the state, the end.
    @Test(arguments: TestServer.engines)
    func aLargeUndoIsAJob(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let (m, c, journal, before) = try await merged(bench)
            let other = try await bench.add("Leads", ["Last_Name": "Other"])
            let answer = await bench.send("POST", "Leads/\(m)/actions/unmerge", ["journal_id": .string(journal)])
            let job = told(answer, "unmerge")["details"]?["job_id"]?.string ?? ""
            #expect(
                answer.status == 201
                    && answer.json == [
                        "unmerge": [
                            [
                                "code": "SCHEDULED",
                                "details": ["job_id": .string(job), "id": .string(m), "journal_id": .string(journal)],
                                "message": "The undo of the merge has been scheduled", "status": "success",
                            ]
                        ]
                    ], "\(answer.text)")
            let path = "Leads/\(m)/actions/unmerge?job_id="
            let waiting: JSONValue = ["unmerge": [["job_id": .string(job), "journal_id": .string(journal), "status": "SCHEDULED"]]]
            #expect(await bench.send("GET", path + job).json == waiting)
            for unknown in ["12", "abc", journal] { #expect(await bench.send("GET", path + unknown).status == 204, "\(unknown)") }
            #expect(await bench.send("GET", "Leads/\(other)/actions/unmerge?job_id=\(job)").status == 204)
            #expect(await bench.get("Leads", m)["$in_merge"] == true)
            for refused in [
                await bench.send("PUT", "Leads", ["data": [["id": .string(m), "City": "x"]]]), await bench.send("DELETE", "Leads/\(m)"),
                await bench.send("POST", "Leads/\(m)/Notes", ["data": [["Note_Content": "late"]]]),
            ] { #expect(refused.status == 400 && told(refused, "data")["code"] == "RECORD_LOCKED", "\(refused.text)") }
            let again = await bench.send("POST", "Leads/\(m)/actions/unmerge", ["journal_id": .string(journal)])
            #expect(again.status == 400 && again.json?["code"] == "RECORD_LOCKED", "\(again.text)")
            let merge = await bench.merge("Leads", other, [(m, [])], query: "")
            #expect(told(merge, "merge")["message"] == "This record id is not allowed to be merged", "rule 13")
            #expect(await bench.send("GET", "Leads/\(c)").header("X-Merged-Into") == m, "nothing has happened yet")

            await bench.drain()
            let done = told(await bench.send("GET", path + job), "unmerge")
            #expect(done["status"] == "COMPLETED" && done["outcome"]?["moved_back"]?["Notes.Parent_Id"] == 1001, "\(done)")
            #expect(done["outcome"]?["restored"] == [.string(c)] && done["outcome"]?["kept_rows"] == [])
            await bench.send("DELETE", "Leads/\(other)")
            #expect(try await bench.dump().differences(from: before) == [])
            #expect(await bench.get("Leads", m)["$in_merge"] == false)
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
            let third = await bench.send("POST", "Leads/\(m)/actions/unmerge", ["journal_id": .string(journal)])
            #expect(third.status == 400 && third.json?["code"] == "NOT_ALLOWED", "undo of an undo")
        }
    }

    /// A worker that dies with the job in hand leaves it to the next process.
    @Test(arguments: TestServer.engines)
    func aScheduledUndoSurvivesARestart(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let (m, _, journal, before) = try await merged(bench)
            _ = await bench.send("POST", "Leads/\(m)/actions/unmerge", ["journal_id": .string(journal)])
            try await bench.server.services.database.run(.write) { tx in
                _ = try tx.execute("UPDATE sys_job SET state = 'running', lease_until = 1, attempts = 1 WHERE kind = 'unmerge'")
                _ = try tx.execute("UPDATE sys_unmerge SET state = 'RUNNING'")
            }
            #expect(await bench.get("Leads", m)["$in_merge"] == true)
            await bench.drain()
            #expect(try await bench.dump().differences(from: before) == [])
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
        }
    }

    /// What stands in its way by the time it runs is told, and the master is free.
    @Test(arguments: TestServer.engines)
    func anUndoThatCannotRunFreesTheMaster(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            try await bench.addModule("Assets", [.text("Serial", unique: true), .lookup("Up", to: "Assets")])
            let ids = try await bench.add("Assets", ["S-1", "S-2"].map { ["Name": $0, "Serial": $0] as JSONValue })
            let rows = Array(repeating: ["Name": "below", "Up": ["id": .string(ids[1])]] as JSONValue, count: 1001)
            _ = try await bench.addRows("Assets", rows)
            let scheduled = await bench.merge("Assets", ids[0], [(ids[1], [])])
            let journal = told(scheduled, "merge")["details"]?["job_id"] ?? .null
            await bench.drain()
            let answer = await bench.send("POST", "Assets/\(ids[0])/actions/unmerge", ["journal_id": journal])
            _ = try await bench.add("Assets", ["Name": "Taker", "Serial": "s-2"])
            let before = try await bench.dump()
            await bench.drain()
            let job = told(answer, "unmerge")["details"]?["job_id"]?.string ?? ""
            let state = told(await bench.send("GET", "Assets/\(ids[0])/actions/unmerge?job_id=\(job)"), "unmerge")
            #expect(state["status"] == "FAILURE" && state["outcome"]?["code"] == "DUPLICATE_DATA", "\(state)")
            #expect(await bench.get("Assets", ids[0])["$in_merge"] == false)
            let after = try await bench.dump()
            #expect(
                after.differences(from: before).count == 1, "only the master is free again: \(after.differences(from: before).prefix(3))")
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
        }
    }

    /// A group whose rows together are more than a thousand.
    @Test(arguments: TestServer.engines)
    func aLargeGroupIsAJob(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add(
                "Leads", (0..<4).map { ["Last_Name": .string("L\($0)"), "Phone": $0 == 2 ? "+44 1" : .null] })
            for id in ids.dropFirst() { _ = try await bench.addRows("Notes", notes(340, on: id)) }
            let before = try await bench.dump()
            let body: JSONValue = [
                "merge_group": [
                    [
                        "ids": .array(ids.map(JSONValue.string)),
                        "policy": ["master": "oldest", "fields": ["Last_Name": "longest", "Description": "most_recent"]],
                    ]
                ]
            ]
            let path = "Leads/actions/merge_group"
            let dry = told(await bench.send("POST", path + "?dry_run=true", body), "merge_group")["details"] ?? .null
            #expect(dry["mode"] == "scheduled" && dry["moved"]?["Notes.Parent_Id"] == 1020 && dry["id"] == .string(ids[0]), "\(dry)")
            let answer = await bench.send("POST", path, body)
            let job = told(answer, "merge_group")["details"]?["job_id"]?.string ?? ""
            #expect(
                answer.status == 201
                    && told(answer, "merge_group") == [
                        "code": "SCHEDULED", "details": ["job_id": .string(job), "id": .string(ids[0])],
                        "message": "The records have been scheduled for merge", "status": "success",
                    ], "\(answer.text)")
            func status() async -> JSONValue { told(await bench.send("GET", path + "?job_id=\(job)"), "merge_group") }
            #expect(await status() == ["job_id": .string(job), "id": .string(ids[0]), "status": "SCHEDULED"])
            #expect(await bench.send("GET", path + "?job_id=12").status == 204)
            #expect(await bench.send("GET", path).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(await bench.send("GET", "Contacts/actions/merge_group?job_id=\(job)").status == 204)
            for id in ids {
                let locked = await bench.send("PUT", "Leads/\(id)", ["data": [["City": "x"]]])
                #expect(told(locked, "data")["code"] == "RECORD_LOCKED", "\(locked.text)")
            }
            // Its worker dies with it in hand.
            try await bench.server.services.database.run(.write) { tx in
                _ = try tx.execute("UPDATE sys_job SET state = 'running', lease_until = 1, attempts = 1")
                _ = try tx.execute("UPDATE sys_merge SET state = 'RUNNING'")
            }
            await bench.drain()
            #expect(await status()["status"] == "COMPLETED")
            #expect(await bench.get("Leads", ids[0])["Phone"] == "+44 1")
            #expect(try await bench.dump().count("Leads") == 1)
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
            let undo = await bench.send("POST", "Leads/\(ids[0])/actions/unmerge", ["journal_id": .string(job)])
            #expect(told(undo, "unmerge")["code"] == "SCHEDULED", "\(undo.text)")
            await bench.drain()
            #expect(try await bench.dump().differences(from: before) == [])
        }
    }
}
