import CRMCore
import HTTPShell
import Metadata
import RestV7
import SQLStore
import Synchronization
import Testing
import TributaryTestKit
import Wire

/// The fixed order of a merge's checks, peeled: a request has every fault at once; the first is told, is taken away, and the next
/// must be told. Contract: merge, §3 "Validation order", and rows 26, 30, 31 to 36 with their exact answers.
@Suite struct MergeErrorOrderTests {
    private func told(_ answer: TestServer.Answer) -> String {
        let result = answer.json?["merge"]?.array?.first ?? answer.json ?? .null
        return "\(answer.status) \(result["code"]?.string ?? "") \(result["message"]?.string ?? "")"
    }

    private func refusal(_ code: String, _ details: JSONValue, _ message: String) -> JSONValue {
        ["code": .string(code), "details": details, "message": .string(message), "status": "error"]
    }

    /// Rows 35, 31, 32, 33, 1, 34, 5, 4, 3, 2: what needs no record.
    @Test(arguments: TestServer.engines)
    func thePathAndTheCallerComeFirst(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let server = bench.server
            let limited = try await person(without: "Merge", server)
            let noScope = try await server.token("ZohoCRM.modules.leads.READ")
            struct Peel {
                let row: String
                var method = "POST"
                var module = "Nothing"
                var end = "merge"
                var token: String?
                var body: JSONValue = [1]
                let status: Int
                let answer: JSONValue
            }
            let peels = [
                Peel(
                    row: "35", method: "PUT", end: "merging", status: 404,
                    answer: refusal("INVALID_URL_PATTERN", [:], "Please check if the URL trying to access is a correct one")),
                Peel(
                    row: "31", method: "PUT", status: 400,
                    answer: refusal("INVALID_REQUEST_METHOD", [:], "The http request method type is not a valid one")),
                Peel(row: "32", status: 401, answer: refusal("AUTHENTICATION_FAILURE", [:], "Authentication failed")),
                Peel(row: "32 bad", token: "1000.bad", status: 401, answer: refusal("INVALID_TOKEN", [:], "invalid oauth token")),
                Peel(row: "33", token: noScope, status: 401, answer: refusal("OAUTH_SCOPE_MISMATCH", [:], "Unauthorized")),
                Peel(
                    row: "1", token: limited, status: 400,
                    answer: refusal("INVALID_MODULE", ["resource_path_index": 0], "the module name given seems to be invalid")),
                Peel(
                    row: "34", module: "Leads", token: limited, status: 403,
                    answer: refusal("NO_PERMISSION", ["permissions": ["Crm_Implied_Merge_Leads"]], "permission denied")),
                Peel(
                    row: "5", module: "Leads", token: bench.token, status: 400,
                    answer: refusal("INVALID_DATA", ["expected_data_type": "jsonobject", "json_path": "$"], "invalid data")),
                Peel(
                    row: "4", module: "Leads", token: bench.token, body: [:], status: 400,
                    answer: refusal("MANDATORY_NOT_FOUND", ["api_name": "merge", "json_path": "$.merge"], "required field not found")),
                Peel(
                    row: "3", module: "Leads", token: bench.token, body: ["merge": [1, 2]], status: 400,
                    answer: refusal(
                        "INVALID_DATA", ["api_name": "merge", "json_path": "$.merge", "maximum_length": 1],
                        "The merge JSON array has reached its limit")),
                Peel(
                    row: "2", module: "Leads", token: bench.token, body: ["merge": [1]], status: 400,
                    answer: refusal("INVALID_DATA", ["resource_path_index": 1], "Master record id is not available")),
            ]
            for peel in peels {
                let answer = await server.send(
                    peel.method, "/crm/v7/\(peel.module)/12x/actions/\(peel.end)", peel.body, token: peel.token)
                #expect(answer.status == peel.status && answer.json == peel.answer, "row \(peel.row): \(answer.status) \(answer.text)")
            }
        }
    }

    /// Rows 13, 14, 15 of the master; 5, 6, 7; for a child 8, 11, 12, 34, 13, 14, 15.
    @Test(arguments: TestServer.engines)
    func theMastersStateAndThenChildByChild(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            func deal(_ name: String) -> JSONValue {
                ["Deal_Name": .string(name), "Stage": "Qualification", "Pipeline": "Standard (Standard)", "Closing_Date": "2026-05-01"]
            }
            let ids = try await bench.add("Deals", ["M", "A", "B"].map(deal))
            let (m, a, b) = (ids[0], ids[1], ids[2])
            let noDelete = try await person(without: "Delete", on: "Deals", bench.server)
            func spoil(_ id: String) async throws {
                try await bench.set("Stage", of: "Deals", id, to: .text("Closed Won"))
                try await bench.set("Locked__s", of: "Deals", id, to: .integer(1))
                try await hold(id, of: "Deals", true, bench)
            }
            func send(_ data: JSONValue, _ token: String? = nil) async -> String {
                told(
                    await bench.server.send(
                        "POST", "/crm/v7/Deals/\(m)/actions/merge", ["merge": [["data": data, "master_record_fields": "x"]]],
                        token: token ?? bench.token))
            }
            try await spoil(m)
            #expect(await send("x") == "400 NOT_ALLOWED This record id is not allowed to be merged", "13")
            try await hold(m, of: "Deals", false, bench)
            #expect(await send("x") == "400 NOT_ALLOWED Record is not allowed for merging", "14")
            try await bench.set("Locked__s", of: "Deals", m, to: .integer(0))
            #expect(await send("x") == "400 NOT_ALLOWED Only Open Deals can be merged", "15")
            try await bench.set("Stage", of: "Deals", m, to: .text("Qualification"))
            #expect(await send("x") == "400 INVALID_DATA invalid data", "5")
            #expect(await send([]) == "400 INVALID_DATA Atleast one child record id is required to be merged", "6")
            #expect(await send([[:], [:], [:]]) == "400 INVALID_DATA The data JSON object has reached its limit", "7")
            // From here on the second child is none at all: whatever the first one's fault, it is told before.
            try await spoil(a)
            func child(_ id: JSONValue, _ token: String? = nil) async -> String {
                await send([["id": id, "_fields": "x"], ["id": "no", "_fields": "x"]], token)
            }
            #expect(await child(.null) == "400 MANDATORY_NOT_FOUND The ID of the child record is empty", "8")
            #expect(await child(.string(m)) == "400 DUPLICATE_DATA Similar ID is already given for merging", "11")
            #expect(await child("12", noDelete) == "400 INVALID_DATA the id given seems to be invalid", "12")
            #expect(await child(.string(a), noDelete) == "403 NO_PERMISSION permission denied", "34")
            #expect(await child(.string(a)) == "400 NOT_ALLOWED This record id is not allowed to be merged", "13")
            try await hold(a, of: "Deals", false, bench)
            #expect(await child(.string(a)) == "400 NOT_ALLOWED Record is not allowed for merging", "14")
            try await bench.set("Locked__s", of: "Deals", a, to: .integer(0))
            #expect(await child(.string(a)) == "400 NOT_ALLOWED Only Open Deals can be merged", "15")
            try await bench.set("Stage", of: "Deals", a, to: .text("Qualification"))
            #expect(await child(.string(a)) == "400 INVALID_DATA the id given seems to be invalid", "the next child")
            #expect(
                await send([["id": .string(a), "_fields": "x"], ["id": .string(a)]])
                    == "400 DUPLICATE_DATA Similar ID is already given for merging")
            #expect(
                await send([["id": .string(a), "_fields": "x"], ["id": .string(b)]]) == "400 INVALID_DATA invalid data", "then the lists")
        }
    }

    /// Rows 5, 9, 10, 27, 28, 17, 18, 19, 16 along the lists: the children's in order, then the master's.
    @Test(arguments: TestServer.engines)
    func theListsAreReadInOrder(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            func deal(_ name: String, _ pipeline: String) -> JSONValue {
                ["Deal_Name": .string(name), "Stage": "Qualification", "Pipeline": .string(pipeline), "Closing_Date": "2026-05-01"]
            }
            let ids = try await bench.add(
                "Deals", [deal("M", "Standard (Standard)"), deal("A", "Other"), deal("B", "Standard (Standard)")])
            // Each entry with the refusal it earns; whichever is the first in the lists is told.
            let follows = "400 NOT_ALLOWED Probability and Expected Revenue fields will be automatically populated based on chosen Stage"
            let faults: [(JSONValue, String)] = [
                (7, "400 INVALID_DATA invalid data"),
                ([:], "400 MANDATORY_NOT_FOUND The API names in the field JSON array cannot be empty"),
                (["api_name": "No_Such"], "400 INVALID_DATA the field api name given seems to be invalid"),
                (["api_name": "id"], "400 NOT_ALLOWED the field cannot be chosen in a merge"),
                (["api_name": "Closing_Date"], "400 NOT_ALLOWED Closing date will be automatically populated based on master record"),
                (["api_name": "Stage"], "400 NOT_ALLOWED Stage field will be automatically populated based on chosen Pipeline"),
                (["api_name": "Probability"], follows), (["api_name": "Expected_Revenue"], follows),
            ]
            func send(_ first: [JSONValue], _ second: [JSONValue], _ master: [JSONValue]) async -> TestServer.Answer {
                let data: JSONValue = [
                    ["id": .string(ids[1]), "_fields": .array(first)], ["id": .string(ids[2]), "_fields": .array(second)],
                ]
                return await bench.send(
                    "POST", "Deals/\(ids[0])/actions/merge", ["merge": [["data": data, "master_record_fields": .array(master)]]])
            }
            let good: JSONValue = ["api_name": "Amount"]
            for (index, (entry, answer)) in faults.enumerated() {
                let rest = faults.dropFirst(index + 1).map(\.0) + [good, good]
                #expect(told(await send([good, entry] + rest, [[:]], [[:]])) == answer, "\(entry)")
            }
            let twice = "400 DUPLICATE_DATA Field has already been mentioned for other record in merge"
            #expect(told(await send([good, good], [["api_name": "No_Such"]], [[:]])) == twice, "16 within a list before the next list")
            #expect(told(await send([good], [good], [[:]])) == twice, "16 in the second child before the master's list")
            #expect(
                told(await send([good], [], [[:], good]))
                    == "400 MANDATORY_NOT_FOUND The API names in the merge JSON array cannot be empty",
                "10")
            #expect(told(await send([good], [], [good])) == twice, "16 last")
        }
    }

    /// Rows 21, 29, 20, 23, 24, the mandatory field, 26 and 30: what depends on the lists together.
    @Test(arguments: TestServer.engines)
    func whatTheListsSayTogetherComesLast(_ engine: Database.Engine) async throws {
        try await FileFields.with(engine) { leads in
            let bench = RecordBench(server: leads.server, token: try await leads.server.token(TestServer.recordScopes))
            try await addFaultyFields(bench)
            let paper = { (name: String) async throws -> JSONValue in
                [["File_Id__s": try await leads.file(name, Array(name.utf8))]]
            }
            let accounts = try await bench.add("Accounts", [["Account_Name": "One"], ["Account_Name": "Two"]])
            func contact(_ name: String, _ serial: String, _ account: Int) async throws -> String {
                try await bench.add(
                    "Contacts",
                    [
                        "Last_Name": .string(name), "Serial": .string(serial), "Account_Name": ["id": .string(accounts[account])],
                        "Docs": try await paper(name), "Choice": ["id": .string(accounts[0])],
                    ])
            }
            let (m, c) = (try await contact("M", "s1", 0), try await contact("C", "s2", 1))
            _ = try await contact("D", "s3", 0)
            // A fourth record with the value, as a database could hold that was filled before the field was unique.
            try await forceTwin(of: "s2", bench)
            try await setFilter(bench)
            let docs = await bench.get("Contacts", c)["Docs"]?.array?.first?["id"] ?? .null
            func entry(_ name: String, _ data: JSONValue? = nil) -> JSONValue {
                var entry: JSONValue = ["api_name": .string(name)]
                if let data { entry["_data"] = data }
                return entry
            }
            func send(_ fields: [JSONValue], _ master: [JSONValue] = [], query: String = "") async -> TestServer.Answer {
                let object: JSONValue = [
                    "data": [["id": .string(c), "_fields": .array(fields)]], "master_record_fields": .array(master),
                ]
                return await bench.send("POST", "Contacts/\(m)/actions/merge\(query)", ["merge": [object]])
            }
            let late = [entry("Reporting_To"), entry("Last_Name"), entry("Choice"), entry("Serial")]
            let file = entry("Docs", [["id": docs]])
            #expect(
                told(await send([entry("Docs")] + late, [[:]]))
                    == "400 DEPENDENT_FIELD_MISSING The _data array is not mentioned for the child record",
                "22 before the master's list")
            #expect(
                told(await send([entry("Docs", [["id": "9"]])] + late, [[:]])) == "400 INVALID_DATA the id given seems to be invalid", "29")
            #expect(
                told(await send([file] + late, [[:]])) == "400 MANDATORY_NOT_FOUND The API names in the merge JSON array cannot be empty",
                "10")
            try await bench.set("Last_Name", of: "Contacts", c, to: .null)
            try await setSizes(bench, to: 40 << 20)
            #expect(
                told(await send([file] + late)) == "400 INVALID_DATA Reporting_To and Account_Name should belong to the same record", "20")
            let rest = Array(late.dropFirst())
            #expect(told(await send([file] + rest)).hasPrefix("400 LIMIT_EXCEEDED The total number of given files"), "23")
            let alone = entry("Docs", .null)
            #expect(told(await send([file] + rest, [alone])) == "400 LIMIT_EXCEEDED Attachment size limit exceeded", "24")
            try await setSizes(bench, to: 1)
            #expect(told(await send([file] + rest, [alone])) == "400 MANDATORY_NOT_FOUND required field not found", "§4, mandatory")
            try await bench.set("Last_Name", of: "Contacts", c, to: .text("C"))
            #expect(told(await send([file] + rest, [alone])).hasPrefix("400 FILTER_CRITERIA_NOT_SATISFIED"), "26")
            let last = [file, entry("Last_Name"), entry("Serial")]
            for query in ["", "?dry_run=true"] {
                let taken = await send(last, [alone], query: query)
                let details = taken.json?["merge"]?.array?.first?["details"]
                #expect(told(taken).hasPrefix("400 DUPLICATE_DATA duplicate data"), "30: \(taken.text)")
                #expect(details?["api_name"] == "api_name" || details?["api_name"] == "Serial", "30: \(taken.text)")
                #expect(details?["json_path"] == "$.merge[0].data[0]._fields[2].api_name", "30: \(taken.text)")
                #expect(details?["more_records"] == false && details?["duplicate_record"]?["module"]?["api_name"] == "Contacts")
                #expect(details?["duplicate_record"]?["id"]?.string != nil && details?["duplicate_record"]?["Owner"]?["id"] != nil)
            }
            #expect(told(await send(Array(last.dropLast()), [alone])).hasPrefix("201"), "nothing is left to refuse")
        }
    }

    /// What the body of a merge is refused for, a group's is, in its own envelope.
    @Test(arguments: TestServer.engines)
    func aGroupIsRefusedInItsOwnEnvelope(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            try await addFaultyFields(bench)
            let account = try await bench.add("Accounts", ["Account_Name": "One"])
            let ids = try await bench.add("Contacts", [["Last_Name": "M"], ["Last_Name": "C", "Choice": ["id": .string(account)]]])
            try await setFilter(bench)
            for query in ["", "?dry_run=true"] {
                let body: JSONValue = ["merge_group": [["ids": .array(ids.map(JSONValue.string)), "master": .string(ids[0])]]]
                let answer = await bench.send("POST", "Contacts/actions/merge_group\(query)", body)
                let result = answer.json?["merge_group"]?.array?.first
                #expect(answer.status == 400 && result?["code"] == "FILTER_CRITERIA_NOT_SATISFIED", "\(answer.status) \(answer.text)")
                #expect(result?["details"]?["api_name"] == "Choice", "\(answer.text)")
            }
        }
    }

    /// Row 36: a failure of ours says nothing of itself, and changes nothing.
    @Test(arguments: TestServer.engines)
    func aFailureOfOursIsAnInternalError(_ engine: Database.Engine) async throws {
        let failing = Mutex(false)
        let home = try await TestDatabase.fresh(engine)
        let options = Database.Options(observer: { text in
            if text.contains("sys_grave"), failing.withLock({ $0 }) {
                throw SQLFailure.other(DriverFailure(code: "fault", message: "made to fail"))
            }
        })
        let start = try await Bootstrap.start(home.location, options: options, demo: false, logger: TestDatabase.logger)
        let shell = Shell(services: start.services, endpoints: allEndpoints)
        guard let scopes = ScopeSet(TestServer.recordScopes) else { return }
        let token = try await shell.tokens.issueAccess(
            clientID: "test", user: start.administrator.id, scopes: scopes, lifeSeconds: 3600)
        func send(_ method: String, _ path: String, _ body: JSONValue) async throws -> (Int, JSONValue) {
            let reply = await shell.answer(
                method: method, path: "/crm/v7/\(path)", headers: [("Authorization", "Zoho-oauthtoken \(token)")], body: body.encoded())
            return (reply.status, try JSONValue.parse(reply.body))
        }
        let made = try await send("POST", "Leads", ["data": [["Last_Name": "A"], ["Last_Name": "B"]]])
        let ids = (made.1["data"]?.array ?? []).compactMap { $0["details"]?["id"]?.string }
        let before = try await RecordDump.take(start.services)
        failing.withLock { $0 = true }
        let answer = try await send("POST", "Leads/\(ids[0])/actions/merge", RecordBench.body([(ids[1], [])]))
        #expect(answer.0 == 500 && answer.1 == refusal("INTERNAL_ERROR", [:], "Internal Server Error"), "\(answer)")
        failing.withLock { $0 = false }
        #expect(try await RecordDump.take(start.services) == before)
        #expect(try await send("POST", "Leads/\(ids[0])/actions/merge", RecordBench.body([(ids[1], [])])).0 == 201)
        await start.close()
        await home.remove()
    }
}

