import Metadata
import SQLStore
import Synchronization
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore
@testable import RestV7

/// Imports. Contract: bulk-write, 245 to 248.
@Suite struct BulkWriteTests {
    @Test(arguments: TestServer.engines) func rowsBecomeRecordsWithAReportOfEach(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let csv = """
                Last_Name,Company,Email,Annual_Revenue,Email_Opt_Out,Tag\r
                Kim,"Acme, ""Ltd""\",kim@x.test,1200.5,yes,a;b\r
                "Two\nlines",B,,,,\r
                ,C,,,,\r
                Bad,D,nope,,,\r
                Ødegård,E,,x,,\r
                """
            let id = try await bench.write("insert", "Leads", csv)
            let added = await bench.writeJob(id)
            #expect(added["status"] == "ADDED")
            #expect(added["resource"]?.array?.first?["file"]?["status"] == "ADDED")
            await bench.drain()
            let done = await bench.writeJob(id)
            #expect(done["status"] == "COMPLETED" && done["operation"] == "insert" && done["character_encoding"] == "UTF-8")
            #expect(done["created_by"]?["id"] == .string(String(bench.server.administrator.id.raw)))
            let resource = try #require(done["resource"]?.array?.first)
            #expect(resource["status"] == "COMPLETED" && resource["code"] == "SUCCESS" && resource["module"]?["api_name"] == "Leads")
            #expect(resource["file"]?["name"] == "Leads.csv")
            #expect(
                resource["field_mappings"]?.array?.first == [
                    "api_name": "Last_Name", "index": 0, "format": nil, "find_by": nil, "module": nil, "parent_column_index": nil,
                    "default_value": nil,
                ])
            #expect(await bench.counts(id) == [2, 0, 3, 5])
            let results = try await bench.results(id)
            #expect(results.count == 1 && results[0].name == "Leads-Leads.csv")
            let lines = results[0].lines
            #expect(lines[0] == "Last_Name,Company,Email,STATUS,RECORD_ID,ERRORS")
            #expect(lines[3] == ",C,,SKIPPED,,MANDATORY_NOT_FOUND-Last_Name")
            #expect(lines[4] == "Bad,D,nope,SKIPPED,,INVALID_DATA-Email")
            #expect(lines[5] == "Ødegård,E,,SKIPPED,,INVALID_DATA-Annual_Revenue")
            let made = String(lines[1].split(separator: ",").last ?? "")
            let record = await bench.records.get("Leads", made)
            #expect(lines[1] == "Kim,\"Acme, \"\"Ltd\"\"\",kim@x.test,ADDED,\(made),")
            #expect(record["Company"] == "Acme, \"Ltd\"" && record["Annual_Revenue"] == 1200.5 && record["Email_Opt_Out"] == true)
            #expect(record["Tag"]?.array?.compactMap { $0["name"]?.string } == ["a", "b"])
            #expect(record["Owner"]?["id"] == .string(String(bench.server.administrator.id.raw)))
            let timeline = await bench.send("GET", "/crm/v7/Leads/\(made)/__timeline").json?["__timeline"]?.array?.last
            #expect(timeline?["source"] == "bulkapi")
            let found = await bench.send("GET", "/crm/v7/Leads/search?criteria=(Last_Name:equals:Kim)")
            #expect(found.json?["data"]?.array?.count == 1)
        }
    }

    @Test(arguments: TestServer.engines) func mappingsChooseColumnsFormatsDefaultsAndLookups(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let acme = try await bench.records.add("Accounts", ["Account_Name": "Acme"])
            let layout = bench.server.services.catalog.current().documents(.layout).first {
                $0.parent?.raw == bench.server.services.catalog.current().module("Contacts")?.id.raw
            }
            let csv = """
                who;born;company;boss;ignored
                Ada;28.02.1990;ACME;ada@nowhere.test;x
                Bea;31.02.1990;acme;;x
                Cyd;;Nope;;x
                Dan;;;;x
                """
            let email = try #require(bench.server.services.catalog.current().users.first?.email)
            let mappings: JSONValue = [
                ["api_name": "Last_Name", "index": 0],
                ["api_name": "Date_of_Birth", "index": 1, "format": "dd.MM.yyyy"],
                ["api_name": "Account_Name", "index": 2, "find_by": "Account_Name"],
                [
                    "api_name": "Owner", "index": 3, "find_by": "email",
                    "default_value": ["value": .string(String(bench.server.administrator.id.raw))],
                ],
                ["api_name": "Lead_Source", "default_value": ["value": "Trade Show"]],
                ["api_name": "Layout", "default_value": ["value": layout.map { .id($0.id) } ?? .null]],
            ]
            let id = try await bench.write(
                "insert", "Contacts", csv.replacing("ada@nowhere.test", with: email.uppercased()), ["field_mappings": mappings])
            await bench.drain()
            let lines = try #require(try await bench.results(id).first).lines
            #expect(lines[0] == "Last_Name,Date_of_Birth,Account_Name,STATUS,RECORD_ID,ERRORS")
            #expect(lines[2] == "Bea,31.02.1990,acme,SKIPPED,,INVALID_DATA-Date_of_Birth")
            #expect(lines[3] == "Cyd,,Nope,SKIPPED,,INVALID_DATA-Account_Name")
            #expect(await bench.counts(id) == [2, 0, 2, 4])
            let ada = await bench.records.get("Contacts", String(lines[1].split(separator: ",")[4]))
            #expect(
                ada["Date_of_Birth"] == "1990-02-28" && ada["Account_Name"]?["id"] == .string(acme) && ada["Lead_Source"] == "Trade Show")
            let dan = await bench.records.get("Contacts", lines[4].split(separator: ",").last.map(String.init) ?? "")
            #expect(dan["Last_Name"] == "Dan" && dan["Account_Name"]?.isNull == true && dan["Lead_Source"] == "Trade Show")
        }
    }

    @Test(arguments: TestServer.engines) func momentsAreReadAsTheCallersClocksShowThem(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let csv = """
                Event_Title,Start_DateTime,End_DateTime
                x,1,2
                """
            // Meetings are not for bulk writes (246: possible module names).
            let body: JSONValue = [
                "operation": "insert",
                "resource": [["type": "data", "module": ["api_name": "Events"], "file_id": try await bench.uploaded([("a.csv", csv)])]],
            ]
            #expect(await bench.send("POST", "/crm/bulk/v7/write", body).json?["code"] == "MODULE_NOT_AVAILABLE")
            let zone = bench.server.services.catalog.current().users.first?.zone ?? .utc
            for (pattern, text, iso) in [
                (DatePattern.instant, "02/03/2026 14:05:06", "2026-02-03T14:05:06"),
                ("dd-MMM-yyyy hh:mm a", "3-Feb-2026 02:05 pm", "2026-02-03T14:05:00"),
                ("d MMMM yyyy H:mm", "3 february 2026 14:05", "2026-02-03T14:05:00"),
                ("yyyy-MM-dd'T'HH:mm:ss", "2026-02-03T14:05:06", "2026-02-03T14:05:06"),
            ] {
                let instant = DatePattern(pattern)?.instant(text, zone)
                #expect(instant?.iso(offsetMinutes: zone.offsetMinutes(at: instant ?? Instant(milliseconds: 0))).prefix(19) ?? "" == iso)
            }
            #expect(DatePattern("dd/MM/yyyy")?.date("1/2/2026")?.iso == "2026-02-01")
            #expect(DatePattern("dd/MM/yy")?.date("29/02/25") == nil)
            for bad in ["", "dd/MM", "QQQ", "yyy-MM-dd"] { #expect(DatePattern(bad) == nil) }
        }
    }

    @Test(arguments: TestServer.engines) func updatesAndUpsertsFindTheirRecords(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let ids = try await bench.records.add(
                "Leads",
                [
                    ["Last_Name": "Ada", "Company": "A", "Email": "ada@x.test", "Phone": "1", "City": "Ulm"],
                    ["Last_Name": "Bea", "Company": "B", "Email": "bea@x.test", "Phone": "2"],
                ])
            let update = """
                Email,Phone,City
                ADA@x.test,11,
                none@x.test,5,
                ,6,
                bea@x.test,22,Rom
                """
            let first = try await bench.write("update", "Leads", update, ["find_by": "Email"], [.init("ignore_empty", true)])
            await bench.drain()
            #expect(await bench.counts(first) == [0, 2, 2, 4])
            let lines = try #require(try await bench.results(first).first).lines
            #expect(lines[1] == "ADA@x.test,11,,UPDATED,\(ids[0]),")
            #expect(lines[2] == "none@x.test,5,,SKIPPED,,RESOURCE_NOT_FOUND-Email")
            #expect(lines[3] == ",6,,SKIPPED,,MANDATORY_NOT_FOUND-Email")
            let ada = await bench.records.get("Leads", ids[0])
            #expect(ada["Phone"] == "11" && ada["City"] == "Ulm")
            // Without ignore_empty an empty cell empties the field.
            let second = try await bench.write("update", "Leads", "id,City\n\(ids[0]),\n1,x\n", ["find_by": "id"])
            await bench.drain()
            #expect(await bench.counts(second) == [0, 1, 1, 2])
            #expect(try await bench.results(second)[0].lines[2] == "1,x,SKIPPED,,RESOURCE_NOT_FOUND-id")
            #expect(await bench.records.get("Leads", ids[0])["City"]?.isNull == true)
            // A value that repeats finds the record its first mention made.
            let upsert = """
                Email,Last_Name,Company,Phone
                bea@x.test,Bea,B,222
                new@x.test,New,N,1
                NEW@x.test,New,N,2
                """
            let third = try await bench.write("upsert", "Leads", upsert, ["find_by": "Email"])
            await bench.drain()
            #expect(await bench.counts(third) == [1, 2, 0, 3])
            #expect(await bench.records.get("Leads", ids[1])["Phone"] == "222")
            // On insert, records that are there are left out.
            let fourth = try await bench.write(
                "insert", "Leads", upsert + "\nlast@x.test,Last,L,9\nlast@x.test,Last,L,9\n", ["find_by": "Email"])
            await bench.drain(batch: 100)
            #expect(await bench.counts(fourth) == [1, 0, 4, 5])
            #expect(try await bench.results(fourth)[0].lines[1].contains("SKIPPED,\(ids[1]),DUPLICATE_DATA-Email"))
        }
    }

    @Test(arguments: TestServer.engines) func childrenHangOnTheRowsOfTheirParent(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            try await RowBench(server: bench.server, token: bench.token).addLanguages(to: "Contacts")
            let files = try await bench.uploaded([
                ("people.csv", "key,Last_Name\nk1,Ada\nk2,Bea\nk3,\n"),
                (
                    "languages.csv",
                    "owner,Language,Proficiency\nk1,German,good\nk1,,bad\nk1,French,fair\nk2,Dutch,good\nk3,Latin,x\nk9,Greek,x\n"
                ),
            ])
            let body: JSONValue = [
                "operation": "insert",
                "resource": [
                    [
                        "type": "data", "module": ["api_name": "Contacts"], "file_id": files, "file_names": ["people.csv"],
                        "field_mappings": [["api_name": "Last_Name", "index": 1]],
                    ],
                    [
                        "type": "data", "module": ["api_name": "Languages"], "file_id": files, "file_names": ["languages.csv"],
                        "field_mappings": [
                            ["api_name": "Parent_Id", "index": 0, "parent_column_index": 0], ["api_name": "Language", "index": 1],
                            ["api_name": "Proficiency", "index": 2],
                        ],
                    ],
                ],
            ]
            let id = try await bench.startWrite(body)
            await bench.drain(batch: 2)
            let ended = await bench.writeJob(id)
            #expect(ended["status"] == "COMPLETED", "\(ended.text)")
            #expect(await bench.counts(id) == [2, 0, 1, 3])
            #expect(await bench.counts(id, file: 1) == [3, 0, 3, 6])
            let results = try await bench.results(id)
            #expect(results.map(\.name) == ["Contacts-people.csv", "Languages-languages.csv"])
            let ada = String(results[0].lines[1].split(separator: ",")[2])
            let rows = await bench.records.get("Contacts", ada)["Languages"]?.array ?? []
            #expect(rows.compactMap { $0["Language"]?.string } == ["German", "French"])
            #expect(results[1].lines[1] == "k1,German,good,ADDED,\(rows.first?["id"]?.string ?? "?"),")
            #expect(results[1].lines[2] == "k1,,bad,SKIPPED,,MANDATORY_NOT_FOUND-Language")
            #expect(results[1].lines[5] == "k3,Latin,x,SKIPPED,,RESOURCE_NOT_FOUND-Parent_Id")
            // A subform alone names its records by id.
            let alone = try await bench.write(
                "insert", "Languages", "Parent_Id,Language\n\(ada),Irish\n1,Welsh\n",
                ["field_mappings": [["api_name": "Parent_Id", "index": 0, "find_by": "id"], ["api_name": "Language", "index": 1]]])
            await bench.drain()
            #expect(await bench.counts(alone) == [1, 0, 1, 2])
            #expect((await bench.records.get("Contacts", ada)["Languages"]?.array ?? []).count == 3)
        }
    }

    @Test(arguments: TestServer.engines) func lineItemsMakeTheSumsOfTheirOrders(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let product = try await bench.records.add("Products", ["Product_Name": "Chair", "Unit_Price": 10])
            let files = try await bench.uploaded([
                ("q.csv", "Subject\nOffer\n"), ("i.csv", "Subject,product,count\nOffer,Chair,3\nOffer,chair,4\n"),
            ])
            let body: JSONValue = [
                "operation": "insert",
                "resource": [
                    [
                        "type": "data", "module": ["api_name": "Quotes"], "file_id": files, "file_names": ["q.csv"],
                        "field_mappings": [["api_name": "Subject", "index": 0]],
                    ],
                    [
                        "type": "data", "module": ["api_name": "Quoted_Items"], "file_id": files, "file_names": ["i.csv"],
                        "field_mappings": [
                            ["api_name": "Parent_Id", "index": 0, "parent_column_index": 0],
                            ["api_name": "Product_Name", "index": 1, "find_by": "Product_Name"], ["api_name": "Quantity", "index": 2],
                        ],
                    ],
                ],
            ]
            let id = try await bench.startWrite(body)
            await bench.drain(batch: 50)
            let ended = await bench.writeJob(id)
            #expect(await bench.counts(id, file: 1) == [2, 0, 0, 2], "\(ended.text)")
            let quote = String(try await bench.results(id)[0].lines[1].split(separator: ",")[2])
            let record = await bench.records.get("Quotes", quote)
            #expect(record["Sub_Total"]?.looseDouble == 70)
            #expect(record["Quoted_Items"]?.array?.first?["Product_Name"]?["id"] == .string(product))
        }
    }

    @Test(arguments: TestServer.engines) func uploadsAreZipsOfTheRightOrganisation(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let good = try BulkBench.zip([("a.csv", Array("Last_Name\n".utf8))])
            let answer = await bench.upload(good)
            #expect(
                answer.json?["code"] == "FILE_UPLOAD_SUCCESS" && answer.json?["message"] == "file uploaded."
                    && answer.json?["status"] == "success")
            #expect(answer.json?["details"]?["created_time"]?.string != nil)
            #expect(RecordID(answer.json?["details"]?["file_id"]?.string ?? "") != nil)
            for headers in [
                [], [("feature", "bulk-write")], [("feature", "bulk-write"), ("X-CRM-ORG", "1")], [("feature", "x"), ("X-CRM-ORG", "1")],
            ] {
                #expect(await bench.upload(good, headers: headers).json?["code"] == "BAD_REQUEST")
            }
            for bad in [[], Array("Last_Name\nKim\n".utf8), Array(good.dropLast()), Array(good.dropFirst(30)), try BulkBench.zip([])] {
                let refused = await bench.upload(bad)
                if Array(good.dropFirst(30)) == bad { continue }
                #expect(refused.status == 400 && refused.json?["code"] == "INVALID_FILE_FORMAT", "\(bad.count)")
            }
            let large = await bench.upload([UInt8](repeating: 0x50, count: (25 << 20) + 1))
            #expect(large.status == 413 && large.json?["code"] == "FILE_TOO_LARGE")
            let bare = try await bench.server.token("ZohoCRM.bulk.ALL,ZohoCRM.modules.ALL")
            #expect(await bench.server.send("POST", "/crm/v7/upload", token: bare).status == 401)
        }
    }

    @Test(arguments: TestServer.engines) func whatIsWrongWithARequestIsToldAtOnce(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let one = try await bench.uploaded([("a.csv", "Last_Name,Company,Account\nKim,C,x\n")])
            let two = try await bench.uploaded([("a.csv", "Last_Name\nKim\n"), ("b.csv", "Last_Name\nKim\n")])
            let odd = try await bench.uploaded([("a.csv", "Nope,Neither\n1,2\n")])
            let wide = try await bench.uploaded([("a.csv", (0..<201).map { "c\($0)" }.joined(separator: ",") + "\n")])
            let empty = try await bench.uploaded([("a.csv", "")])
            let torn =
                await bench.upload(try BulkBench.zip([("a.csv", [0x4C, 0xFF, 0xFE, 0x2C, 0x0A])])).json?["details"]?["file_id"] ?? .null
            func body(_ file: JSONValue, _ more: JSONValue = [:], operation: JSONValue = "insert", module: String = "Leads") -> JSONValue {
                let resource: JSONValue = ["type": "data", "module": ["api_name": .string(module)], "file_id": file]
                return ["operation": operation, "resource": [.object((resource.members ?? []) + (more.members ?? []))]]
            }
            func mapped(_ mappings: JSONValue) -> JSONValue { body(one, ["field_mappings": mappings], module: "Contacts") }
            let cases: [(JSONValue, String)] = [
                ([:], "MANDATORY_NOT_FOUND"), (["operation": "insert"], "MANDATORY_NOT_FOUND"),
                (body(one, operation: "delete"), "INVALID_DATA"),
                (body(one, module: "Nope"), "MODULE_NOT_AVAILABLE"), (body(one, module: "Notes"), "MODULE_NOT_AVAILABLE"),
                (body("1"), "INVALID_FILE_ID"), (body("x"), "INVALID_FILE_ID"), (body(two), "FILE_NOT_SUPPORTED"),
                (body(one, ["file_names": ["c.csv"]]), "FILE_NOT_SUPPORTED"), (body(odd), "INVALID_FIELD"),
                (body(wide), "HEADER_LIMIT_EXCEEDED"),
                (body(empty), "FILE_NOT_SUPPORTED"), (body(torn), "INVALID_FIELD"),
                (body(one, operation: "update"), "MANDATORY_NOT_FOUND"),
                (body(one, ["find_by": "Nope"], operation: "upsert"), "INVALID_FIELD"),
                (body(one, ["find_by": "Email"], operation: "update"), "MANDATORY_FIELDS_NOT_MAPPED"),
                (body(one, module: "Deals"), "INVALID_FIELD"),
                (mapped([["api_name": "First_Name", "index": 0]]), "MANDATORY_FIELDS_NOT_MAPPED"),
                (mapped([["api_name": "Nope", "index": 0]]), "INVALID_FIELD"), (mapped([["index": 0]]), "MANDATORY_NOT_FOUND"),
                (mapped([["api_name": "Last_Name"]]), "MANDATORY_NOT_FOUND"),
                (mapped([["api_name": "Last_Name", "index": 3]]), "COLUMN_INDEX_NOT_FOUND"),
                (mapped([["api_name": "Last_Name", "index": -1]]), "COLUMN_INDEX_NOT_FOUND"),
                (mapped([["api_name": "Last_Name", "index": "0"]]), "INVALID_DATA"),
                (mapped([["api_name": "Last_Name", "index": 0], ["api_name": "Account_Name", "index": 2]]), "MANDATORY_NOT_FOUND"),
                (
                    mapped([["api_name": "Last_Name", "index": 0], ["api_name": "Account_Name", "index": 2, "find_by": "Nope"]]),
                    "INVALID_FIELD"
                ),
                (mapped([["api_name": "Last_Name", "index": 0], ["api_name": "Last_Name", "index": 1]]), "DUPLICATE_DATA"),
                (
                    mapped([["api_name": "Last_Name", "index": 0], ["api_name": "Date_of_Birth", "index": 1, "format": "QQ"]]),
                    "INVALID_FORMAT"
                ),
                (.object((body(one).members ?? []) + [.init("character_encoding", "EBCDIC")]), "INVALID_DATA"),
                (
                    .object((body(one).members ?? []) + [.init("callback", ["url": "https://a.test", "method": "get"])]),
                    "INVALID_CALLBACK_METHOD"
                ),
                (
                    [
                        "operation": "insert",
                        "resource": [
                            body(one)["resource"]?.array?[0] ?? .null, body(one, module: "Contacts")["resource"]?.array?[0] ?? .null,
                        ],
                    ], "MODULE_NOT_AVAILABLE"
                ),
            ]
            for (body, code) in cases {
                let answer = await bench.send("POST", "/crm/bulk/v7/write", body)
                #expect(answer.status == 400 && answer.json?["code"]?.string == code, "\(body.text): \(answer.text)")
            }
            let jobs = try await bench.server.services.database.run(.read) { tx in
                try tx.first("SELECT count(*) FROM sys_job") { $0.integer(0) }
            }
            #expect(jobs == 0)
            for scopes in [
                "ZohoCRM.bulk.READ,ZohoCRM.modules.ALL", "ZohoCRM.bulk.CREATE", "ZohoCRM.bulk.CREATE,ZohoCRM.modules.contacts.ALL",
            ] {
                #expect(
                    await bench.send("POST", "/crm/bulk/v7/write", body(one), token: try await bench.server.token(scopes)).status == 401)
            }
            #expect(await bench.send("GET", "/crm/bulk/v7/write/1").json?["code"] == "RESOURCE_NOT_FOUND")
            #expect(await bench.send("GET", "/v7/crm/org1/bulk-write/1/1.zip").status == 404)
        }
    }

    /// What is wrong further down is found before the first row is written.
    @Test(arguments: TestServer.engines) func aFileThatIsNoGoodChangesNothing(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let head = Array("Last_Name,Company\nKim,C\n".utf8)
            let long = Array("Last_Name,Company\n".utf8) + Array((0..<25_001).map { "L\($0),C\n" }.joined().utf8)
            let zip = try BulkBench.zip([("a.csv", head + Array("Lee,C\n".utf8))])
            var damaged = zip
            damaged[50] ^= 0x55
            let cases: [([UInt8], String, String)] = [
                (try BulkBench.zip([("a.csv", head + [0x4C, 0xFF, 0x2C, 0x43])]), "INVALID_FILE_FORMAT", "row 3"),
                (try BulkBench.zip([("a.csv", head + Array("\"open,C\nx,y\n".utf8))]), "INVALID_FILE_FORMAT", "quote"),
                (try BulkBench.zip([("a.csv", long)]), "LIMIT_EXCEEDED", "25000"),
                // Lines without anything are no rows, and a file of them would keep the worker for minutes.
                (
                    try BulkBench.zip([("a.csv", head + [UInt8](repeating: 0x0A, count: 100_001))]), "INVALID_FILE_FORMAT",
                    "lines are empty"
                ),
            ]
            for (zip, code, reason) in cases {
                let file = try #require(await bench.upload(zip).json?["details"]?["file_id"])
                let id = try await bench.startWrite([
                    "operation": "insert", "character_encoding": "utf8",
                    "resource": [["type": "data", "module": ["api_name": "Leads"], "file_id": file]],
                ])
                await bench.drain(batch: 500)
                let job = await bench.writeJob(id)
                #expect(job["status"] == "FAILED" && job["resource"]?.array?.first?["code"]?.string == code, "\(job.text)")
                #expect(job["result"]?["error_message"]?["message"]?.string?.contains(reason) == true, "\(job.text)")
                #expect(job["result"]?["download_url"] == nil)
                #expect(await bench.send("GET", "/crm/v7/Leads?fields=id").status == 204)
            }
        }
    }

    /// A worker dies behind a batch; the next one goes on with the next row.
    @Test(arguments: TestServer.engines) func aRunThatWasCutOffWritesNoRowTwice(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let csv = "Last_Name,Company\n" + (0..<20).map { "L\($0),C\n" }.joined()
            let id = try await bench.write("insert", "Leads", csv)
            let services = bench.server.services
            let job = try #require(RecordID(id))
            let bulk = try #require(await services.bulkJob(job, of: bench.server.administrator.id))
            let request = BulkWriteRequest(kept: bulk.request)
            let writer = BulkResourceWriter(job: bulk.id, user: bulk.user, request: request, index: 0, services: services)
            var progress = BulkWriteProgress(bulk.progress)
            try await writer.begin(progress)
            progress.counts[0].parts = 1
            let before = progress
            let lines = (0..<7).map { ["L\($0)", "C"] }
            progress = try await writer.write(try writer.read(lines), before)
            #expect(progress.counts[0].done == 7)
            // The same batch by a worker that was taken for dead.
            await #expect(throws: BulkTakenOver.self) { try await writer.write(try writer.read(lines), before) }
            await bench.drain()
            let ended = await bench.writeJob(id)
            #expect(ended["status"] == "COMPLETED", "\(ended.text)")
            #expect(await bench.counts(id) == [20, 0, 0, 20])
            let names = (await bench.send("GET", "/crm/v7/Leads?fields=Last_Name&per_page=200").json?["data"]?.array ?? []).compactMap {
                $0["Last_Name"]?.string
            }
            #expect(names.sorted() == (0..<20).map { "L\($0)" }.sorted())
            #expect(
                try await bench.results(id)[0].lines.dropFirst().map { String($0.split(separator: ",")[0]) } == (0..<20).map { "L\($0)" })
        }
    }

    @Test(arguments: TestServer.engines) func otherEncodingsAndDelimitersAreUnderstood(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let text = "Last_Name|Company\nÅsa|Ö\n"
            let latin = text.unicodeScalars.map { UInt8($0.value) }
            var wide: [UInt8] = [0xFF, 0xFE]
            for unit in text.utf16 { wide += [UInt8(unit & 0xFF), UInt8(unit >> 8)] }
            let marked: [UInt8] = [0xEF, 0xBB, 0xBF] + Array(text.utf8)
            let cases: [([UInt8], String)] = [(latin, "ISO-8859-1"), (wide, ""), (marked, "")]
            for (bytes, encoding) in cases {
                let zip = try BulkBench.zip([("__MACOSX/a", [1]), ("x/a.csv", bytes)])
                let file = try #require(await bench.upload(zip).json?["details"]?["file_id"])
                let id = try await bench.startWrite([
                    "operation": "insert", "character_encoding": .string(encoding),
                    "resource": [["type": "data", "module": ["api_name": "Leads"], "file_id": file]],
                ])
                await bench.drain()
                #expect(await bench.counts(id) == [1, 0, 0, 1])
                let result = try await bench.results(id)[0]
                #expect(result.name == "Leads-a.csv")
                #expect(await bench.records.get("Leads", String(result.lines[1].split(separator: ",")[3]))["Last_Name"] == "Åsa")
            }
        }
    }

    private final class Listener: OutgoingHTTP {
        let heard = Mutex<[(String, JSONValue)]>([])
        let status: Int
        init(_ status: Int = 200) { self.status = status }
        func send(_ request: OutgoingRequest) async throws(OutgoingFailure) -> OutgoingAnswer {
            let value = (try? JSONValue.parse(request.body)) ?? .null
            heard.withLock { $0.append((request.url.text, value)) }
            return OutgoingAnswer(status: status)
        }
    }

    /// Contract: bulk-write, 246, and bulk-read, 249: the callback has the job's details.
    @Test(arguments: TestServer.engines) func theEndOfAJobIsToldToItsCallback(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let listener = Listener()
            let callback = JSONValue.Member("callback", ["url": "https://listener.test/done", "method": "post"])
            let written = try await bench.write("insert", "Leads", "Last_Name,Company\nA,B\n", [:], [callback])
            let read = try await bench.startRead(["module": ["api_name": "Leads"]], [callback])
            await bench.drain(outgoing: listener)
            let heard = listener.heard.withLock { $0 }
            #expect(heard.map(\.0) == ["https://listener.test/done", "https://listener.test/done"])
            #expect(heard.contains { $0.1["id"] == .string(written) && $0.1["status"] == "COMPLETED" })
            #expect(
                heard.contains { $0.1["data"]?.array?.first?["id"] == .string(read) && $0.1["data"]?.array?.first?["state"] == "COMPLETED" }
            )
            // Nobody listening is tried again, and harms no job.
            let deaf = Listener(500)
            let other = try await bench.startRead(["module": ["api_name": "Leads"]], [callback])
            await bench.drain(outgoing: deaf)
            #expect(await bench.readJob(other)["state"] == "COMPLETED")
            bench.server.clock.advance(seconds: 60)
            await bench.drain(outgoing: deaf)
            #expect(deaf.heard.withLock { $0.count } == 2)
        }
    }
}
