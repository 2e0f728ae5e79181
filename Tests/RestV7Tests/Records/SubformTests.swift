import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Rows that belong to a record. Contract: `endpoints/subforms.md` 184 to 186; `metadata/types.md`, "subform".
@Suite struct SubformTests {
    private func languages(_ record: JSONValue) -> [JSONValue] { record["Languages"]?.array ?? [] }
    private func names(_ record: JSONValue) -> [String] { languages(record).compactMap { $0["Language"]?.string } }

    /// Rows 184, 185, 186.
    @Test(arguments: TestServer.engines)
    func rowsAreAddedChangedRemovedAndReadThroughTheirRecord(_ engine: Database.Engine) async throws {
        try await RowBench.with(engine) { bench in
            try await bench.addLanguages(to: "Leads")
            let id = try await bench.add(
                "Leads",
                [
                    "Last_Name": "Kim",
                    "Languages": [["Language": "English", "Proficiency": "Native"], ["Language": "Korean"], ["Language": "Latin"]],
                ])
            let record = await bench.record("Leads", id)
            let rows = languages(record)
            #expect(names(record) == ["English", "Korean", "Latin"])
            #expect(rows[0]["Proficiency"] == "Native")
            #expect(rows[0]["Parent_Id"] == ["name": "Kim", "id": .string(id)])
            #expect(rows[0]["$editable"] == true)
            #expect(rows[0]["Created_Time"]?.string != nil && rows[0]["Modified_Time"]?.string != nil)
            #expect(record["$has_more"]?["Languages"] == false)

            let changed = await bench.change(
                "Leads", id,
                [
                    "Languages": [
                        ["id": rows[0]["id"] ?? .null, "Proficiency": "Fluent"], ["Language": "French"],
                        ["id": rows[2]["id"] ?? .null, "_delete": .null],
                    ]
                ])
            #expect(changed.status == 200, "\(changed.text)")
            let after = await bench.record("Leads", id)
            #expect(names(after) == ["English", "Korean", "French"])
            #expect(languages(after)[0]["Proficiency"] == "Fluent")
            #expect(languages(after)[0]["id"] == rows[0]["id"])

            let list = await bench.send("GET", "Languages?fields=Language,Parent_Id")
            #expect(list.json?["data"]?.array?.count == 3)
            let leads = await bench.send("GET", "Leads?fields=Last_Name")
            #expect(leads.json?["data"]?.array?.first?["Languages"] == nil)

            _ = await bench.change("Leads", id, ["Last_Name": "Kimm"])
            #expect(names(await bench.record("Leads", id)).count == 3)
            _ = await bench.change("Leads", id, ["Languages": []])
            #expect(await bench.record("Leads", id)["Languages"] == [])
            #expect(await bench.send("GET", "Languages?fields=Language").status == 204)
        }
    }

