import CRMCore
import HTTPShell
import Metadata
import RestV7
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Requests no client should send: the documented envelope and status, never a failure of ours, and nothing changed.
@Suite struct BadInputTests {
    /// What a refusal may look like; and that nothing of it is our own failure.
    private func isRefusal(_ answer: TestServer.Answer) -> Bool {
        guard (400..<500).contains(answer.status) else { return false }
        let results = answer.code == nil ? answer.json?.members?.first?.value.array ?? [] : [answer.json ?? .null]
        return !results.isEmpty
            && results.allSatisfy {
                $0["code"]?.string != nil && $0["status"] == "error" && $0["details"]?.members != nil && $0["message"]?.string != nil
            }
    }

    /// One result for each item, each well formed, in a status that fits.
    private func isAnswer(_ answer: TestServer.Answer, items: Int) -> Bool {
        guard [200, 201, 207, 400].contains(answer.status), answer.rows.count == items else { return answer.code == "INVALID_DATA" }
        return answer.rows.allSatisfy {
            $0["code"]?.string != nil && ["success", "error"].contains($0["status"]?.string) && $0["details"]?.members != nil
        }
    }

    private static let kinds = [
        "null", "true", "5", "-5", "1.5", "1e999", "-0", "99999999999999999999999999", "\"\"", "\"text\"", "\"\\u0000\"", "\"a\\u0000b\"",
        "[]", "{}", "[[]]", "[{}]", "[null]",
        "{\"id\":null}", "{\"id\":{}}", "{\"a\\u0000\":1}", "\"\u{FEFF}\u{202E}\"",
        String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
    ]
    private static let malformed = [
        "", " ", "{", "[", "\"", "{\"data\":[{\"Last_Name\":\"x\"}]", "{\"data\":[{\"Last_Name\":\"x\"}]}}", "{'data':[]}", "nul", "NaN",
        "{\"data\":[{\"Last_Name\":\"\\ud800\"}]}",
        "{\"data\":[{\"Last_Name\":\"\\udc00x\"}]}", "{\"data\":[{\"Last_Name\":\"\u{1}\"}]}", "{\"data\":[{\"Last_Name\":\"\0\"}]}",
        "{\"data\":[{\"Last_Name\":01}]}", "data=1",
        String(repeating: "[", count: 5000), String(repeating: "{\"data\":", count: 3000), "\u{FEFF}{}",
    ]

    /// A count over everything that records are made of.
    private func counts(_ server: TestServer) async throws -> [Int64] {
        try await server.services.database.run(.read) { tx in
            var counts: [Int64] = []
            for table in [
                "m_leads", "m_contacts", "m_notes", "m_tasks", "sys_change", "sys_grave", "sys_tag", "sys_record_tag", "sys_metadata",
            ] as [TableName] {
                counts.append(try tx.first("SELECT count(*) FROM \(table)") { $0.integer(0) ?? 0 } ?? -1)
            }
            return counts
        }
    }

