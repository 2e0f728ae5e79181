import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Modules, lookups, linking modules, multi-select lookups and subforms made at random, records joined at random, merges of
/// three and of groups at random: nothing is lost, the dry run tells the truth, and undone in reverse order the database is what
/// it was. No module of these is named in the server. Contract: merge, §6 general rule, §10; metadata/types.
///
/// `TRIBUTARY_MERGE_SEEDS=40` tries as many worlds.
@Suite struct MergeMetadataPropertyTests {
    @Test(arguments: TestServer.engines)
    func whateverModulesThereAreNothingIsLost(_ engine: Database.Engine) async throws {
        for seed in RandomWorld.seeds {
            try await RecordBench.with(engine) { bench in
                var world = RandomWorld(seed: seed, bench)
                try await world.make()
                var done: [(step: RandomWorld.Step, journal: JSONValue, before: RecordDump)] = []
                for number in 1...6 {
                    guard let step = world.choose() else { continue }
                    let note = "seed \(seed), merge \(number) of \(step.module)"
                    let before = try await bench.dump()
                    let dry = await told(step, "?dry_run=true", bench)
                    #expect(try await bench.dump() == before, "\(note): a dry run wrote something")
                    let real = await told(step, "?verbose=true", bench)
                    #expect(real["id"] == .string(step.master), "\(note): \(real)")
                    for name in ["moved", "collisions", "warnings", "merged_ids"] {
                        #expect(dry[name] == real[name], "\(note), \(name): \(dry) \(real)")
                    }
                    await bench.expect(dry["record"] ?? .null, toBe: step.module, step.master, note)
                    let proof = MergeProof(
                        before: before, after: try await bench.dump(), module: step.module, master: step.master, children: step.children,
                        told: real, note)
                    try await proof.hold(bench)
                    #expect(try await ConsistencyCheck.run(bench.server.services) == [], "\(note)")
                    world.forget(step)
                    done.append((step, real["journal_id"] ?? .null, before))
                }
                for (step, journal, before) in done.reversed() {
                    let undone = await bench.send("POST", "\(step.module)/\(step.master)/actions/unmerge", ["journal_id": journal])
                    #expect(undone.status == 200, "seed \(seed): \(undone.text)")
                    #expect(undone.json?["unmerge"]?.array?.first?["details"]?["kept_rows"] == [], "seed \(seed): \(undone.text)")
                    #expect(try await bench.dump().differences(from: before) == [], "seed \(seed)")
                }
                #expect(try await ConsistencyCheck.run(bench.server.services) == [])
            }
        }
    }

    private func told(_ step: RandomWorld.Step, _ query: String, _ bench: RecordBench) async -> JSONValue {
        if step.asGroup {
            let body: JSONValue = [
                "merge_group": [
                    [
                        "ids": .array(([step.master] + step.children).map(JSONValue.string)), "master": .string(step.master),
                        "policy": ["default": .string(step.strategy)],
                    ]
                ]
            ]
            let answer = await bench.send("POST", "\(step.module)/actions/merge_group\(query)", body)
            #expect(answer.status == 200 || answer.status == 201, "\(answer.text)")
            return answer.json?["merge_group"]?.array?.first?["details"] ?? .null
        }
        let children = zip(step.children, step.named).map { ($0, $1) }
        let answer = await bench.merge(step.module, step.master, children, query: query)
        #expect(answer.status == 200 || answer.status == 201, "\(answer.text)")
        return answer.json?["merge"]?.array?.first?["details"] ?? .null
    }
}
