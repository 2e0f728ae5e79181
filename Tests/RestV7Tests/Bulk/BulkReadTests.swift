import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore
@testable import RestV7

/// Exports. Contract: bulk-read, 249 to 251.
@Suite struct BulkReadTests {
    @Test(arguments: TestServer.engines) func anExportHoldsTheRecordsOfAModule(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let account = try await bench.records.add("Accounts", ["Account_Name": "Acme, \"Ltd\"", "Phone": "123"])
            let ids = try await bench.records.add(
                "Contacts",
                [
                    ["Last_Name": "Kim", "Account_Name": ["id": .string(account)], "Description": "two\nlines", "Email_Opt_Out": true],
                    ["Last_Name": "Ødegård", "Date_of_Birth": "1990-02-28", "Tag": [["name": "a"], ["name": "b"]]],
                ])
            let id = try await bench.startRead([
                "module": ["api_name": "Contacts"],
                "fields": [
                    "Last_Name", "Owner", "Owner.last_name", "Account_Name", "Account_Name.Account_Name", "Account_Name.Phone",
                    "Description",
                    "Email_Opt_Out", "Date_of_Birth", "Tag", "Created_Time",
                ],
            ])
            let added = await bench.readJob(id)
            #expect(added["state"] == "ADDED")
            #expect(added["result"] == nil)
            #expect(await bench.send("GET", "/crm/bulk/v7/read/\(id)/result").status == 404)
            await bench.drain()
            let done = await bench.readJob(id)
            #expect(done["state"] == "COMPLETED")
            #expect(
                done["result"] == [
                    "page": 1, "per_page": 200_000, "count": 2, "download_url": .string("/crm/bulk/v7/read/\(id)/result"),
                    "more_records": false,
                ])
            let user = String(bench.server.administrator.id.raw)
            #expect(done["created_by"]?["id"] == .string(user))
            #expect(done["file_type"] == "csv")
            #expect(done["query"]?["module"]?["api_name"] == "Contacts")
            let text = try await bench.lines(of: id).joined(separator: "\n")
            let created = await bench.records.get("Contacts", ids[0])["Created_Time"]?.string ?? ""
            let second = await bench.records.get("Contacts", ids[1])["Created_Time"]?.string ?? ""
            #expect(
                text == """
                    Id,Last_Name,Owner,Owner.last_name,Account_Name,Account_Name.Account_Name,Account_Name.Phone,Description,Email_Opt_Out,\
                    Date_of_Birth,Tag,Created_Time
                    \(ids[0]),Kim,\(user),Admin,\(account),"Acme, ""Ltd""\",123,"two
                    lines",true,,,\(created)
                    \(ids[1]),Ødegård,\(user),Admin,,,,,false,1990-02-28,a;b,\(second)
                    """)
        }
    }

    @Test(arguments: TestServer.engines) func criteriaAndViewsChooseTheRecords(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let account = try await bench.records.add("Accounts", ["Account_Name": "Deep"])
            let names = ["Ada", "Bea", "Cyd", "Dan"]
            _ = try await bench.records.add(
                "Contacts",
                names.enumerated().map { index, name in
                    [
                        "Last_Name": .string(name), "Email": index > 1 ? .string("\(name)@x.test") : .null,
                        "Account_Name": index == 3 ? ["id": .string(account)] : .null,
                    ]
                })
            func test(_ field: String, _ comparator: String, _ value: JSONValue) -> JSONValue {
                ["field": ["api_name": .string(field)], "comparator": .string(comparator), "value": value]
            }
            func found(_ criteria: JSONValue) async throws -> [String] {
                let id = try await bench.startRead(["module": ["api_name": "Contacts"], "fields": ["Last_Name"], "criteria": criteria])
                await bench.drain()
                return try await bench.lines(of: id).dropFirst().map { String($0.split(separator: ",")[1]) }
            }
            #expect(try await found(test("Last_Name", "in", ["Ada", "Dan"])) == ["Ada", "Dan"])
            #expect(try await found(test("Last_Name", "ends_with", "d")) == ["Cyd"])
            #expect(try await found(test("Email", "equal", "${EMPTY}")) == ["Ada", "Bea"])
            #expect(try await found(test("Account_Name.Account_Name", "starts_with", "de")) == ["Dan"])
            #expect(try await found(test("Account_Name", "equal", .string(account))) == ["Dan"])
            #expect(try await found(test("Owner.last_name", "equal", "Admin")).count == 4)
            let group: JSONValue = [
                "group_operator": "or",
                "group": [
                    test("Last_Name", "equal", "ada"),
                    ["group_operator": "and", "group": [test("Email", "not_equal", "${EMPTY}"), test("Last_Name", "not_in", ["Cyd"])]],
                ],
            ]
            #expect(try await found(group) == ["Ada", "Dan"])
            let all = await bench.send("GET", "/crm/v7/settings/custom_views?module=Contacts").json?["custom_views"]?.array ?? []
            let view = try #require(all.first { ($0["system_name"]?.string ?? "").contains("ALL") } ?? all.first)
            let id = try await bench.startRead([
                "module": ["api_name": "Contacts"], "cvid": view["id"] ?? .null, "fields": ["Last_Name"],
                "criteria": test("Last_Name", "greater_equal", "Cyd"),
            ])
            await bench.drain()
            #expect(try await bench.lines(of: id).count == 3)
            #expect(await bench.readJob(id)["query"]?["cvid"] == view["id"])
        }
    }

    @Test(arguments: TestServer.engines) func pagesFollowOneAnotherByNumberAndByToken(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let ids = try await bench.records.add("Leads", (0..<13).map { ["Last_Name": .string("L\($0)"), "Company": "C"] })
            var limits = BulkReadJob.Limits()
            (limits.page, limits.part, limits.batch) = (5, 3, 2)
            let query: JSONValue = ["module": ["api_name": "Leads"], "fields": ["Last_Name"]]
            let first = try await bench.startRead(query)
            await bench.drain(limits)
            func shown(_ id: String) async throws -> [String] {
                try await bench.lines(of: id).dropFirst().map { String($0.split(separator: ",")[0]) }
            }
            #expect(try await shown(first) == Array(ids[0..<5]))
            let result = await bench.readJob(first)["result"]
            #expect(result?["more_records"] == true)
            let token = try #require(result?["next_page_token"]?.string)
            var numbered = query
            numbered["page"] = 2
            let second = try await bench.startRead(numbered)
            let byToken = try await bench.startRead(["page_token": .string(token)])
            await bench.drain(limits)
            #expect(try await shown(second) == Array(ids[5..<10]))
            #expect(try await shown(byToken) == Array(ids[5..<10]))
            #expect(await bench.readJob(byToken)["result"]?["page"] == 2)
            let next = try #require(await bench.readJob(byToken)["result"]?["next_page_token"]?.string)
            let third = try await bench.startRead(["page_token": .string(next)])
            await bench.drain(limits)
            #expect(try await shown(third) == Array(ids[10..<13]))
            #expect(await bench.readJob(third)["result"]?["more_records"] == false)
            // 24 hours, and one user's only.
            for bad in [token + "0", String(token.dropLast()) + "g", "1"] {
                let answer = await bench.send("POST", "/crm/bulk/v7/read", ["query": ["page_token": .string(bad)]])
                #expect(answer.status == 400 && answer.json?["code"] == "INVALID_DATA")
            }
            bench.server.clock.advance(seconds: 25 * 3_600)
            let late = try await bench.server.token(BulkBench.scopes)
            let expired = await bench.send("POST", "/crm/bulk/v7/read", ["query": ["page_token": .string(token)]], token: late)
            #expect(expired.json?["code"] == "EXPIRED_VALUE")
        }
    }

    @Test(arguments: TestServer.engines) func meetingsComeAsACalendar(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let long = String(repeating: "é", count: 60)
            let id = try await bench.records.add(
                "Events",
                [
                    "Event_Title": .string("Plan; \(long)"), "Start_DateTime": "2026-03-04T12:00:00Z",
                    "End_DateTime": "2026-03-04T13:00:00Z",
                    "Venue": "Room 1, left",
                ])
            let job = try await bench.startRead(["module": ["api_name": "Events"]], [.init("file_type", "ics")])
            await bench.drain()
            #expect(await bench.readJob(job)["file_type"] == "ics")
            #expect(await bench.readJob(job)["result"]?["per_page"] == 20_000)
            let lines = try await bench.lines(of: job)
            #expect(lines.first == "BEGIN:VCALENDAR" && lines.last == "END:VCALENDAR")
            #expect(lines.allSatisfy { $0.utf8.count <= 75 })
            #expect(
                lines.contains("UID:\(id)@tributary") && lines.contains("DTSTART:20260304T120000Z")
                    && lines.contains("LOCATION:Room 1\\, left"))
            #expect(lines.joined(separator: "\n").replacing("\n ", with: "").contains("SUMMARY:Plan\\; \(long)"))
            for query in [["module": ["api_name": "Events"], "fields": ["Event_Title"]], ["module": ["api_name": "Leads"]]] as [JSONValue] {
                #expect(await bench.send("POST", "/crm/bulk/v7/read", ["query": query, "file_type": "ics"]).status == 400)
            }
        }
    }

    @Test(arguments: TestServer.engines) func whatIsWrongIsToldAtOnceAndStartsNothing(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let module: JSONValue = ["api_name": "Leads"]
            func test(_ field: String, _ comparator: String, _ value: JSONValue) -> JSONValue {
                [
                    "query": [
                        "module": module,
                        "criteria": ["field": ["api_name": .string(field)], "comparator": .string(comparator), "value": value],
                    ]
                ]
            }
            let cases: [(JSONValue, String)] = [
                ([:], "MANDATORY_NOT_FOUND"), (["query": [:]], "MANDATORY_NOT_FOUND"), (["query": []], "INVALID_DATA"),
                (["query": ["module": ["api_name": "Nope"]]], "MODULE_NOT_AVAILABLE"),
                (["query": ["module": ["api_name": "Notes"]]], "MODULE_NOT_SUPPORTED"),
                (["query": ["module": module, "fields": ["Nope"]]], "FIELD_NOT_AVAILABLE"),
                (["query": ["module": module, "fields": ["Owner.nope"]]], "FIELD_NOT_AVAILABLE"),
                (["query": ["module": module, "fields": "Last_Name"]], "INVALID_DATA"),
                (["query": ["module": module, "page": 0]], "PAGE_RANGE_EXCEEDED"),
                (["query": ["module": module, "page": 51]], "PAGE_RANGE_EXCEEDED"),
                (["query": ["module": module, "page": 1, "page_token": "x"]], "AMBIGUITY_DURING_PROCESSING"),
                (["query": ["module": module, "cvid": "1"]], "CVID_NOT_SUPPORTED"),
                (test("Nope", "equal", "a"), "FIELD_IN_CRITERIA_NOT_AVAILABLE"),
                (test("Last_Name", "like", "a"), "FIELD_COMPARATOR_IN_CRITERIA_NOT_SUPPORTED"),
                (test("Created_Time", "contains", "a"), "INVALID_CRITERIA"), (test("Created_Time", "equal", "soon"), "INVALID_CRITERIA"),
                (test("Last_Name", "equal", .string(String(repeating: "x", count: 256))), "INVALID_DATA"),
                (["query": ["module": module, "criteria": ["group_operator": "xor", "group": []]]], "GROUP_OPERATOR_NOT_SUPPORTED"),
                (["query": ["module": module, "criteria": ["group_operator": "or", "group": []]]], "INVALID_DATA"),
                (["query": ["module": module], "callback": ["url": "ftp://a", "method": "post"]], "INVALID_CALLBACK_URL"),
                (["query": ["module": module], "callback": ["url": "https://a.test/x", "method": "get"]], "INVALID_CALLBACK_METHOD"),
                (["query": ["module": module], "callback": ["method": "post"]], "MANDATORY_NOT_FOUND"),
                (["query": ["module": module], "file_type": "pdf"], "INVALID_DATA"),
            ]
            for (body, code) in cases {
                let answer = await bench.send("POST", "/crm/bulk/v7/read", body)
                #expect(answer.status == 400 && answer.json?["code"]?.string == code, "\(body.text): \(answer.text)")
            }
            let bare = await bench.server.send("POST", "/crm/bulk/v7/read", ["query": ["module": module]], token: bench.token)
            #expect(bare.status == 415 && bare.json?["code"] == "MEDIA_TYPE_NOT_SUPPORTED")
            let jobs = try await bench.server.services.database.run(.read) { tx in
                try tx.first("SELECT count(*) FROM sys_job") { $0.integer(0) }
            }
            #expect(jobs == 0)
            for path in ["1", "x", "9223372036854775807"] {
                #expect(await bench.send("GET", "/crm/bulk/v7/read/\(path)").status == 404)
                #expect(await bench.send("GET", "/crm/bulk/v7/read/\(path)/result").json?["code"] == "RESOURCE_NOT_FOUND")
            }
        }
    }

    @Test(arguments: TestServer.engines) func scopesAndUsersLimitWhoSeesAJob(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let body: JSONValue = ["query": ["module": ["api_name": "Leads"]]]
            for scopes in ["ZohoCRM.bulk.READ", "ZohoCRM.modules.ALL", "ZohoCRM.bulk.READ,ZohoCRM.modules.contacts.READ"] {
                let token = try await bench.server.token(scopes)
                let answer = await bench.send("POST", "/crm/bulk/v7/read", body, token: token)
                #expect(answer.status == 401 && answer.json?["code"] == "OAUTH_SCOPE_MISMATCH")
            }
            // Whoever follows a lookup needs the scope of what it leads to, as in COQL.
            let token = try await bench.server.token("ZohoCRM.bulk.READ,ZohoCRM.modules.deals.READ")
            let followed: [JSONValue] = [
                ["module": ["api_name": "Deals"], "fields": ["Deal_Name", "Contact_Name.Email"]],
                [
                    "module": ["api_name": "Deals"],
                    "criteria": ["field": ["api_name": "Contact_Name.Email"], "comparator": "equal", "value": "a@b.example"],
                ],
            ]
            for query in followed {
                let answer = await bench.send("POST", "/crm/bulk/v7/read", ["query": query], token: token)
                #expect(answer.status == 401 && answer.json?["code"] == "OAUTH_SCOPE_MISMATCH", "\(answer.text)")
            }
            let id = try await bench.startRead(["module": ["api_name": "Leads"]])
            await bench.drain()
            for (scopes, status) in [("ZohoCRM.bulk.READ", 200), ("ZohoCRM.modules.leads.READ", 200), ("ZohoCRM.modules.deals.READ", 401)] {
                #expect(await bench.send("GET", "/crm/bulk/v7/read/\(id)", token: try await bench.server.token(scopes)).status == status)
            }
            #expect(await bench.server.send("GET", "/crm/bulk/v7/read/\(id)/result").status == 401)
            // Ten downloads a minute (section notes).
            for _ in 0..<10 { #expect(await bench.send("GET", "/crm/bulk/v7/read/\(id)/result").status == 200) }
            let eleventh = await bench.send("GET", "/crm/bulk/v7/read/\(id)/result")
            #expect(eleventh.status == 429 && eleventh.json?["code"] == "TOO_MANY_REQUESTS")
            bench.server.clock.advance(seconds: 60)
            #expect(await bench.send("GET", "/crm/bulk/v7/read/\(id)/result").status == 200)
        }
    }

    @Test(arguments: TestServer.engines) func resultsGoAfterAWeekAndTakeEverythingAlong(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            _ = try await bench.records.add("Leads", ["Last_Name": "A", "Company": "B"])
            let id = try await bench.startRead(["module": ["api_name": "Leads"]])
            await bench.drain()
            bench.server.clock.advance(seconds: 6 * 24 * 3_600)
            try await BulkSweep(bench.server.services).sweep()
            try await FileSweep(bench.server.services).sweep()
            let token = try await bench.server.token(BulkBench.scopes)
            #expect(await bench.send("GET", "/crm/bulk/v7/read/\(id)/result", token: token).status == 200)
            bench.server.clock.advance(seconds: 25 * 3_600)
            try await BulkSweep(bench.server.services).sweep()
            try await FileSweep(bench.server.services).sweep()
            let later = try await bench.server.token(BulkBench.scopes)
            #expect(await bench.send("GET", "/crm/bulk/v7/read/\(id)", token: later).status == 404)
            let left = try await bench.server.services.database.run(.read) { tx in
                try tx.first(
                    "SELECT (SELECT count(*) FROM sys_bulk_job) + (SELECT count(*) FROM sys_bulk_part) + (SELECT count(*) FROM sys_file) + (SELECT count(*) FROM sys_blob)"
                ) { $0.integer(0) }
            }
            #expect(left == 0)
        }
    }

    /// A worker dies between two pieces; the next one goes on behind the last that was kept.
    @Test(arguments: TestServer.engines) func aRunThatWasCutOffGoesOn(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let ids = try await bench.records.add("Leads", (0..<20).map { ["Last_Name": .string("L\($0)"), "Company": "C"] })
            let id = try await bench.startRead(["module": ["api_name": "Leads"], "fields": ["Last_Name"]])
            var limits = BulkReadJob.Limits()
            (limits.part, limits.batch) = (4, 2)
            let services = bench.server.services
            let job = try #require(RecordID(id))
            let bulk = try #require(await services.bulkJob(job, of: bench.server.administrator.id))
            let part = BulkReadPart(bulk, BulkReadRequest(kept: bulk.request), BulkReadProgress(bulk.progress), limits, services)
            let progress = try await part.write()
            #expect(progress.count == 4)
            // The same piece by a worker that was taken for dead.
            await #expect(throws: BulkTakenOver.self) { try await part.write() }
            await bench.drain(limits)
            #expect(try await bench.lines(of: id).dropFirst().map { String($0.split(separator: ",")[0]) } == ids)
        }
    }
}