    /// Rows 185 and 186, "Errors"; `common.md` §5, "error in a subform".
    @Test(arguments: TestServer.engines)
    func aRefusedRowRefusesItsRecordAndNothingIsWritten(_ engine: Database.Engine) async throws {
        try await RowBench.with(engine) { bench in
            try await bench.addLanguages(to: "Leads")
            let id = try await bench.add("Leads", ["Last_Name": "Kim", "Languages": [["Language": "English"]]])
            let other = try await bench.add("Leads", ["Last_Name": "Lee", "Languages": [["Language": "Welsh"]]])
            let foreign = languages(await bench.record("Leads", other))[0]["id"] ?? .null
            let own = languages(await bench.record("Leads", id))[0]["id"] ?? .null
            let cases: [(JSONValue, String, String)] = [
                ("x", "INVALID_DATA", "$.data[0].Languages"), ([1], "INVALID_DATA", "$.data[0].Languages[0]"),
                ([[:]], "MANDATORY_NOT_FOUND", "$.data[0].Languages[0].Language"),
                ([["Language": 5]], "INVALID_DATA", "$.data[0].Languages[0].Language"),
                ([["Language": .string(String(repeating: "x", count: 51))]], "INVALID_DATA", "$.data[0].Languages[0].Language"),
                ([["id": foreign, "Proficiency": "None"]], "INVALID_DATA", "$.data[0].Languages[0].id"),
                ([["id": foreign, "_delete": .null]], "INVALID_DATA", "$.data[0].Languages[0].id"),
                ([["_delete": .null]], "MANDATORY_NOT_FOUND", "$.data[0].Languages[0].id"),
                ([["id": own], ["id": own]], "DUPLICATE_DATA", "$.data[0].Languages[1].id"),
                ([["id": own, "Language": .null]], "MANDATORY_NOT_FOUND", "$.data[0].Languages[0].Language"),
                (.array((0..<101).map { ["Language": .string("l\($0)")] }), "INVALID_DATA", "$.data[0].Languages"),
            ]
            for (rows, code, path) in cases {
                let answer = await bench.change("Leads", id, ["Last_Name": "Changed", "Languages": rows])
                let result = bench.result(answer)
                #expect(answer.status == 400, "\(answer.text)")
                #expect(result["code"]?.string == code, "\(answer.text)")
                #expect(result["details"]?["json_path"]?.string == path, "\(answer.text)")
            }
            let record = await bench.record("Leads", id)
            #expect(record["Last_Name"] == "Kim" && names(record) == ["English"])
            #expect(names(await bench.record("Leads", other)) == ["Welsh"])

            let mixed = await bench.send(
                "POST", "Leads",
                ["data": [["Last_Name": "A", "Languages": [["Language": "Thai"]]], ["Last_Name": "B", "Languages": [[:]]]]])
            #expect(mixed.status == 207, "\(mixed.text)")
            #expect(mixed.json?["data"]?.array?[1]["details"]?["parent_api_name"] == "Languages")
            #expect(
                await bench.send("POST", "Languages", ["data": [["Language": "x", "Parent_Id": .string(id)]]]).json?["code"]
                    == "INVALID_MODULE")
        }
    }

    /// `merge.md` §4, "subform": unnamed rows go with the child, named ones replace the master's; undo brings all back.
    @Test(arguments: TestServer.engines)
    func aNamedSubformReplacesTheMastersRowsAndUndoRestoresBoth(_ engine: Database.Engine) async throws {
        try await RowBench.with(engine) { bench in
            try await bench.addLanguages(to: "Leads")
            func pair() async throws -> (String, String) {
                let master = try await bench.add(
                    "Leads", ["Last_Name": "Kim", "Languages": [["Language": "English"], ["Language": "Latin"]]])
                return (master, try await bench.add("Leads", ["Last_Name": "Kim", "Languages": [["Language": "Korean"]]]))
            }
            let (master, child) = try await pair()
            let ids = languages(await bench.record("Leads", child)).map { $0["id"] }
            let body: JSONValue = ["merge": [["data": [["id": .string(child), "_fields": [["api_name": "Languages"]]]]]]]
            let answer = await bench.send("POST", "Leads/\(master)/actions/merge?verbose=true", body)
            #expect(answer.status == 200 || answer.status == 201, "\(answer.text)")
            let merged = await bench.record("Leads", master)
            #expect(names(merged) == ["Korean"] && languages(merged).map { $0["id"] } == ids)
            let journal = answer.json?["merge"]?.array?.first?["details"]?["journal_id"] ?? .null
            let undo = await bench.send("POST", "Leads/\(master)/actions/unmerge", ["journal_id": journal])
            #expect(undo.status == 200, "\(undo.text)")
            #expect(names(await bench.record("Leads", master)) == ["English", "Latin"])
            #expect(names(await bench.record("Leads", child)) == ["Korean"])

            let (other, lost) = try await pair()
            _ = await bench.send("POST", "Leads/\(other)/actions/merge", ["merge": [["data": [["id": .string(lost)]]]]])
            #expect(names(await bench.record("Leads", other)) == ["English", "Latin"])
        }
    }
}
