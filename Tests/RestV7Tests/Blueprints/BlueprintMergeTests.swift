import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What becomes of a record's process when the record is merged, deleted, converted. Contract: `merge.md` §6.
@Suite struct BlueprintMergeTests {
    private func merge(_ bench: BlueprintBench, _ master: String, _ child: String, _ fields: [String] = []) async -> TestServer.Answer {
        await bench.caller.send("POST", "Leads/\(master)/actions/merge?verbose=true", RecordBench.body([(child, fields)]))
    }

    private func undo(_ bench: BlueprintBench, _ master: String, _ merged: TestServer.Answer) async -> TestServer.Answer {
        let journal = merged.json?["merge"]?.array?.first?["details"]?["journal_id"] ?? .null
        return await bench.caller.send("POST", "Leads/\(master)/actions/unmerge", ["journal_id": journal])
    }

    private func places(_ server: TestServer) async throws -> [String] {
        try await server.services.database.run(.read) { tx in
            try tx.rows("SELECT record_id, since, saved FROM sys_blueprint_record ORDER BY record_id") {
                "\($0.integer(0) ?? 0) \($0.integer(1) ?? 0) \($0.text(2) ?? "")"
            }
        }
    }

    @Test(arguments: TestServer.engines) func aChildsProcessEndsAndTheMastersGoesOn(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            try await bench.make()
            let master = try await bench.lead()
            let child = try await bench.lead()
            _ = await bench.take("Call", child, ["Phone": "5550100", "Notes": "n"])
            _ = await bench.take("Call", master, ["Phone": "5550101"])
            let before = try await places(server)
            let merged = await merge(bench, master, child)
            #expect(merged.status == 201, "\(merged.text)")
            #expect(try await places(server) == before.filter { $0.hasPrefix(master) })
            #expect(await bench.transition("Call", of: master)["percent_partial_save"] == 50, "what was given for it stays")
            #expect(await undo(bench, master, merged).status == 200)
            #expect(try await places(server) == before)
            #expect(await bench.shown(child)["process_info"]?["field_value"] == "Attempted to Contact")
        }
    }

    @Test(arguments: TestServer.engines) func aStateTakenFromAChildIsTheSurvivorsState(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            try await bench.make()
            let master = try await bench.lead(["City": "Bergen"])
            let ahead = try await bench.lead()
            let over = try await bench.lead(["Company": "Other", "Lead_Status": "Contacted"])
            _ = await bench.take("Call", ahead, ["Phone": "5550100", "Notes": "n"])
            let before = try await places(server)
            let first = await merge(bench, master, ahead, ["Lead_Status"])
            #expect(await bench.transition("Reach", of: master)["criteria_matched"] == true, "\(first.text)")
            func flow(_ fields: [String]) async -> JSONValue? {
                let body = RecordBench.body([(over, fields)])
                let told = await bench.caller.send("POST", "Leads/\(master)/actions/merge?dry_run=true", body)
                return told.first("merge")["details"]?["record"]?["$process_flow"]
            }
            #expect(await flow([]) == true)
            #expect(await flow(["Lead_Status"]) == false, "a dry run tells that the process ends")
            let second = await merge(bench, master, over, ["Lead_Status"])
            #expect(second.status == 201)
            #expect(await bench.caller.record("Leads", master)["$process_flow"] == false)
            #expect(await bench.caller.send("GET", bench.path(master)).code == "RECORD_NOT_IN_PROCESS")
            #expect(await undo(bench, master, second).status == 200)
            #expect(await bench.transition("Reach", of: master)["id"] != nil)
            #expect(await undo(bench, master, first).status == 200)
            #expect(try await places(server) == before)
        }
    }

    @Test(arguments: TestServer.engines) func aProcessComesBackWithItsRecord(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await BlueprintBench(server)
            try await bench.make()
            let lead = try await bench.lead()
            let lost = try await bench.lead()
            for id in [lead, lost] { await bench.caller.send("DELETE", "Leads/\(id)") }
            #expect(await bench.caller.send("GET", bench.path(lead)).code == "INVALID_DATA")
            let bin = "settings/recycle_bin"
            let back = await bench.caller.send("POST", "\(bin)/actions/restore?ids=\(lead)")
            #expect(back.status == 200, "\(back.text)")
            #expect(await bench.transition("Call", of: lead)["id"] != nil)
            let gone = await bench.caller.send("DELETE", "\(bin)/\(lost)")
            #expect(gone.status == 200, "\(gone.text)")
            #expect(try await places(server).count == 1)
            let converted = await bench.caller.send("POST", "Leads/\(lead)/actions/convert", ["data": [[:]]])
            #expect(converted.status == 200, "\(converted.text)")
            #expect(try await places(server) == [])
        }
    }
}
