import CRMCore
import HTTPShell
import Metadata
import RestV7
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Merges too large to wait for, the state they leave records in, and answers given twice. Contract: merge, §2, §8.
@Suite struct MergeScheduleTests {
    private func notes(_ count: Int, on lead: String) -> [JSONValue] {
        let parent: JSONValue = ["id": .string(lead), "module": ["api_name": "Leads"]]
        return Array(repeating: ["Note_Content": "n", "Parent_Id": parent], count: count)
    }

    private func told(_ answer: TestServer.Answer, _ key: String) -> JSONValue { answer.json?[key]?.array?.first ?? answer.json ?? .null }

    /// §2: exactly 1000 rows in a list stay synchronous, and so do two lists of 700; the master's own rows do not count.
    @Test(arguments: TestServer.engines)
    func aThousandRowsAreMergedAtOnce(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Leads", ["M", "C"].map { ["Last_Name": .string($0)] })
            let (m, c) = (ids[0], ids[1])
            _ = try await bench.addRows("Notes", notes(1000, on: c) + notes(1001, on: m))
            let task: JSONValue = ["Subject": "t", "What_Id": ["id": .string(c)], "$se_module": "Leads"]
            _ = try await bench.addRows("Tasks", Array(repeating: task, count: 700))
            let before = try await bench.dump()
            let dry = await bench.merge("Leads", m, [(c, [])], query: "?dry_run=true")
            #expect(told(dry, "merge")["details"]?["mode"] == "synchronous")
            let answer = await bench.merge("Leads", m, [(c, [])])
            #expect(told(answer, "merge")["code"] == "SUCCESS", "\(answer.text)")
            #expect(told(answer, "merge")["details"]?["moved"]?["Notes.Parent_Id"] == 1000)
            #expect(await bench.send("GET", "Leads/\(m)/actions/merge").status == 204, "only scheduled merges are jobs")
            // 1,700 rows in all: an undo counts them together.
            #expect(told(await bench.undo("Leads", m, answer), "unmerge")["code"] == "SCHEDULED")
            await bench.drain()
            #expect(try await bench.dump().differences(from: before) == [])
        }
    }

    /// §2 and §8: 1001 rows are left to a job; until it ends the records are held.
    @Test(arguments: TestServer.engines)
    func recordsAreHeldWhileAMergeWaits(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Leads", ["M", "C", "Other"].map { ["Last_Name": .string($0), "Company": .string($0)] })
            let (m, c, other) = (ids[0], ids[1], ids[2])
            _ = try await bench.addRows("Notes", notes(1001, on: c))
            #expect(
                told(await bench.merge("Leads", m, [(c, ["Company"])], query: "?dry_run=true"), "merge")["details"]?["mode"] == "scheduled")
            let before = try await bench.dump()
            let answer = await bench.merge("Leads", m, [(c, ["Company"])], query: "")
            let job = told(answer, "merge")["details"]?["job_id"]?.string ?? ""
            #expect(
                answer.status == 201
                    && answer.json == [
                        "merge": [
                            [
                                "code": "SCHEDULED", "details": ["job_id": .string(job)],
                                "message": "The records have been scheduled for merge", "status": "success",
                            ]
                        ]
                    ])
            let path = "Leads/\(m)/actions/merge"
            #expect(await bench.send("GET", path).json == ["merge": [["job_id": .string(job), "status": "SCHEDULED"]]])
            #expect(await bench.send("GET", "\(path)?job_id=\(job)").status == 200)
            #expect(await bench.send("GET", "\(path)?job_id=123").status == 204)
            #expect(await bench.send("GET", "\(path)?job_id=abc").status == 204)
            #expect(await bench.send("GET", "Leads/\(other)/actions/merge?job_id=\(job)").status == 204)
            let unknown = await bench.send("GET", "Leads/123/actions/merge")
            #expect(
                unknown.status == 400 && unknown.json?["code"] == "INVALID_DATA" && unknown.json?["details"] == ["resource_path_index": 1])
            #expect(await bench.send("GET", "Products/\(m)/actions/merge").json?["code"] == "INVALID_MODULE")
            for id in [m, c] {
                #expect(await bench.get("Leads", id)["$in_merge"] == true)
                let locked: JSONValue = [
                    "code": "RECORD_LOCKED", "details": ["id": .string(id)], "message": "record under merge is locked", "status": "error",
                ]
                for answer in [
                    await bench.send("PUT", "Leads", ["data": [["id": .string(id), "City": "x"]]]),
                    await bench.send("PUT", "Leads/\(id)", ["data": [["City": "x"]]]),
                    await bench.send("DELETE", "Leads?ids=\(id)"), await bench.send("DELETE", "Leads/\(id)"),
                    await bench.send("POST", "Leads/\(id)/Notes", ["data": [["Note_Content": "late"]]]),
                ] { #expect(answer.status == 400 && told(answer, "data") == locked, "\(answer.text)") }
            }
            // Rule 13, for the master at top level and for a child wrapped; without and with dry run.
            for query in ["", "?dry_run=true"] {
                var second = await bench.merge("Leads", m, [(other, [])], query: query)
                #expect(
                    second.status == 400
                        && second.json == [
                            "code": "NOT_ALLOWED", "details": ["api_name": "record", "resource_path_index": 1],
                            "message": "This record id is not allowed to be merged", "status": "error",
                        ])
                second = await bench.merge("Leads", other, [(c, [])], query: query)
                #expect(
                    second.status == 400
                        && second.json == [
                            "merge": [
                                [
                                    "code": "NOT_ALLOWED", "details": ["api_name": "id", "json_path": "$.merge[0].data[0].id"],
                                    "message": "This record id is not allowed to be merged", "status": "error",
                                ]
                            ]
                        ])
            }
            #expect(try await bench.dump().count("Notes") == before.count("Notes"))
            await bench.drain()
            #expect(await bench.send("GET", path).json == ["merge": [["job_id": .string(job), "status": "COMPLETED"]]])
            let lead = await bench.get("Leads", m)
            #expect(lead["$in_merge"] == false && lead["Company"] == "C")
            #expect(await bench.send("GET", "Leads/\(c)").header("X-Merged-Into") == m)
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
            let undone = await bench.send("POST", "Leads/\(m)/actions/unmerge", ["journal_id": .string(job)])
            #expect(undone.status == 201, "\(undone.text)")
            await bench.drain()
            let path2 = "Leads/\(m)/actions/unmerge?job_id=\(told(undone, "unmerge")["details"]?["job_id"]?.string ?? "")"
            #expect(told(await bench.send("GET", path2), "unmerge")["outcome"]?["moved_back"]?["Notes.Parent_Id"] == 1001)
            #expect(try await bench.dump().differences(from: before) == [])
            let again = await bench.send("POST", "Leads/\(m)/actions/unmerge", ["journal_id": .string(job)])
            #expect(again.status == 400 && again.json?["code"] == "NOT_ALLOWED", "undo of an undo")
        }
    }

    /// §8: a crash leaves the job to be run again from the start; a merge that cannot run any more frees its records.
    @Test(arguments: TestServer.engines)
    func aScheduledMergeSurvivesARestart(_ engine: Database.Engine) async throws {
        let home = try await TestDatabase.fresh(engine)
        let first = try await Bootstrap.start(home.location, demo: false, logger: TestDatabase.logger)
        let ids = try await schedule(first)
        // Its worker took it and died: the row says running, the lease is old by the time the next process looks.
        try await first.services.database.run(.write) { tx in
            _ = try tx.execute("UPDATE sys_job SET state = 'running', lease_until = 1, attempts = 1")
            _ = try tx.execute("UPDATE sys_merge SET state = 'RUNNING'")
        }
        await first.close()
        let second = try await Bootstrap.start(home.location, demo: false, logger: TestDatabase.logger)
        await JobWorker(second.services).drain()
        #expect(try await state(second) == ["COMPLETED"])
        #expect(try await ConsistencyCheck.run(second.services) == [])
        let dump = try await RecordDump.take(second.services)
        #expect(dump.rows["Leads"]?.keys.sorted() == [ids[0].raw])
        #expect(dump.rows["Notes"]?.values.allSatisfy { $0["parent_id"] == .integer(ids[0].raw) } == true)
        await second.close()
        await home.remove()
    }

    @Test(arguments: TestServer.engines)
    func aMergeThatCannotRunFreesItsRecords(_ engine: Database.Engine) async throws {
        let home = try await TestDatabase.fresh(engine)
        let start = try await Bootstrap.start(home.location, demo: false, logger: TestDatabase.logger)
        _ = try await schedule(start)
        // The user who asked for it is inactive by now.
        let user = start.administrator
        try await start.services.changeMetadata { scope in
            var body = user.body
            body["status"] = "disabled"
            try scope.replace(RecordID(raw: user.id.raw), body: body)
        }
        await JobWorker(start.services).drain()
        #expect(try await state(start) == ["FAILURE"])
        #expect(try await ConsistencyCheck.run(start.services) == [])
        #expect(try await RecordDump.take(start.services).count("Leads") == 2)
        await start.close()
        await home.remove()
    }

    private func state(_ start: Bootstrap.Result) async throws -> [String] {
        try await start.services.database.run(.read) { tx in try tx.rows("SELECT state FROM sys_merge") { $0.text(0) ?? "" } }
    }

    private func schedule(_ start: Bootstrap.Result) async throws -> [RecordID] {
        let services = start.services
        let catalog = services.catalog.current()
        let access = try AccessPolicy.of(start.administrator.id, catalog)
        guard let leads = catalog.module("Leads"), let notes = catalog.module("Notes") else { return [] }
        let ids = try await services.write(catalog, access, .api) { scope in
            let made = try services.records.insert(JSONCursor([["Last_Name": "M"], ["Last_Name": "C"]]).elements(), leads, scope).map {
                try $0.get().id
            }
            let items = self.notes(1001, on: made[1].description).map { JSONCursor($0) }
            for outcome in try services.records.insert(items, notes, scope) { _ = try outcome.get() }
            return made
        }
        let body = JSONCursor(RecordBench.body([(ids[1].description, [])]))
        guard case (.scheduled, _) = try await MergeService(services).merge(leads, master: ids[0], body, catalog, access) else {
            Issue.record("the merge should have been scheduled")
            return []
        }
        return ids
    }

    /// §8 "Retry": the first answer is given again, and the merge is not done twice.
    @Test(arguments: TestServer.engines)
    func anIdempotencyKeyGivesTheFirstAnswerAgain(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Leads", (0..<6).map { ["Last_Name": .string("L\($0)")] })
            func merge(_ master: Int, _ child: Int, _ key: String, query: String = "?verbose=true") async -> TestServer.Answer {
                await bench.merge("Leads", ids[master], [(ids[child], [])], query: query, headers: [("Idempotency-Key", key)])
            }
            let first = await merge(0, 1, "key-1")
            let again = await merge(0, 1, "key-1")
            #expect(first.status == 201 && first.header("Idempotency-Replayed") == nil)
            #expect(again.status == 201 && again.json == first.json && again.header("Idempotency-Replayed") == "true", "\(again.text)")
            #expect(await bench.merge("Leads", ids[0], [(ids[1], [])]).status == 400, "without the key it is a merge with a vanished child")
            let other = await merge(0, 2, "key-1")
            #expect(
                other.status == 400
                    && other.json == [
                        "code": "IDEMPOTENCY_KEY_REUSED", "details": ["header": "Idempotency-Key"],
                        "message": "the Idempotency-Key was used with another request", "status": "error",
                    ])
            #expect(await bench.send("GET", "Leads/\(ids[2])").status == 200)
            // A refusal changes nothing and is not kept; a dry run neither asks nor keeps.
            #expect(await merge(0, 1, "key-2").status == 400)
            #expect(await merge(0, 3, "key-3", query: "?dry_run=true").status == 200)
            #expect(await merge(0, 3, "key-3").header("Idempotency-Replayed") == nil)
            // Two at once under one key: one merge, one answer.
            async let one = merge(0, 4, "key-4")
            async let two = merge(0, 4, "key-4")
            let both = await [one, two]
            #expect(both.allSatisfy { $0.status == 201 } && both[0].json == both[1].json, "\(both.map(\.text))")
            #expect(both.filter { $0.header("Idempotency-Replayed") == "true" }.count == 1)
            for bad in ["", String(repeating: "k", count: 256), "a b", "ключ"] {
                let refused = await merge(0, 5, bad)
                #expect(
                    refused.status == 400 && refused.json?["code"] == "INVALID_DATA"
                        && refused.json?["details"]?["header"] == "Idempotency-Key", "\(bad)")
            }
            // After 24 hours the key is new again, and old rows are cleared away.
            try await bench.server.services.database.run(.write) { tx in
                _ = try tx.execute("UPDATE sys_idempotency SET created_at = created_at - 86400001")
            }
            #expect(await merge(0, 5, "key-1").status == 201)
            let left = try await bench.server.services.database.run(.read) { tx in
                try tx.rows("SELECT key FROM sys_idempotency") { $0.text(0) ?? "" }
            }
            #expect(left == ["key-1"])
        }
    }

    /// §10: what has changed since stays and is told; unknown journals and other records' are refused.
    @Test(arguments: TestServer.engines)
    func undoLeavesWhatChangedSince(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let accounts = try await bench.add("Accounts", ["M", "C", "X"].map { ["Account_Name": .string($0)] })
            let (m, c, x) = (accounts[0], accounts[1], accounts[2])
            let contacts = try await bench.add(
                "Contacts", (0..<4).map { ["Last_Name": .string("P\($0)"), "Account_Name": ["id": .string(c)]] })
            let merged = await bench.merge("Accounts", m, [(c, ["Account_Name"])])
            await bench.send("PUT", "Contacts/\(contacts[0])", ["data": [["Account_Name": ["id": .string(x)]]]])
            await bench.send("PUT", "Contacts/\(contacts[1])", ["data": [["Last_Name": "Renamed"]]])
            await bench.send("DELETE", "Contacts/\(contacts[2])")
            await bench.send("PUT", "Accounts/\(m)", ["data": [["Account_Name": "Chosen later", "Phone": "1"]]])
            for journal in [.string("12"), .string(m)] as [JSONValue] {
                let refused = await bench.send("POST", "Accounts/\(m)/actions/unmerge", ["journal_id": journal])
                #expect(
                    refused.status == 400 && refused.json?["code"] == "INVALID_DATA"
                        && refused.json?["details"]?["json_path"] == "$.journal_id")
            }
            #expect(await bench.undo("Accounts", x, merged).status == 400, "not a merge of that record")
            let journals = await bench.send("GET", "Accounts/\(m)/actions/unmerge").json?["unmerge"]?.array ?? []
            #expect(journals.count == 1 && journals[0]["undone"] == false && journals[0]["children"] == [.string(c)])
            let undone = told(await bench.undo("Accounts", m, merged), "unmerge")["details"] ?? .null
            #expect(
                undone["restored"] == [.string(c)] && undone["kept_fields"] == ["Account_Name"]
                    && undone["moved_back"]?["Contacts.Account_Name"] == 2, "\(undone)")
            #expect(Set((undone["kept_rows"]?.array ?? []).compactMap { $0["id"]?.string }) == [contacts[0], contacts[2]])
            func account(_ contact: Int) async -> String? { await bench.get("Contacts", contacts[contact])["Account_Name"]?["id"]?.string }
            #expect(await account(0) == x)
            #expect(await account(1) == c)
            #expect(await account(3) == c)
            #expect(await bench.get("Accounts", m)["Account_Name"] == "Chosen later")
            #expect(await bench.get("Accounts", c)["Account_Name"] == "C")
            #expect(await bench.undo("Accounts", m, merged).status == 400)
        }
    }
}
