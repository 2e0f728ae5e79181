import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Every refusal of a merge that can be reached, with its exact answer. Contract: merge, §3, by row.
@Suite struct MergeErrorTests {
    /// One refusal: what is sent, and what must come back.
    struct Case {
        let row: String
        var module = "Leads"
        let master: String
        let body: JSONValue
        var wrapped = true
        let code: String
        let details: JSONValue
        let message: String
    }

    private static func fields(_ names: JSONValue...) -> JSONValue { .array(names.map { ["api_name": $0] }) }
    private static func merge(_ data: JSONValue, master: JSONValue? = nil) -> JSONValue {
        var object: JSONValue = ["data": data]
        if let master { object["master_record_fields"] = master }
        return ["merge": [object]]
    }
    private static func at(_ name: String, _ path: String) -> JSONValue { ["api_name": .string(name), "json_path": .string(path)] }
    private static func child(_ id: String, _ fields: JSONValue? = nil) -> JSONValue {
        var item: JSONValue = ["id": .string(id)]
        if let fields { item["_fields"] = fields }
        return item
    }

    /// Sends each case, as a merge and as a dry run, and compares the whole answer.
    private func expect(_ cases: [Case], _ bench: RecordBench) async {
        for one in cases {
            for query in ["", "?dry_run=true"] {
                let answer = await bench.send("POST", "\(one.module)/\(one.master)/actions/merge\(query)", one.body)
                let result: JSONValue = [
                    "code": .string(one.code), "details": one.details, "message": .string(one.message), "status": "error",
                ]
                #expect(answer.status == 400, "\(one.row)\(query): \(answer.text)")
                #expect(answer.json == (one.wrapped ? ["merge": [result]] : result), "\(one.row)\(query): \(answer.text)")
            }
        }
    }

