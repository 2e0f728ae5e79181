import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Contract: composite-api, 252.
@Suite struct CompositeTests {
    private static let path = "/crm/v7/__composite_requests"
    private static let scopes =
        "ZohoCRM.composite_requests.CUSTOM,ZohoCRM.modules.ALL,ZohoCRM.coql.READ,ZohoCRM.settings.ALL,ZohoSearch.securesearch.READ"

    private static func send(_ server: TestServer, _ token: String, _ requests: [JSONValue], _ flags: [(String, JSONValue)] = []) async
        -> TestServer.Answer
    {
        await server.send(
            "POST", path, .object(flags.map { .init($0.0, $0.1) } + [.init("__composite_requests", .array(requests))]), token: token)
    }

    private static func results(_ answer: TestServer.Answer) -> [JSONValue] { answer.json?["__composite_requests"]?.array ?? [] }
    private static func count(_ server: TestServer, _ token: String) async -> JSONValue? {
        await server.send("POST", "/crm/v7/coql", ["select_query": "select COUNT(id) as n from Leads where id is not null"], token: token)
            .json?["data"]?.array?.first?["n"]
    }

    private static let add: JSONValue = [
        "sub_request_id": "1", "method": "POST", "uri": "/crm/v7/Leads", "body": ["data": [["Last_Name": "Kim"]]],
    ]
    private static let read: JSONValue = ["sub_request_id": "2", "method": "GET", "uri": "/crm/v7/Leads/@{1:$.data[0].details.id}"]