extension MergeErrorOrderTests {
    /// A merge that has this record, or none.
    private func hold(_ id: String, of module: String, _ held: Bool, _ bench: RecordBench) async throws {
        guard let table = bench.server.services.catalog.current().module(module)?.table, let id = RecordID(id) else { return }
        try await bench.server.services.database.run(.write) { tx in
            _ = try tx.execute("UPDATE \(table) SET in_merge = \(held ? SQLValue.integer(7) : .null) WHERE id = \(id)")
        }
    }

    /// On contacts: a unique field, a field for one file, and a lookup at accounts.
    private func addFaultyFields(_ bench: RecordBench) async throws {
        try await bench.addFields("Contacts", [.text("Serial", unique: true), .lookup("Choice", to: "Accounts")])
        try await bench.server.services.changeMetadata { scope in
            guard let contacts = scope.catalog.module("Contacts") else { return }
            let body: JSONValue = [
                "api_name": "Docs", "field_label": "Docs", "data_type": "fileupload", "length": 1, "custom_field": true, "columns": [],
            ]
            try scope.add(
                [Document(id: scope.ids.next(), kind: .field, parent: RecordID(raw: contacts.id.raw), apiName: "Docs", body: body)])
        }
    }

    /// Gives another record a value that its unique index would not let it have.
    private func forceTwin(of value: String, _ bench: RecordBench) async throws {
        let catalog = bench.server.services.catalog.current()
        guard let contacts = catalog.module("Contacts"), let table = contacts.table, let field = contacts.field("Serial"),
            let column = field.columns.first, let index = TableName(checked: "u_\(field.id.raw)")
        else { return }
        try await bench.server.services.database.run(.write) { tx in
            _ = try tx.execute("DROP INDEX \(index)")
            _ = try tx.execute("UPDATE \(table) SET \(column) = \(.text(value)) WHERE \(column) = 's3'")
        }
    }