    /// Rows 1 to 12: the path, the outer shape, the children.
    @Test(arguments: TestServer.engines)
    func theShapeOfTheBodyIsChecked(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Leads", ["One", "Two", "Three", "Gone"].map { ["Last_Name": .string($0), "Company": "Acme"] })
            let (a, b, c) = (ids[0], ids[1], ids[2])
            let contact = try await bench.add("Contacts", ["Last_Name": "Elsewhere"])
            await bench.send("DELETE", "Leads/\(ids[3])")
            let before = try await bench.dump()
            let data = "$.merge[0].data"
            let good = Self.merge([Self.child(b)])
            let top = JSONValue.object([.init("resource_path_index", .integer(1))])
            let missing = "Master record id is not available"
            let unknown = "the id given seems to be invalid"
            let twice = "Similar ID is already given for merging"
            let limit = "The merge JSON array has reached its limit"
            var cases = ["Products", "Quotes", "Cases", "Campaigns", "Notes", "Contact_Roles", "Users", "Nothing", "Quoted_Items", "Tasks"]
                .map {
                    Case(
                        row: "1 \($0)", module: $0, master: a, body: good, wrapped: false, code: "INVALID_MODULE",
                        details: ["resource_path_index": 0],
                        message: "the module name given seems to be invalid")
                }
            cases += ["1", "12x", ids[3], contact, "99999999999999999999"].map {
                Case(row: "2 \($0)", master: $0, body: good, wrapped: false, code: "INVALID_DATA", details: top, message: missing)
            }
            let tooMany = Self.at("merge", "$.merge")
            cases.append(
                Case(
                    row: "3", master: a, body: ["merge": [["data": []], ["data": []]]], wrapped: false, code: "INVALID_DATA",
                    details: ["api_name": "merge", "json_path": "$.merge", "maximum_length": 1], message: limit))
            for body in [[:], ["merge": []], ["merge": .null], ["other": 1]] as [JSONValue] {
                cases.append(
                    Case(
                        row: "4", master: a, body: body, wrapped: false, code: "MANDATORY_NOT_FOUND", details: tooMany,
                        message: "required field not found"))
            }
            cases += [
                Case(
                    row: "5 body", master: a, body: [1], wrapped: false, code: "INVALID_DATA",
                    details: ["expected_data_type": "jsonobject", "json_path": "$"], message: "invalid data"),
                Case(
                    row: "5 merge", master: a, body: ["merge": "x"], wrapped: false, code: "INVALID_DATA",
                    details: ["expected_data_type": "jsonarray", "api_name": "merge", "json_path": "$.merge"], message: "invalid data"),
                Case(
                    row: "5 object", master: a, body: ["merge": ["x"]], code: "INVALID_DATA",
                    details: ["expected_data_type": "jsonobject", "api_name": "merge", "json_path": "$.merge[0]"], message: "invalid data"),
                Case(
                    row: "5 data", master: a, body: Self.merge("x"), code: "INVALID_DATA",
                    details: ["expected_data_type": "jsonarray", "api_name": "data", "json_path": .string(data)], message: "invalid data"),
                Case(
                    row: "5 child", master: a, body: Self.merge(["x"]), code: "INVALID_DATA",
                    details: ["expected_data_type": "jsonobject", "api_name": "data", "json_path": .string("\(data)[0]")],
                    message: "invalid data"),
                Case(
                    row: "5 id", master: a, body: Self.merge([["id": true]]), code: "INVALID_DATA",
                    details: ["expected_data_type": "bigint", "api_name": "id", "json_path": .string("\(data)[0].id")],
                    message: "invalid data"),
                Case(
                    row: "5 fields", master: a, body: Self.merge([Self.child(b, "x")]), code: "INVALID_DATA",
                    details: ["expected_data_type": "jsonarray", "api_name": "_fields", "json_path": .string("\(data)[0]._fields")],
                    message: "invalid data"),
                Case(
                    row: "5 field", master: a, body: Self.merge([Self.child(b, [7])]), code: "INVALID_DATA",
                    details: ["expected_data_type": "jsonobject", "api_name": "_fields", "json_path": .string("\(data)[0]._fields[0]")],
                    message: "invalid data"),
                Case(
                    row: "5 name", master: a, body: Self.merge([Self.child(b, Self.fields(7))]), code: "INVALID_DATA",
                    details: [
                        "expected_data_type": "text", "api_name": "api_name", "json_path": .string("\(data)[0]._fields[0].api_name"),
                    ], message: "invalid data"),
                Case(
                    row: "7", master: a, body: Self.merge([Self.child(b), Self.child(c), Self.child(a)]), code: "INVALID_DATA",
                    details: ["api_name": "data", "json_path": .string(data), "maximum_length": 2],
                    message: "The data JSON object has reached its limit"),
            ]
            for body in [Self.merge([]), Self.merge(.null), ["merge": [[:]]]] as [JSONValue] {
                cases.append(
                    Case(
                        row: "6", master: a, body: body, code: "INVALID_DATA",
                        details: ["api_name": "data", "json_path": .string(data), "minimum_length": 1],
                        message: "Atleast one child record id is required to be merged"))
            }
            for item in [[:], ["id": .null], ["id": ""]] as [JSONValue] {
                cases.append(
                    Case(
                        row: "8", master: a, body: Self.merge([Self.child(b), item]), code: "MANDATORY_NOT_FOUND",
                        details: Self.at("id", "\(data)[1].id"), message: "The ID of the child record is empty"))
            }
            for name in ["", .null] as [JSONValue] {
                cases.append(
                    Case(
                        row: "9", master: a, body: Self.merge([Self.child(b, Self.fields("Company", name))]), code: "MANDATORY_NOT_FOUND",
                        details: Self.at("api_name", "\(data)[0]._fields[1].api_name"),
                        message: "The API names in the field JSON array cannot be empty"))
                cases.append(
                    Case(
                        row: "10", master: a, body: Self.merge([Self.child(b)], master: Self.fields(name)), code: "MANDATORY_NOT_FOUND",
                        details: Self.at("api_name", "$.merge[0].master_record_fields[0].api_name"),
                        message: "The API names in the merge JSON array cannot be empty"))
            }
            cases += [
                Case(
                    row: "11 master", master: a, body: Self.merge([Self.child(a)]), code: "DUPLICATE_DATA",
                    details: Self.at("id", "\(data)[0].id"), message: twice),
                Case(
                    row: "11 child", master: a, body: Self.merge([Self.child(b), Self.child(b)]), code: "DUPLICATE_DATA",
                    details: Self.at("id", "\(data)[1].id"), message: twice),
            ]
            for id in ["1", "x7", ids[3], contact] {
                cases.append(
                    Case(
                        row: "12 \(id)", master: a, body: Self.merge([Self.child(b), Self.child(id)]), code: "INVALID_DATA",
                        details: Self.at("id", "\(data)[1].id"), message: unknown))
            }
            cases.append(
                Case(
                    row: "id too long", master: a, body: Self.merge([Self.child(String(repeating: "1", count: 51))]), code: "INVALID_DATA",
                    details: ["api_name": "id", "json_path": .string("\(data)[0].id"), "maximum_length": 50], message: "invalid data"))
            await expect(cases, bench)
            #expect(try await bench.dump() == before)
        }
    }

    /// Rows 16, 27, 28: the fields named. Rows 13 and 14: the state of a record.
    @Test(arguments: TestServer.engines)
    func namedFieldsAndStatesAreChecked(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Leads", (1...4).map { ["Last_Name": .string("Lead \($0)"), "Company": "Acme"] })
            let (a, b, c, locked) = (ids[0], ids[1], ids[2], ids[3])
            try await bench.set("Locked__s", of: "Leads", locked, to: .integer(1))
            let before = try await bench.dump()
            let data = "$.merge[0].data"
            let again = "Field has already been mentioned for other record in merge"
            let forbidden = "the field cannot be chosen in a merge"
            var cases = [
                Case(
                    row: "16 two children", master: a,
                    body: Self.merge([Self.child(b, Self.fields("Company")), Self.child(c, Self.fields("Phone", "Company"))]),
                    code: "DUPLICATE_DATA", details: Self.at("api_name", "\(data)[1]._fields[1].api_name"), message: again),
                Case(
                    row: "16 child and master", master: a,
                    body: Self.merge([Self.child(b, Self.fields("Company"))], master: Self.fields("Company")),
                    code: "DUPLICATE_DATA", details: Self.at("api_name", "$.merge[0].master_record_fields[0].api_name"), message: again),
                Case(
                    row: "16 one list", master: a, body: Self.merge([Self.child(b, Self.fields("City", "City"))]),
                    code: "DUPLICATE_DATA", details: Self.at("api_name", "\(data)[0]._fields[1].api_name"), message: again),
                Case(
                    row: "16 tags", master: a, body: Self.merge([Self.child(b, Self.fields("Tag"))], master: Self.fields("Tag")),
                    code: "DUPLICATE_DATA", details: Self.at("api_name", "$.merge[0].master_record_fields[0].api_name"), message: again),
                Case(
                    row: "27", master: a, body: Self.merge([Self.child(b, Self.fields("No_Such"))]), code: "INVALID_DATA",
                    details: Self.at("api_name", "\(data)[0]._fields[0].api_name"), message: "the field api name given seems to be invalid"),
                Case(
                    row: "14 master", master: locked, body: Self.merge([Self.child(b)]), wrapped: false, code: "NOT_ALLOWED",
                    details: ["api_name": "record", "resource_path_index": 1], message: "Record is not allowed for merging"),
                Case(
                    row: "14 child", master: a, body: Self.merge([Self.child(b), Self.child(locked)]), code: "NOT_ALLOWED",
                    details: Self.at("id", "\(data)[1].id"), message: "Record is not allowed for merging"),
                Case(
                    row: "fields limit", master: a,
                    body: Self.merge([Self.child(b, .array(Array(repeating: ["api_name": "Company"], count: 101)))]),
                    code: "INVALID_DATA",
                    details: ["api_name": "_fields", "json_path": .string("\(data)[0]._fields"), "maximum_length": 100],
                    message: "invalid data"),
                Case(
                    row: "mandatory", master: a, body: Self.merge([Self.child(b, Self.fields("Last_Name"))]), code: "MANDATORY_NOT_FOUND",
                    details: ["api_name": "Last_Name", "json_path": .string("\(data)[0]._fields[0].api_name")],
                    message: "required field not found"),
            ]
            cases += [
                "id", "Created_Time", "Created_By", "Modified_By", "Modified_Time", "Full_Name", "Converted__s", "Last_Activity_Time",
                "Locked__s",
            ].map {
                Case(
                    row: "28 \($0)", master: a, body: Self.merge([Self.child(b, Self.fields(.string($0)))]), code: "NOT_ALLOWED",
                    details: Self.at("api_name", "\(data)[0]._fields[0].api_name"), message: forbidden)
            }
            await expect(cases.filter { $0.row != "mandatory" }, bench)
            #expect(try await bench.dump() == before)
            try await bench.set("Last_Name", of: "Leads", b, to: .null)
            await expect(cases.filter { $0.row == "mandatory" }, bench)
        }
    }

    /// The order of checks (merge, "Validation order"): each body has two faults, the earlier one is told.
    @Test(arguments: TestServer.engines)
    func theEarlierFaultIsTold(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Leads", (1...4).map { ["Last_Name": .string("Lead \($0)"), "Company": "Acme"] })
            let (a, b, c, locked) = (ids[0], ids[1], ids[2], ids[3])
            try await bench.set("Locked__s", of: "Leads", locked, to: .integer(1))
            func code(_ module: String, _ master: String, _ body: JSONValue) async -> String {
                let json = await bench.send("POST", "\(module)/\(master)/actions/merge", body).json ?? .null
                let result = json["merge"]?.array?.first ?? json
                return
                    "\(result["code"]?.string ?? "") \(result["details"]?["json_path"]?.string ?? result["details"]?["resource_path_index"]?.int64.map(String.init) ?? "")"
            }
            let data = "$.merge[0].data"
            #expect(await code("Nothing", "x", [:]) == "INVALID_MODULE 0", "1 before 4")
            #expect(await code("Leads", "x", [:]) == "MANDATORY_NOT_FOUND $.merge", "4 before 2")
            #expect(await code("Leads", "1", ["merge": [1, 2]]) == "INVALID_DATA $.merge", "3 before 2")
            #expect(await code("Leads", "1", Self.merge([])) == "INVALID_DATA 1", "2 before 6")
            #expect(await code("Leads", locked, Self.merge([])) == "NOT_ALLOWED 1", "14 of the master before 6")
            #expect(
                await code("Leads", a, Self.merge([Self.child("1"), Self.child(b), Self.child(c)])) == "INVALID_DATA \(data)", "7 before 12"
            )
            #expect(
                await code("Leads", a, Self.merge([Self.child("1"), [:]])) == "INVALID_DATA \(data)[0].id", "first child before the second")
            #expect(
                await code("Leads", a, Self.merge([Self.child(locked), Self.child(locked)])) == "NOT_ALLOWED \(data)[0].id",
                "14 of a child before the next child")
            #expect(await code("Leads", locked, Self.merge([Self.child(locked)])) == "NOT_ALLOWED 1", "the master's state before 11")
            #expect(
                await code("Leads", a, Self.merge([Self.child(b, Self.fields("No")), Self.child("1")])) == "INVALID_DATA \(data)[1].id",
                "children before fields")
            #expect(
                await code("Leads", a, Self.merge([Self.child(b, Self.fields("id", "No"))]))
                    == "NOT_ALLOWED \(data)[0]._fields[0].api_name", "field by field")
            #expect(
                await code(
                    "Leads", a,
                    Self.merge([Self.child(b, Self.fields("City")), Self.child(c, Self.fields("City"))], master: Self.fields("")))
                    == "DUPLICATE_DATA \(data)[1]._fields[0].api_name", "children's lists before the master's")
        }
    }

    /// Rows 15, 17, 18, 19, and what a deal's pipeline brings. Contract: merge, "Deals".
    @Test(arguments: TestServer.engines)
    func dealsFollowTheirPipeline(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            func deal(_ name: String, _ stage: String, _ pipeline: String = "Standard (Standard)", amount: JSONValue = 100) -> JSONValue {
                [
                    "Deal_Name": .string(name), "Stage": .string(stage), "Pipeline": .string(pipeline), "Closing_Date": "2026-05-01",
                    "Amount": amount,
                ]
            }
            let ids = try await bench.add(
                "Deals",
                [
                    deal("A", "Qualification"), deal("B", "Needs Analysis"), deal("Won", "Closed Won"), deal("Lost", "Closed Lost"),
                    deal("Other", "Value Proposition", "Second pipeline", amount: 200),
                ])
            let (a, b, other) = (ids[0], ids[1], ids[4])
            let data = "$.merge[0].data"
            let open = "Only Open Deals can be merged"
            let before = try await bench.dump()
            var cases: [Case] = []
            for closed in [ids[2], ids[3]] {
                cases.append(
                    Case(
                        row: "15 master", module: "Deals", master: closed, body: Self.merge([Self.child(a)]), wrapped: false,
                        code: "NOT_ALLOWED",
                        details: ["api_name": "record", "resource_path_index": 1], message: open))
                cases.append(
                    Case(
                        row: "15 child", module: "Potentials", master: a, body: Self.merge([Self.child(closed)]), code: "NOT_ALLOWED",
                        details: Self.at("id", "\(data)[0].id"), message: open))
            }
            let named = Self.at("api_name", "\(data)[0]._fields[0].api_name")
            let stageMessage = "Probability and Expected Revenue fields will be automatically populated based on chosen Stage"
            cases += [
                Case(
                    row: "17", module: "Deals", master: a, body: Self.merge([Self.child(b, Self.fields("Closing_Date"))]),
                    code: "NOT_ALLOWED", details: named,
                    message: "Closing date will be automatically populated based on master record"),
                Case(
                    row: "18", module: "Deals", master: a, body: Self.merge([Self.child(other, Self.fields("Stage"))]), code: "NOT_ALLOWED",
                    details: named,
                    message: "Stage field will be automatically populated based on chosen Pipeline"),
                Case(
                    row: "19 probability", module: "Deals", master: a, body: Self.merge([Self.child(b, Self.fields("Probability"))]),
                    code: "NOT_ALLOWED",
                    details: named, message: stageMessage),
                Case(
                    row: "19 revenue", module: "Deals", master: a,
                    body: Self.merge([Self.child(b)], master: Self.fields("Expected_Revenue")), code: "NOT_ALLOWED",
                    details: Self.at("api_name", "$.merge[0].master_record_fields[0].api_name"), message: stageMessage),
            ]
            await expect(cases, bench)
            #expect(try await bench.dump() == before)

            let merged = await bench.merge("deals", a, [(b, ["Stage"])], keep: ["Closing_Date"])
            #expect(merged.status == 201, "\(merged.text)")
            var deal = await bench.get("Deals", a)
            #expect(deal["Stage"] == "Needs Analysis" && deal["Probability"] == 20 && deal["Expected_Revenue"]?.double == 20, "\(deal)")
            #expect(await bench.related("Deals", a, "Stage_History").count == 3, "two of before, one of the merge")
            await bench.merge("Deals", a, [(other, ["Pipeline", "Amount"])])
            deal = await bench.get("Deals", a)
            #expect(deal["Pipeline"] == "Second pipeline" && deal["Stage"] == "Value Proposition" && deal["Probability"] == 40)
            #expect(deal["Amount"]?.double == 200 && deal["Expected_Revenue"]?.double == 80 && deal["Closing_Date"] == "2026-05-01")
        }
    }

    /// Row 20, both ways round, and what is allowed.
    @Test(arguments: TestServer.engines)
    func aContactsSuperiorAndAccountBelongTogether(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let accounts = try await bench.add("Accounts", [["Account_Name": "One"], ["Account_Name": "Two"]])
            let boss = try await bench.add("Contacts", ["Last_Name": "Boss"])
            func contact(_ name: String, _ account: Int) -> JSONValue {
                ["Last_Name": .string(name), "Account_Name": ["id": .string(accounts[account])], "Reporting_To": ["id": .string(boss)]]
            }
            let ids = try await bench.add("Contacts", [contact("A", 0), contact("B", 1), contact("C", 1)])
            let (a, b, c) = (ids[0], ids[1], ids[2])
            let first = Self.at("api_name", "$.merge[0].data[0]._fields[0].api_name")
            let message = "Reporting_To and Account_Name should belong to the same record"
            func refused(_ row: String, _ body: JSONValue) -> Case {
                Case(row: row, module: "Contacts", master: a, body: body, code: "INVALID_DATA", details: first, message: message)
            }
            await expect(
                [
                    refused("only Reporting_To from a child", Self.merge([Self.child(b, Self.fields("Reporting_To"))])),
                    refused(
                        "account of the master",
                        Self.merge([Self.child(b, Self.fields("Reporting_To"))], master: Self.fields("Account_Name"))),
                    refused(
                        "superior of the master",
                        Self.merge([Self.child(b, Self.fields("Account_Name"))], master: Self.fields("Reporting_To"))),
                    refused(
                        "two children",
                        Self.merge([Self.child(b, Self.fields("Reporting_To")), Self.child(c, Self.fields("Account_Name"))])),
                ], bench)
            #expect(await bench.merge("Contacts", a, [(c, ["Account_Name"])]).status == 201)
            #expect(await bench.merge("Contacts", a, [(b, ["Reporting_To", "Account_Name"])]).status == 201)
            #expect(await bench.get("Contacts", a)["Account_Name"]?["id"]?.string == accounts[1])
        }
    }

    /// Row 30, and §4 "unique field": a unique value may come from a child, not from beside a fourth record.
    @Test(arguments: TestServer.engines)
    func aPickedUniqueValueMovesToTheMaster(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            try await bench.addModule("Assets", [.text("Serial", unique: true)])
            let ids = try await bench.add("Assets", ["S-1", "S-2", "S-3"].map { ["Name": $0, "Serial": $0] as JSONValue })
            let (a, b, c) = (ids[0], ids[1], ids[2])
            let answer = await bench.merge("Assets", a, [(b, ["Serial"])])
            #expect(answer.status == 201, "\(answer.text)")
            #expect(await bench.get("Assets", a)["Serial"] == "S-2")
            // The value the master gave up is free again: undo must refuse while another record holds it.
            let taker = try await bench.add("Assets", ["Name": "Taker", "Serial": "s-1"])
            let before = try await bench.dump()
            let undone = await bench.undo("Assets", a, answer)
            #expect(
                undone.status == 400 && undone.json?["code"] == "DUPLICATE_DATA" && undone.json?["details"]?["api_name"] == "Serial",
                "\(undone.text)")
            #expect(try await bench.dump() == before)
            await bench.send("DELETE", "Assets/\(taker)")
            #expect(await bench.undo("Assets", a, answer).status == 200)
            #expect(await bench.get("Assets", a)["Serial"] == "S-1")
            #expect(await bench.get("Assets", b)["Serial"] == "S-2")
            #expect(await bench.get("Assets", c)["Serial"] == "S-3")
        }
    }

    /// Rows 31 to 35, and 34 for the rights to edit the master and delete the children.
    @Test(arguments: TestServer.engines)
    func methodTokenScopeAndPermissionAreChecked(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let ids = try await bench.add("Leads", [["Last_Name": "A"], ["Last_Name": "B"]])
            let path = "/crm/v7/Leads/\(ids[0])/actions/merge"
            let body = RecordBench.body([(ids[1], [])])
            let server = bench.server
            func told(_ answer: TestServer.Answer) -> String { "\(answer.status) \(answer.json?["code"]?.string ?? "")" }
            for method in ["PUT", "DELETE", "PATCH"] {
                #expect(told(await server.send(method, path, body)) == "400 INVALID_REQUEST_METHOD")
            }
            #expect(told(await server.send("POST", path, body)).hasPrefix("401"))
            for scope in [
                "ZohoCRM.modules.leads.READ", "ZohoCRM.modules.contacts.ALL", "ZohoCRM.modules.leads.DELETE", "ZohoCRM.settings.ALL",
            ] {
                #expect(
                    told(await server.send("POST", path, body, token: try await server.token(scope))) == "401 OAUTH_SCOPE_MISMATCH",
                    "\(scope)")
            }
            #expect(told(await bench.send("POST", "Leads/\(ids[0])/actions/merging", body)) == "404 INVALID_URL_PATTERN")
            for missing in ["Merge", "Edit", "Delete"] {
                let token = try await limitedToken(without: missing, server)
                let answer = await server.send("POST", path, body, token: token)
                #expect(answer.status == 403 && answer.json?["code"] == "NO_PERMISSION", "\(missing): \(answer.text)")
                #expect(answer.json?["details"] == ["permissions": [.string("Crm_Implied_\(missing)_Leads")]])
                #expect(answer.json?["message"] == "permission denied")
            }
            for scope in ["ZohoCRM.modules.leads.WRITE", "ZohoCRM.modules.CREATE", "ZohoCRM.modules.leads.ALL"] {
                let answer = await server.send("POST", path + "?dry_run=true", body, token: try await server.token(scope))
                #expect(answer.status == 200, "\(scope): \(answer.text)")
            }
        }
    }

    /// A token of a user whose profile lacks one right on leads.
    private func limitedToken(without missing: String, _ server: TestServer) async throws -> String {
        let user = try await server.services.changeMetadata { scope -> UserID in
            let rights = ["View", "Create", "Edit", "Delete", "Merge"].filter { $0 != missing }.map {
                JSONValue.string("Crm_Implied_\($0)_Leads")
            }
            let profile = scope.ids.next()
            let user = scope.ids.next()
            try scope.add(
                [
                    Document(
                        id: profile, kind: .profile, apiName: "No \(missing)",
                        body: ["name": .string("No \(missing)"), "permissions": .array(rights)]),
                    Document(
                        id: user, kind: .user,
                        body: [
                            "full_name": "Limited", "email": .string("\(missing)@example.test"), "status": "active",
                            "profile": ["id": .id(profile)],
                        ]),
                ])
            return UserID(raw: user.raw)
        }
        guard let scopes = ScopeSet(TestServer.recordScopes) else { return "" }
        return try await server.shell.tokens.issueAccess(clientID: "test", user: user, scopes: scopes, lifeSeconds: 3600)
    }
}