    @Test(arguments: TestServer.engines)
    func laterRequestsUseTheAnswersOfEarlierOnes(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let note: JSONValue = [
                "sub_request_id": "n_3", "method": "POST", "uri": "/crm/v7/Notes",
                "body": [
                    "data": [
                        [
                            "Note_Content": "of @{2:$['data'][0].Last_Name}!",
                            "Parent_Id": ["id": "@{1:$.data[0].details.id}", "module": ["api_name": "Leads"]],
                        ]
                    ]
                ],
            ]
            for (index, flags) in [[("parallel_execution", false)], [], [("rollback_on_fail", true)], [("parallel_execution", true)]].map({
                $0.map { ($0.0, JSONValue.bool($0.1)) }
            }).enumerated() {
                let answer = await Self.send(server, token, [Self.add, Self.read, note], flags)
                let results = Self.results(answer)
                #expect(answer.status == 200 && results.allSatisfy { $0["code"] == "SUCCESS" }, "\(answer.text)")
                let details = results.map { $0["details"] ?? .null }
                #expect(
                    details.map { $0["sub_request_id"] } == ["1", "2", "n_3"]
                        && details.map { $0["response"]?["status_code"] } == [201, 200, 201], "\(answer.text)")
                #expect(details[1]["response"]?["body"]?["data"]?.array?.first?["Last_Name"] == "Kim")
                #expect(details[0]["response"]?["headers"]?["content-type"] == "application/json;charset=utf-8")
                let notes = await server.send("GET", "/crm/v7/Notes?fields=Note_Content", token: token).json?["data"]?.array ?? []
                #expect(notes.count == index + 1 && notes.allSatisfy { $0["Note_Content"] == "of Kim!" })
            }
        }
    }

    @Test(arguments: TestServer.engines)
    func aFailureUndoesEverythingWhenAskedTo(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let bad: JSONValue = [
                "sub_request_id": "3", "method": "POST", "uri": "/crm/v7/Leads", "body": ["data": [["Company": "nameless"]]],
            ]
            let last: JSONValue = ["method": "GET", "uri": "/crm/v7/org"]
            let answer = await Self.send(server, token, [Self.add, Self.read, bad, last], [("rollback_on_fail", true)])
            let results = Self.results(answer)
            #expect(
                answer.status == 400
                    && results.map { $0["code"] } == ["ROLLBACK_PERFORMED", "ROLLBACK_PERFORMED", "SUCCESS", "PROCESSING_STOPPED"],
                "\(answer.text)")
            #expect(
                results.first?["details"] == ["rollbacked_by_sub_request_index": 2]
                    && results[2]["details"]?["response"]?["status_code"] == 400)
            #expect(await Self.count(server, token) == 0)
            // Without: what went well stays, and all were sent.
            let kept = await Self.send(server, token, [Self.add, bad], [("parallel_execution", false)])
            #expect(
                kept.status == 200 && Self.results(kept).map { $0["details"]?["response"]?["status_code"] } == [201, 400], "\(kept.text)")
            #expect(await Self.count(server, token) == 1)
            // The connection is free again.
            #expect(await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "After"]]], token: token).status == 201)
        }
    }

    /// 252, "Allowed APIs": what the page does not name is refused before it is asked; what it names is not.
    @Test(arguments: TestServer.engines)
    func onlyWhatThePageNamesIsTaken(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let lead = try await server.add("Leads", ["Last_Name": "Kim"], token: token)
            let refused: [(String, String)] = [
                ("POST", "/crm/bulk/v7/write"), ("POST", "/crm/bulk/v7/read"), ("GET", "/crm/bulk/v7/read/1"), ("POST", "/crm/x/v7/Leads"),
                ("POST", "/crm/v7/settings/tags/actions/mass_delete"), ("GET", "/crm/v7/settings/tags/actions/mass_delete?job_id=1"),
                ("DELETE", "/crm/v7/settings/variables?ids=1"), ("POST", "/crm/v7/users/actions/transfer_and_delete"),
                ("POST", "/crm/v7/users/1/actions/transfer_and_delete"), ("GET", "/crm/v7/org/photo"),
                ("GET", "/crm/v7/actions/watch/deliveries"), ("DELETE", "/crm/v7/Contacts/roles?ids=1"), ("PUT", "/crm/v7/Contacts/roles"),
                ("DELETE", "/crm/v7/Leads/\(lead)/Notes?ids=1"), ("DELETE", "/crm/v7/Leads/\(lead)/Campaigns?ids=1"),
                ("GET", "/crm/v7/Leads/\(lead)/photo"), ("GET", "/crm/v7/Leads/\(lead)/Attachments/1"),
                ("GET", "/crm/v7/Leads/\(lead)/Emails"), ("GET", "/crm/v7/Leads/\(lead)/__timeline"),
                ("POST", "/crm/v7/Leads/\(lead)/__email_drafts"), ("DELETE", "/crm/v7/Leads/\(lead)/__email_drafts/1"),
                ("POST", "/crm/v7/Leads/\(lead)/Locking_Information__s"), ("POST", "/crm/v7/Leads/\(lead)/actions/merge"),
                ("POST", "/crm/v7/Leads/\(lead)/actions/send_mail"),
            ]
            for (method, uri) in refused {
                let answer = await Self.send(server, token, [["method": .string(method), "uri": .string(uri)]])
                #expect(Self.results(answer).first?["code"] == "NOT_SUPPORTED", "\(method) \(uri): \(answer.text)")
            }
            let taken = [
                "/crm/v7/settings/automation/assignment_rules", "/crm/v7/settings/emails/actions/from_addresses",
                "/crm/v7/settings/email_templates", "/crm/v7/Leads/\(lead)/Attachments", "/crm/v7/Leads/\(lead)/Notes?fields=id",
                "/crm/v7/users/actions/count", "/crm/v7/Leads/actions/count", "/crm/v7/org",
            ]
            for uri in taken {
                let answer = await Self.send(server, token, [["method": "GET", "uri": .string(uri)]])
                #expect(answer.status == 200 && Self.results(answer).first?["code"] == "SUCCESS", "\(uri): \(answer.text)")
            }
        }
    }

    @Test(arguments: TestServer.engines)
    func eachSubRequestIsCheckedLikeAnyOther(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            func get(_ uri: String, _ more: [(String, JSONValue)] = []) -> JSONValue {
                .object(([("method", "GET"), ("uri", .string(uri))] + more).map { .init($0.0, $0.1) })
            }
            let cases: [(JSONValue, String)] = [
                (["method": "GET"], "MANDATORY_NOT_FOUND"), (["uri": "/crm/v7/org"], "MANDATORY_NOT_FOUND"),
                (get("/other/v7/org"), "MANDATORY_NOT_FOUND"), (get("/crm/v8/org"), "NOT_ALLOWED"),
                (["method": "BREW", "uri": "/crm/v7/org"], "INVALID_DATA"),
                (get("/crm/v7/org", [("sub_request_id", "_a")]), "INVALID_DATA"),
                (get("/crm/v7/org", [("headers", ["Authorization": "x"])]), "INVALID_DATA"),
                (get("/crm/v7/org", [("params", [])]), "INVALID_DATA"),
                (get("/crm/v7/Leads/actions/mass_update?job_id=1"), "NOT_SUPPORTED"),
                (["method": "POST", "uri": .string(Self.path)], "NOT_SUPPORTED"),
                // An escape does not hide what a segment says.
                (["method": "POST", "uri": "/crm/v7/%5f%5fcomposite_requests"], "NOT_SUPPORTED"),
                (["method": "POST", "uri": "/crm/v7/%66iles"], "NOT_SUPPORTED"),
                (["method": "DELETE", "uri": "/crm/v7/Leads", "params": ["ids": "1"]], "NOT_SUPPORTED"),
                (
                    ["method": "POST", "uri": "/crm/v7/Leads", "body": ["data": [["Last_Name": "a"], ["Last_Name": "b"]]]], "LIMIT_EXCEEDED"
                ),
                (get("/crm/v7/Leads?fields=id", [("params", ["per_page": 26])]), "LIMIT_EXCEEDED"),
                (get("/crm/v7/Leads/@{x:$.a}"), "INVALID_REFERENCE"), (get("/crm/v7/Leads/@{x}"), "INVALID_REFERENCE"),
                (get("/crm/v7/Leads/@{me:$.a}", [("sub_request_id", "me")]), "INVALID_REFERENCE"), (5, "INVALID_DATA"),
            ]
            for (item, code) in cases {
                for parallel in [true, false] {
                    let answer = await Self.send(server, token, [item], [("parallel_execution", .bool(parallel))])
                    #expect(answer.status == 400 && Self.results(answer).first?["code"] == .string(code), "\(item.text): \(answer.text)")
                }
            }
            #expect(await Self.count(server, token) == 0)
            let mixed = await Self.send(
                server, token, [get("/crm/v7/settings/modules", [("sub_request_id", "a")]), get("/crm/v7/org", [("sub_request_id", "a")])])
            #expect(
                mixed.status == 207 && Self.results(mixed).map { $0["code"] } == ["SUCCESS", "DUPLICATE_DATA"], "\(mixed.text.suffix(300))")
            let loop = await Self.send(
                server, token,
                [get("/crm/v7/Leads/@{b:$.a}", [("sub_request_id", "a")]), get("/crm/v7/Leads/@{a:$.a}", [("sub_request_id", "b")])])
            #expect(loop.status == 400 && Self.results(loop).map { $0["code"] } == ["LOOPING_FOUND", "LOOPING_FOUND"])
            let settings: JSONValue = ["method": "POST", "uri": "/crm/v7/settings/tags?module=Leads", "body": ["tags": [["name": "x"]]]]
            let upload: JSONValue = ["method": "POST", "uri": "/crm/v7/files"]
            let united = await Self.send(server, token, [Self.add, settings, upload], [("rollback_on_fail", true)])
            #expect(
                united.status == 400
                    && Self.results(united).map { $0["code"] } == ["ROLLBACK_PERFORMED", "ROLLBACK_PERFORMED", "NOT_SUPPORTED"],
                "\(united.text)")
            let tags = await server.send("GET", "/crm/v7/settings/tags?module=Leads", token: token).json?["tags"]?.array ?? []
            #expect(tags.isEmpty)
            #expect(await Self.count(server, token) == 0)
            // An older version is answered as this one; a scope that lacks is the sub-request's own failure.
            let old = await Self.send(server, token, [get("/crm/v3/Leads?fields=id"), get("/crm/v7/users?type=AllUsers")])
            #expect(Self.results(old).map { $0["details"]?["response"]?["status_code"] } == [204, 401], "\(old.text)")
        }
    }

    @Test(arguments: TestServer.engines)
    func theWholeIsRefusedWhenItsOwnShapeIsWrong(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let one: JSONValue = ["method": "GET", "uri": "/crm/v7/org"]
            let cases: [(JSONValue, String)] = [
                ([:], "MANDATORY_NOT_FOUND"), (["__composite_requests": .null], "MANDATORY_NOT_FOUND"),
                (["__composite_requests": "x"], "INVALID_DATA"), (["__composite_requests": []], "INVALID_DATA"),
                (["__composite_requests": [one, one, one, one, one, one]], "INVALID_DATA"),
                (["rollback_on_fail": "yes", "__composite_requests": [one]], "INVALID_DATA"),
                (["rollback_on_fail": true, "parallel_execution": true, "__composite_requests": [one]], "AMBIGUITY_DURING_PROCESSING"),
            ]
            for (body, code) in cases {
                let answer = await server.send("POST", Self.path, body, token: token)
                #expect(answer.status == 400 && answer.json?["code"] == .string(code), "\(answer.text)")
            }
            let poor = try await server.token("ZohoCRM.modules.ALL")
            #expect(await Self.send(server, poor, [one]).json?["code"] == "OAUTH_SCOPE_MISMATCH")
        }
    }
}
