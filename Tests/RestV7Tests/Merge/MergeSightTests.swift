import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What those learn of merges who do not see the records. Contract: merge, §3, rows 2 and 12; §10.
@Suite struct MergeSightTests {
    private func body(_ child: String) -> JSONValue { RecordBench.body([(child, [])]) }

    /// Whatever has happened to a record that is hidden, it is answered as an id that was never given.
    @Test(arguments: TestServer.engines)
    func aHiddenRecordIsAnUnknownOne(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await RightsCast(server)
            let mine = cast.owner.token
            func add(_ name: String, _ token: String) async throws -> String {
                try await server.add("Accounts", ["Account_Name": .string(name)], token: token)
            }
            func send(_ method: String, _ path: String, _ json: JSONValue? = nil, _ token: String) async -> TestServer.Answer {
                await server.send(method, "/crm/v7/Accounts/\(path)", json, token: token)
            }
            var ids: [String] = []
            for number in 0..<8 { ids.append(try await add("Zanzibar \(number)", mine)) }
            func merge(_ master: String, _ child: String) async -> JSONValue {
                let answer = await send("POST", "\(master)/actions/merge?verbose=true", body(child), mine)
                #expect(answer.status == 201, "\(answer.text)")
                return answer.json?["merge"]?.array?.first?["details"]?["journal_id"] ?? .null
            }
            // One that can be undone, one that was, one whose survivor was deleted, one whose survivor was merged away.
            let open = await merge(ids[0], ids[1])
            let undone = await merge(ids[2], ids[3])
            #expect(await send("POST", "\(ids[2])/actions/unmerge", ["journal_id": undone], mine).status == 200)
            let deleted = await merge(ids[4], ids[5])
            _ = await send("DELETE", ids[4], nil, mine)
            let merged = await merge(ids[6], ids[7])
            _ = await merge(ids[0], ids[6])
            let unknown: JSONValue = [
                "code": "INVALID_DATA", "details": ["api_name": "journal_id", "json_path": "$.journal_id"],
                "message": "no merge of this record has that journal id", "status": "error",
            ]
            for name in ["stranger", "peer", "subordinate"] {
                let token = cast[name].token
                let own = try await add("Mine", token)
                for (survivor, journal) in [(ids[0], open), (ids[2], undone), (ids[4], deleted), (ids[6], merged)] {
                    let answer = await send("POST", "\(survivor)/actions/unmerge", ["journal_id": journal], token)
                    #expect(answer.status == 400 && answer.json == unknown, "\(name): \(answer.text)")
                    for path in ["unmerge", "unmerge?job_id=1", "merge"] {
                        let hidden = await send("GET", "\(survivor)/actions/\(path)", nil, token)
                        let never = await send("GET", "1/actions/\(path)", nil, token)
                        #expect(hidden.status == never.status && hidden.json == never.json, "\(name) \(path): \(hidden.text)")
                    }
                }
                let master = await send("POST", "\(ids[0])/actions/merge", body(own), token)
                #expect(master.json == (await send("POST", "1/actions/merge", body(own), token)).json, "row 2: \(master.text)")
                #expect(master.json?["message"] == "Master record id is not available")
                let child = await send("POST", "\(own)/actions/merge", body(ids[0]), token)
                #expect(child.json == (await send("POST", "\(own)/actions/merge", body("1"), token)).json, "row 12: \(child.text)")
            }
            // The owner learns what is the matter.
            let again = await send("POST", "\(ids[2])/actions/unmerge", ["journal_id": undone], mine)
            #expect(again.json?["message"] == "the merge was undone already", "\(again.text)")
            let late = await send("POST", "\(ids[4])/actions/unmerge", ["journal_id": deleted], mine)
            #expect(late.json?["message"] == "the surviving record is not there any more", "\(late.text)")
        }
    }

    /// `__apis` lists a merge for the modules that have one.
    @Test(arguments: TestServer.engines)
    func mergesAreListedWhereTheyAreDone(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.apis.READ")
            let listed = await server.send("GET", "/crm/v7/__apis", token: token).json?["__apis"]?.array ?? []
            let paths = listed.compactMap { $0["path"]?.string }
            for end in ["/{{id}}/actions/merge", "/{{id}}/actions/unmerge", "/actions/merge_group"] {
                let modules = paths.filter { $0.hasSuffix(end) }.map { $0.dropFirst("/crm/v7/".count).dropLast(end.count) }
                #expect(Set(modules) == ["Leads", "Contacts", "Accounts", "Deals", "Vendors", "{{module}}"], "\(end): \(modules)")
            }
        }
    }

    /// §6: two records that were linked with each other are one afterwards, which is not linked with itself. The link is kept in the
    /// journal, and comes back; one that led back before stays.
    @Test(arguments: TestServer.engines)
    func aLinkBetweenTheRecordsMergedGoes(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            try await bench.addModule("Rooms", [])
            try await bench.addModule(
                "Doors", type: "linking",
                [.lookup("From", to: "Rooms", side: true), .lookup("Into", to: "Rooms", side: true), .text("Colour")])
            let ids = try await bench.add("Rooms", ["M", "A", "B", "X"].map { ["Name": .string($0)] })
            func door(_ from: Int, _ into: Int, _ colour: String? = nil) -> JSONValue {
                var row: JSONValue = ["From": ["id": .string(ids[from])], "Into": ["id": .string(ids[into])]]
                if let colour { row["Colour"] = .string(colour) }
                return row
            }
            // Between participants: M-A, A-B. Led back before: A-A. To another: A-X and M-X clash, X-B moves.
            _ = try await bench.addRows("Doors", [door(0, 1, "red"), door(1, 2), door(1, 1), door(1, 3, "blue"), door(0, 3), door(3, 2)])
            let before = try await bench.dump()
            let children: [(String, [String])] = [(ids[1], []), (ids[2], [])]
            let preview = await bench.merge("Rooms", ids[0], children, query: "?dry_run=true")
            let merged = await bench.merge("Rooms", ids[0], children)
            #expect(merged.status == 201, "\(merged.text)")
            let told = merged.json?["merge"]?.array?.first?["details"] ?? .null
            #expect(told["collisions"] == 3 && told["moved"] == ["Doors.From": 1, "Doors.Into": 2], "\(told)")
            let foretold = preview.json?["merge"]?.array?.first?["details"] ?? .null
            #expect(foretold["collisions"] == told["collisions"] && foretold["moved"] == told["moved"], "\(foretold)")
            let master = SQLValue.integer(Int64(ids[0]) ?? 0)
            let left = try await bench.dump().rows["Doors"] ?? [:]
            #expect(left.count == 3)
            let selfLinks = left.values.filter { $0["from"] == master && $0["into"] == master }
            #expect(selfLinks.count == 1 && selfLinks[0]["colour"] == .null, "no column of a link that goes: \(left)")
            #expect(left.values.contains { $0["from"] == master && $0["colour"] == .text("blue") }, "\(left)")
            #expect(await bench.undo("Rooms", ids[0], merged).status == 200)
            #expect(try await bench.dump().differences(from: before) == [])
        }
    }
}