    @Test(arguments: TestServer.engines)
    func noBodyMakesAWriteFailOrChangeAnything(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let lead = try await api.insert("Leads", [["Last_Name": "Kim"]])[0]
            let note = try await api.insert(
                "Notes", [["Note_Content": "x", "Parent_Id": ["id": .string(lead), "module": ["api_name": "Leads"]]]])[0]
            let before = try await counts(server)
            let record = await api.record("Leads", lead)
            let targets = [
                ("POST", "Leads"), ("PUT", "Leads"), ("PUT", "Leads/\(lead)"), ("POST", "Leads/upsert"), ("POST", "Notes"),
                ("PUT", "Notes"), ("PUT", "Notes/\(note)"),
                ("POST", "Leads/\(lead)/Notes"), ("PUT", "Leads/\(lead)/Notes"), ("PUT", "Leads/\(lead)/Notes/\(note)"),
            ]
            for (method, path) in targets {
                for text in Self.malformed {
                    let answer = await api.send(method, path, text: text)
                    #expect(
                        answer.status == 400 && answer.code == "UNABLE_TO_PARSE_DATA_TYPE",
                        "\(method) \(path) \(text.prefix(60)) \(answer.text)")
                }
                for kind in Self.kinds {
                    var shapes = ["\(kind)", "{\"data\":\(kind)}", "{\"data\":[\(kind)]}"]
                    // Text is what these fields are for.
                    if method == "PUT" || !kind.hasPrefix("\"") || kind.contains("u0000") {
                        shapes.append("{\"data\":[{\"id\":\(kind),\"Last_Name\":\(kind),\"Note_Content\":\(kind)}],\"trigger\":\(kind)}")
                    }
                    for shape in shapes {
                        // An update of nothing, or one whose only value clears a field, is a good one.
                        let answer = await api.send(method, path, text: shape)
                        if answer.status < 300 {
                            #expect(
                                method == "PUT" && path.contains("/") && !shape.contains("u0000"),
                                "\(method) \(path) \(shape.prefix(80)) \(answer.text)")
                        } else {
                            #expect(isRefusal(answer), "\(method) \(path) \(shape.prefix(80)) \(answer.status) \(answer.text)")
                            if shape.contains("u0000") {
                                #expect(answer.code == "INVALID_DATA", "\(method) \(path) \(shape.prefix(80)) \(answer.text)")
                            }
                        }
                    }
                }
            }
            let after = try await counts(server)
            #expect(after[0...3] == before[0...3] && after[5...] == before[5...])
            // The last of two keys counts, and a body may say its keys in any order.
            #expect(
                await api.send(
                    "PUT", "Leads/\(lead)",
                    text: #"{"data":[{"Company":"a","Company":"b"}],"data":[{"City":"x","Company":"c","Company":"d"}]}"#
                ).status == 200)
            let now = await api.record("Leads", lead)
            #expect(now["Company"] == "d" && now["City"] == "x" && now["Last_Name"] == record["Last_Name"])
        }
    }

    /// Every field of a module, every kind of JSON, and long values: refused or taken as a whole, never a failure.
    @Test(arguments: TestServer.engines)
    func noValueOfAnyFieldIsAFailure(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let long = "\"" + String(repeating: "x", count: 200_000) + "\""
            let many = "[" + Array(repeating: "{\"id\":\"1\",\"name\":\"n\"}", count: 300).joined(separator: ",") + "]"
            for module in ["Leads", "Events", "Appointments__s"] {
                let fields = server.services.catalog.current().module(module)?.fields ?? []
                for kind in Self.kinds + [
                    long, many, "9223372036854775807", "-9223372036854775808", "\"2025-02-30\"", "\"-1\"", "[\"\"]",
                    "{\"module\":{\"api_name\":\"Leads\"},\"id\":\"1\"}",
                ] {
                    let items = fields.map { "{\"\($0.apiName)\":\(kind)}" }
                    for method in ["POST", "PUT"] {
                        let answer = await api.send(method, module, text: "{\"data\":[\(items.joined(separator: ","))]}")
                        #expect(
                            isAnswer(answer, items: items.count),
                            "\(method) \(module) \(kind.prefix(40)) \(answer.status) \(answer.text.prefix(300))")
                    }
                }
                // What was taken is read back whole.
                #expect([200, 204].contains(await api.send("GET", "\(module)/search?word=text").status))
            }
        }
    }

    @Test(arguments: TestServer.engines)
    func noParameterOfAnyReadIsAFailure(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let lead = try await api.insert("Leads", [["Last_Name": "Kim"]])[0]
            let odd = [
                "%00", "a%00b", "%FF%FE", "%ED%A0%80", "-1", "0", "1.5", "1e9", "9223372036854775807", "9223372036854775808", "'",
                "%22;DROP%20TABLE%20x", "%25", "%5C", "null", "[]",
                "%7B%7D", ",", ",,,", "+", "%F0%9F%98%80", String(repeating: "x", count: 5000), String(repeating: "1,", count: 300),
            ]
            let reads: [(String, [String])] = [
                (
                    "Leads?",
                    [
                        "fields", "fields=id&ids", "fields=id&cvid", "fields=id&page", "fields=id&per_page", "fields=id&page_token",
                        "fields=id&sort_by", "fields=id&sort_order",
                        "fields=id&converted", "fields=id&approved", "fields=id&territory_id", "fields=id&include_child",
                        "fields=id&startDateTime", "fields=id&%00",
                    ]
                ),
                ("Leads/\(lead)?", ["fields", "include_merged"]),
                ("Leads/search?", ["criteria", "email", "phone", "word", "word=kim&fields", "word=kim&page", "word=kim&page_token"]),
                ("Leads/deleted?", ["type", "page", "per_page"]), ("Leads/actions/count?", ["criteria", "cvid", "phone"]),
                ("Leads/\(lead)/Notes?fields=id&", ["ids", "page", "page_token", "sort_by", "converted"]),
                ("settings/modules?", ["status"]),
                ("settings/fields?", ["module", "module=Leads&type", "module=Leads&data_type"]), ("settings/layouts?", ["module"]),
                ("settings/related_lists?", ["module"]),
                ("settings/custom_views?", ["module"]), ("users?", ["type", "ids", "page", "per_page"]), ("org?", ["any"]),
                ("__apis?", ["filters"]),
            ]
            for (path, parameters) in reads {
                for name in parameters {
                    for value in odd {
                        let answer = await api.send("GET", "\(path)\(name)=\(value)")
                        let good = [200, 204, 304].contains(answer.status) && !value.contains("%00") && !name.contains("%00")
                        #expect(
                            good || isRefusal(answer), "\(path) \(name)=\(value.prefix(40)) \(answer.status) \(answer.text.prefix(200))")
                    }
                }
            }
            for value in odd {
                for path in [
                    "Leads/\(value)", "\(value)/\(lead)", "Leads/\(lead)/\(value)", "Leads/\(lead)/Notes/\(value)",
                    "settings/modules/\(value)", "settings/fields/\(value)?module=Leads",
                    "settings/layouts/\(value)?module=Leads", "settings/related_lists/\(value)?module=Leads",
                    "settings/custom_views/\(value)?module=Leads", "users/\(value)", "Leads/\(value)/Notes",
                ] {
                    for method in ["GET", "DELETE", "PUT", "POST", "PATCH"] {
                        let answer = await api.send(
                            method, path, method == "GET" || method == "DELETE" ? nil : ["data": [["Last_Name": "x"]]])
                        #expect(
                            [200, 204].contains(answer.status) && method == "GET" || isRefusal(answer),
                            "\(method) \(path.prefix(80)) \(answer.status) \(answer.text.prefix(200))")
                    }
                }
            }
            #expect(await api.count("Leads") == 1)
        }
    }

    /// Contract: common, §6; records, INVALID_MODULE.
    @Test(arguments: TestServer.engines)
    func anUnknownModuleIsUnknownToEveryMethod(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let body: JSONValue = ["data": [["id": "1", "Last_Name": "x", "Note_Content": "x"]]]
            for module in ["Nonsense", "Home", "Leads2", "m_leads", "sys_token", "Activities", "Leads_X_Products", "Emails"] {
                for (method, path) in [
                    ("GET", "\(module)?fields=id"), ("POST", module), ("PUT", module), ("DELETE", "\(module)?ids=1"),
                    ("GET", "\(module)/1"), ("PUT", "\(module)/1"),
                    ("DELETE", "\(module)/1"), ("POST", "\(module)/upsert"), ("GET", "\(module)/search?word=xx"),
                    ("GET", "\(module)/deleted"), ("GET", "\(module)/actions/count"),
                    ("GET", "\(module)/1/Notes?fields=id"), ("POST", "\(module)/1/Notes"), ("PUT", "\(module)/1/Notes"),
                    ("PUT", "\(module)/1/Notes/2"),
                    ("DELETE", "\(module)/1/Notes?ids=2"), ("DELETE", "\(module)/1/Notes/2"), ("GET", "\(module)/1/Notes/2"),
                ] {
                    let answer = await api.send(method, path, method == "GET" || method == "DELETE" ? nil : body)
                    #expect(answer.status == 400 && answer.code == "INVALID_MODULE", "\(method) \(path) \(answer.text)")
                }
            }
            for (method, path) in [
                ("PATCH", "Leads"), ("PATCH", "Leads/1"), ("POST", "Leads/1"), ("PUT", "Leads/search"), ("DELETE", "Leads/deleted"),
                ("POST", "org"), ("PATCH", "Leads/1/Notes"),
            ] {
                #expect(await api.send(method, path, body).code == "INVALID_REQUEST_METHOD", "\(method) \(path)")
            }
        }
    }

    @Test func aNulIsFoundWhereverItHides() throws {
        func refused(_ text: String) -> String? {
            do throws(Rejection) {
                _ = try ParsedRequest(method: .post, body: Array(text.utf8)).json()
                return nil
            } catch { return error.code == .invalidData ? error.details["json_path"]?.string : "other" }
        }
        #expect(refused(#"{"a":["x",{"b":"\u0000"}]}"#) == "$.a[1].b")
        #expect(refused(#"["\\\u0000"]"#) == "$[0]")
        #expect(refused(#"{"a\u0000":1}"#) != nil)
        for good in [#"["\\u0000"]"#, #"["\\\\u0000","\u0001","u0000"]"#, #"{"u0000":"\"u0000"}"#] {
            #expect(refused(good) == nil, "\(good)")
        }
    }
}