    private func setSizes(_ bench: RecordBench, to size: Int64) async throws {
        try await bench.server.services.database.run(.write) { tx in _ = try tx.execute("UPDATE sys_file SET size = \(.integer(size))") }
    }

    /// Nothing satisfies it: the value was chosen before there was a filter.
    private func setFilter(_ bench: RecordBench) async throws {
        try await bench.server.services.changeMetadata { scope in
            guard let field = scope.catalog.module("Contacts")?.field("Choice") else { return }
            var body = field.body
            body["lookup"] = [
                "module": ["api_name": "Accounts"],
                "query_details": ["criteria": ["field": ["api_name": "Account_Name"], "comparator": "equal", "value": "Nobody"]],
            ]
            try scope.replace(RecordID(raw: field.id.raw), body: body)
        }
    }

    /// A token of somebody whose profile lacks one right on a module.
    private func person(without missing: String, on module: String = "Leads", _ server: TestServer) async throws -> String {
        let user = try await server.services.changeMetadata { scope -> UserID in
            let rights = ["View", "Create", "Edit", "Delete", "Merge"].filter { $0 != missing }.map {
                JSONValue.string("Crm_Implied_\($0)_\(module)")
            }
            let profile = scope.ids.next()
            let user = scope.ids.next()
            let body: JSONValue = [
                "full_name": "Limited", "email": .string("\(missing)@example.test"), "status": "active", "profile": ["id": .id(profile)],
            ]
            try scope.add(
                [
                    Document(
                        id: profile, kind: .profile, apiName: "No \(missing)",
                        body: ["name": .string("No \(missing)"), "permissions": .array(rights)]),
                    Document(id: user, kind: .user, body: body),
                ])
            return UserID(raw: user.raw)
        }
        guard let scopes = ScopeSet(TestServer.recordScopes) else { return "" }
        return try await server.shell.tokens.issueAccess(clientID: "test", user: user, scopes: scopes, lifeSeconds: 3600)
    }
}
