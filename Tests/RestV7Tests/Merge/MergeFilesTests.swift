import CRMCore
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Files of merged records. Contract: merge, §3 rules 21 to 24 and 29, §5.
@Suite struct MergeFilesTests {
    /// A master with files m1 and m2, two children with a1, a2 and b1.
    private struct Three {
        let leads: FileFields
        let master: String
        let first: String
        let second: String

        init(_ leads: FileFields) async throws {
            self.leads = leads
            master = try await leads.create(["Papers": try await leads.files("m1", "m2")])
            first = try await leads.create(["Papers": try await leads.files("a1", "a2")])
            second = try await leads.create(["Papers": try await leads.files("b1")])
        }

        func id(_ record: String, _ name: String) async throws -> JSONValue { ["id": try await leads.id(record, "Papers", name)] }

        func merge(first a: JSONValue? = nil, second b: JSONValue? = nil, master m: JSONValue? = nil, _ query: String = "?verbose=true")
            async -> TestServer.Answer
        {
            func named(_ data: JSONValue?) -> JSONValue { data.map { [["api_name": "Papers", "_data": $0]] } ?? [] }
            let body: JSONValue = [
                "merge": [
                    [
                        "data": [["id": .string(first), "_fields": named(a)], ["id": .string(second), "_fields": named(b)]],
                        "master_record_fields": named(m),
                    ]
                ]
            ]
            return await leads.server.send("POST", "/crm/v7/Leads/\(master)/actions/merge\(query)", body, token: leads.token)
        }

        var names: [String] { get async { await leads.names(master, "Papers") } }
    }

    private static func each(_ engine: Database.Engine, _ body: (Three) async throws -> Void) async throws {
        try await FileFields.with(engine) { leads in try await body(try await Three(leads)) }
    }

    @Test(arguments: TestServer.engines) func theUnionIsWhatTheRequestSays(_ engine: Database.Engine) async throws {
        try await FileFields.with(engine) { leads in
            var three = try await Three(leads)
            #expect(await three.merge().status == 201)
            #expect(await three.names == ["m1", "m2"], "a field that is not mentioned keeps the master's files")

            three = try await Three(leads)
            #expect(await three.merge(master: [try await three.id(three.master, "m2")]).status == 201)
            #expect(await three.names == ["m2"], "of the master's only those named stay")

            three = try await Three(leads)
            let moved = try await three.id(three.first, "a2")
            #expect(
                await three.merge(first: [moved, try await three.id(three.first, "a1")], second: [try await three.id(three.second, "b1")])
                    .status == 201)
            #expect(
                await three.names == ["m1", "m2", "a2", "a1", "b1"], "the children's come after the master's, in the order of the request")
            #expect(try await three.id(three.master, "a2") == moved, "under their old ids")

            three = try await Three(leads)
            let answer = await three.merge(first: [try await three.id(three.first, "a1")], master: .null)
            #expect(await three.names == ["a1"], "null takes the master's away")
            #expect(answer.json?["merge"]?.array?.first?["details"]?["moved"]?["Leads.Papers"] == 1)

            three = try await Three(leads)
            #expect(await three.merge(first: .null, master: .null).status == 201)
            #expect(await three.names == [])
        }
    }

    @Test(arguments: TestServer.engines) func anUndoGivesEveryRecordItsFiles(_ engine: Database.Engine) async throws {
        try await Self.each(engine) { three in
            let keep = try await three.id(three.master, "m2")
            let taken = try await three.id(three.first, "a2")
            let preview = await three.merge(first: [taken], master: [keep], "?dry_run=true")
            let shown = preview.json?["merge"]?.array?.first?["details"]
            #expect(shown?["record"]?["Papers"]?.array?.compactMap { $0["File_Name__s"]?.string } == ["m2", "a2"])
            #expect(shown?["moved"]?["Leads.Papers"] == 1)
            #expect(await three.names == ["m1", "m2"])
            let merged = await three.merge(first: [taken], master: [keep])
            #expect(await three.names == ["m2", "a2"])
            // What the merge took away is kept for the undo, not swept.
            try await FileSweep(three.leads.server.services).sweep()
            let journal = merged.json?["merge"]?.array?.first?["details"]?["journal_id"] ?? .null
            let undone = await three.leads.server.send(
                "POST", "/crm/v7/Leads/\(three.master)/actions/unmerge", ["journal_id": journal], token: three.leads.token)
            #expect(undone.status == 200, "\(undone.text)")
            #expect(await three.names == ["m1", "m2"])
            #expect(await three.leads.names(three.first, "Papers") == ["a1", "a2"])
            #expect(await three.leads.names(three.second, "Papers") == ["b1"])
        }
    }

    /// A file removed from the survivor since does not come back with an undo.
    @Test(arguments: TestServer.engines) func anUndoLeavesWhatChangedSince(_ engine: Database.Engine) async throws {
        try await Self.each(engine) { three in
            let taken = try await three.id(three.first, "a2")
            let merged = await three.merge(first: [taken])
            let id = taken["id"] ?? .null
            #expect(await three.leads.update(three.master, ["Papers": [["id": id, "_delete": .null]]]).status == 200)
            let journal = merged.json?["merge"]?.array?.first?["details"]?["journal_id"] ?? .null
            await three.leads.server.send(
                "POST", "/crm/v7/Leads/\(three.master)/actions/unmerge", ["journal_id": journal], token: three.leads.token)
            #expect(await three.leads.names(three.first, "Papers") == ["a1"])
            #expect(await three.names == ["m1", "m2"])
        }
    }

    @Test(arguments: TestServer.engines) func theRulesOfFilesAreKept(_ engine: Database.Engine) async throws {
        try await Self.each(engine) { three in
            let master = try await three.id(three.master, "m1")
            let a1 = try await three.id(three.first, "a1")
            let a2 = try await three.id(three.first, "a2")
            let child = "$.merge[0].data[0]._fields[0]"
            let own = "$.merge[0].master_record_fields[0]"
            func refusal(_ answer: TestServer.Answer) -> JSONValue { answer.json?["merge"]?.array?.first ?? .null }
            let shapes: [(JSONValue, String, String)] = [
                ([], "INVALID_DATA", "\(child)._data"), ("x", "INVALID_DATA", "\(child)._data"),
                (["x"], "INVALID_DATA", "\(child)._data[0]"),
                ([[:]], "MANDATORY_NOT_FOUND", "\(child)._data[0].id"), ([a1, a1], "DUPLICATE_DATA", "\(child)._data[1].id"),
                // 29: the master's file is none of the child's.
                ([a1, master], "INVALID_DATA", "\(child)._data[1].id"), ([["id": "99"]], "INVALID_DATA", "\(child)._data[0].id"),
            ]
            for (data, code, path) in shapes {
                let answer = await three.merge(first: data)
                #expect(answer.status == 400)
                #expect(refusal(answer)["code"] == .string(code), "\(data.text) \(answer.text)")
                #expect(refusal(answer)["details"]?["json_path"] == .string(path), "\(data.text) \(answer.text)")
            }
            // 21 and 22: `_data` is called for.
            for (fields, place, message) in [
                ("master_record_fields", own, "The _data array is not specified for the master record"),
                ("_fields", child, "The _data array is not mentioned for the child record"),
            ] {
                var data: JSONValue = ["id": .string(three.first)]
                var object: JSONValue = [:]
                if fields == "_fields" { data[fields] = [["api_name": "Papers"]] } else { object[fields] = [["api_name": "Papers"]] }
                object["data"] = [data]
                let answer = await three.leads.server.send(
                    "POST", "/crm/v7/Leads/\(three.master)/actions/merge", ["merge": [object]], token: three.leads.token)
                #expect(
                    refusal(answer) == [
                        "code": "DEPENDENT_FIELD_MISSING",
                        "details": [
                            "api_name": "id", "json_path": .string("\(place)._data"),
                            "dependee": ["api_name": "api_name", "json_path": .string("\(place).api_name")],
                        ], "message": .string(message), "status": "error",
                    ])
            }
            // 23: five files at most.
            await three.leads.server.send(
                "PUT", "/crm/v7/Leads/\(three.master)", ["data": [["Papers": try await three.leads.files("m3", "m4")]]],
                token: three.leads.token)
            let many = refusal(await three.merge(first: [a1, a2]))
            #expect(many["code"] == "LIMIT_EXCEEDED")
            #expect(many["message"] == "The total number of given files cannot be more than the maximum limit.")
            #expect(many["details"] == ["api_name": "Papers", "json_path": .string("\(child).api_name"), "maximum_length": 5])
            #expect(await three.names == ["m1", "m2", "m3", "m4"])
            #expect(await three.leads.names(three.first, "Papers") == ["a1", "a2"])
            // 16 does not apply: master and child may name the same field.
            #expect(await three.merge(first: [a1, a2], master: [master]).status == 201)
            #expect(await three.names == ["m1", "a1", "a2"])
        }
    }

    /// 24: 30 MB in one field.
    @Test(arguments: TestServer.engines) func filesOfAFieldTogetherHaveALimit(_ engine: Database.Engine) async throws {
        try await FileFields.with(engine) { leads in
            let large = [UInt8](repeating: 1, count: 16 << 20)
            let master = try await leads.create(["Papers": [["File_Id__s": try await leads.file("m", large)]]])
            let child = try await leads.create(["Papers": [["File_Id__s": try await leads.file("c", large)]]])
            let id = try await leads.id(child, "Papers", "c")
            let own = try await leads.id(master, "Papers", "m")
            let body: JSONValue = [
                "merge": [
                    [
                        "data": [["id": .string(child), "_fields": [["api_name": "Papers", "_data": [["id": id]]]]]],
                        "master_record_fields": [["api_name": "Papers", "_data": [["id": own]]]],
                    ]
                ]
            ]
            let answer = await leads.server.send("POST", "/crm/v7/Leads/\(master)/actions/merge", body, token: leads.token)
            let paths = ["$.merge[0].data[0]._fields[0].api_name", "$.merge[0].master_record_fields[0].api_name"]
            #expect(
                answer.json == [
                    "merge": [
                        [
                            "code": "LIMIT_EXCEEDED",
                            "details": [
                                "MAXIMUM_SIZE": "30 MB",
                                "limit_due_to": .array(paths.map { ["api_name": "Papers", "json_path": .string($0)] }),
                            ],
                            "message": "Attachment size limit exceeded", "status": "error",
                        ]
                    ]
                ])
            let more = await leads.update(master, ["Papers": [["File_Id__s": try await leads.file("n", large)]]])
            #expect(more.json?["data"]?.array?.first?["code"] == "LIMIT_EXCEEDED")
        }
    }
}
