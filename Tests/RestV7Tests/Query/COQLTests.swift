import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Contract: query-api, 259, and its section notes.
@Suite struct COQLTests {
    private static func insert(_ server: TestServer, _ token: String, _ module: String, _ items: JSONValue) async throws -> [String] {
        let answer = await server.send("POST", "/crm/v7/\(module)", ["data": items], token: token)
        #expect(answer.status == 201, "\(answer.text)")
        return (answer.json?["data"]?.array ?? []).compactMap { $0["details"]?["id"]?.string }
    }

    private static func ask(_ server: TestServer, _ token: String, _ query: String, meta: JSONValue? = nil) async -> TestServer.Answer {
        var body: JSONValue = ["select_query": .string(query)]
        if let meta { body["include_meta"] = meta }
        return await server.send("POST", "/crm/v7/coql", body, token: token)
    }

    /// Two accounts under a third, contacts and deals on them.
    private struct Org {
        let server: TestServer
        let token: String
        let accounts: [String]
        let contacts: [String]
        let deals: [String]

        init(_ server: TestServer) async throws {
            self.server = server
            token = try await server.token()
            let head = try await insert(
                server, token, "Accounts", [["Account_Name": "Holding", "Industry": "Banking", "Annual_Revenue": 9000]])
            let more = try await insert(
                server, token, "Accounts",
                [
                    ["Account_Name": "Acme", "Parent_Account": .string(head[0]), "Annual_Revenue": 500.5, "Industry": "Energy"],
                    ["Account_Name": "Blue's", "Annual_Revenue": 100],
                ])
            accounts = head + more
            contacts = try await insert(
                server, token, "Contacts",
                [
                    [
                        "Last_Name": "Kim", "First_Name": "Ann", "Account_Name": .string(accounts[1]), "Lead_Source": "Web",
                        "Email_Opt_Out": true,
                    ],
                    ["Last_Name": "King", "Account_Name": .string(accounts[2]), "Lead_Source": "Web"],
                    ["Last_Name": "Lee", "Lead_Source": "Trade Show", "Date_of_Birth": "1990-05-01"],
                ])
            deals = try await insert(
                server, token, "Deals",
                [
                    [
                        "Deal_Name": "One", "Stage": "Qualification", "Amount": 10, "Account_Name": .string(accounts[1]),
                        "Closing_Date": "2025-01-01",
                    ],
                    [
                        "Deal_Name": "Two", "Stage": "Qualification", "Amount": 30, "Account_Name": .string(accounts[1]),
                        "Closing_Date": "2025-02-01",
                    ],
                    [
                        "Deal_Name": "Three", "Stage": "Closed Won", "Amount": 5, "Account_Name": .string(accounts[2]),
                        "Closing_Date": "2025-03-01",
                    ],
                ])
        }

        func rows(_ query: String) async -> [JSONValue] {
            let answer = await ask(server, token, query)
            #expect(answer.status == 200 || answer.status == 204, "\(query): \(answer.text)")
            return answer.json?["data"]?.array ?? []
        }

        func texts(_ key: String, _ query: String) async -> [String?] { await rows(query).map { $0[key]?.string } }
    }

    @Test(arguments: TestServer.engines)
    func columnsJoinsAndPagesAnswerAsTheContractSays(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let org = try await Org(server)
            let answer = await Self.ask(
                server, org.token,
                """
                select Last_Name, Account_Name.Account_Name, Account_Name.Parent_Account.Account_Name as 'the head', Account_Name, Owner
                from Contacts where (Last_Name like 'K%') and (Created_Time >= '2020-01-01T00:00:00+00:00') order by Last_Name desc limit 1 offset 1
                """)
            #expect(answer.status == 200, "\(answer.text)")
            let row = answer.json?["data"]?.array?.first ?? .null
            #expect(
                row["Last_Name"] == "Kim" && row["Account_Name.Account_Name"] == "Acme" && row["the head"] == "Holding", "\(answer.text)")
            #expect(row["Account_Name"] == ["name": "Acme", "id": .string(org.accounts[1])])
            #expect(row["Owner"]?["id"] == .string(String(server.administrator.id.raw)) && row["Owner"]?["email"] == nil)
            #expect(row["id"] == .string(org.contacts[0]))
            #expect(answer.json?["info"] == ["count": 1, "more_records": false])
            #expect(answer.json?.members?.map(\.name) == ["data", "info"])

            #expect(
                await Self.ask(server, org.token, "select id from Contacts where id is not null limit 2").json?["info"] == [
                    "count": 2, "more_records": true,
                ])
            #expect(
                await org.rows("select id from Contacts where id is not null limit 1, 2").map { $0["id"]?.string }
                    == Array(org.contacts[1...]))
            // Without an order: ids ascending. A missing lookup is null.
            #expect(await org.texts("id", "SELECT Last_Name FROM Contacts WHERE id is not null") == org.contacts)
            let missing = await org.rows(
                "select Account_Name.Parent_Account.Account_Name as p, Account_Name.Phone from Contacts where Last_Name = 'lee'")
            #expect(missing.first?["p"] == .null && missing.first?["Account_Name.Phone"] == .null)
            let none = await Self.ask(server, org.token, "select id from Contacts where Last_Name = 'nobody'")
            #expect(none.status == 204 && none.body.isEmpty)
        }
    }

    @Test(arguments: TestServer.engines)
    func everyOperatorFindsWhatItSays(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let org = try await Org(server)
            let cases: [(String, [String])] = [
                ("Last_Name = 'KIM'", ["Kim"]), ("Last_Name != 'kim'", ["King", "Lee"]), ("Last_Name like '%ing'", ["King"]),
                ("Last_Name like '%i%'", ["Kim", "King"]),
                ("Last_Name not like '%i%'", ["Lee"]), ("Last_Name in ('Kim', \"Lee\")", ["Kim", "Lee"]),
                ("Last_Name not in ('Kim')", ["King", "Lee"]),
                ("First_Name is null", ["King", "Lee"]), ("First_Name is not null", ["Kim"]), ("Email_Opt_Out = true", ["Kim"]),
                ("Email_Opt_Out = 'false'", ["King", "Lee"]),
                ("Lead_Source = Web", ["Kim", "King"]), ("Date_of_Birth between '1990-01-01' and '1990-12-31'", ["Lee"]),
                ("Date_of_Birth = 1990-05-01", ["Lee"]),
                ("Account_Name = \(org.accounts[1])", ["Kim"]),
                ("Account_Name in ('\(org.accounts[1])', '\(org.accounts[2])')", ["Kim", "King"]),
                ("Account_Name.Account_Name = 'Blue''s'", ["King"]), ("Account_Name.Annual_Revenue > 100", ["Kim"]),
                ("Account_Name.Annual_Revenue not between 0 and 200.5", ["Kim", "Lee"]),
                ("Account_Name.Parent_Account.Account_Name = 'holding'", ["Kim"]), ("'Account_Name.Industry' = 'Energy'", ["Kim"]),
                ("!Contacts.Last_Name = 'Kim'", ["Kim"]),
                ("(Last_Name = 'Kim' or (Last_Name = 'King' and Lead_Source = 'Web'))", ["Kim", "King"]),
                ("((Last_Name = 'Lee'))", ["Lee"]),
                ("Account_Name in (select id from Accounts where (Industry = 'Energy' or Account_Name = 'x'))", ["Kim"]),
                ("Owner.email = '\(server.administrator.email)' and Owner.profile.name = 'Administrator'", ["Kim", "King", "Lee"]),
                ("Owner.role.name = 'nothing'", []),
                ("Owner = \(server.administrator.id.raw)", ["Kim", "King", "Lee"]),
                ("Created_Time > '2020-01-01T00:00:00+02:00'", ["Kim", "King", "Lee"]),
            ]
            for (condition, expected) in cases {
                let found = await org.texts("Last_Name", "select Last_Name from Contacts where \(condition) order by id")
                #expect(found == expected, "\(condition)")
            }
        }
    }

    @Test(arguments: TestServer.engines)
    func groupsCountAndSum(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let org = try await Org(server)
            let sources = await org.rows(
                "select COUNT(id), Lead_Source from Contacts where id is not null group by Lead_Source order by COUNT(id) desc")
            #expect(sources == [["COUNT(id)": 2, "Lead_Source": "Web"], ["COUNT(id)": 1, "Lead_Source": "Trade Show"]])
            let deals = await org.rows(
                """
                select Account_Name, Account_Name.Account_Name as a, SUM(Amount) as total, AVG(Amount), MIN(Closing_Date), MAX(Probability), COUNT(id) from Deals where id is not null \
                group by Account_Name, Account_Name.Account_Name order by total desc
                """)
            #expect(
                deals.map { $0["total"] } == [40, 5] && deals.map { $0["AVG(Amount)"] } == [20, 5]
                    && deals.first?["MIN(Closing_Date)"] == "2025-01-01", "\(deals)")
            #expect(
                deals.first?["Account_Name"] == ["name": "Acme", "id": .string(org.accounts[1])] && deals.first?["id"] == nil
                    && deals.first?["a"] == "Acme")
            let all = await org.rows("select SUM(Amount), SUM(Probability), MAX(Created_Time) from Deals where Stage = 'Qualification'")
            #expect(all.count == 1 && all.first?["SUM(Amount)"] == 40 && all.first?["MAX(Created_Time)"]?.string != nil)
            #expect(
                await org.rows(
                    "select Owner.last_name, COUNT(id) as n from Deals where id is not null group by Owner.last_name order by Owner.last_name"
                ).first?["n"] == 3)
            #expect(await org.rows("select SUM(Amount) as s from Deals where Deal_Name = 'none'") == [["s": .null]])
        }
    }

    @Test(arguments: TestServer.engines)
    func viewsSubformsLinksAndLookupsIntoManyModulesAreAsked(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let org = try await Org(server)
            _ = try await Self.insert(server, org.token, "Leads", [["Last_Name": "Plain"], ["Last_Name": "Other"]])
            let views =
                await server.send("GET", "/crm/v7/settings/custom_views?module=Leads", token: org.token).json?["custom_views"]?.array ?? []
            func view(_ name: String) -> String { views.first { $0["system_name"]?.string == name }?["id"]?.string ?? "" }
            #expect(await org.texts("Last_Name", "select Last_Name from Leads#\(view("ALLVIEWS")) where Last_Name = 'Plain'") == ["Plain"])
            #expect(await org.rows("select Last_Name from Leads#\(view("CONVERTEDVIEWS")) where id is not null").isEmpty)

            _ = try await Self.insert(
                server, org.token, "Tasks",
                [
                    ["Subject": "call", "What_Id": ["id": .string(org.deals[0])], "$se_module": "Deals"],
                    ["Subject": "write", "What_Id": ["id": .string(org.accounts[1])], "$se_module": "Accounts"],
                    ["Subject": "rest"],
                ])
            let tasks = await org.rows(
                "select Subject, What_Id, What_Id.module.api_name, 'What_Id->Deals.Amount', 'What_Id->Accounts.Account_Name' from Tasks where id is not null order by Subject"
            )
            #expect(
                tasks.map { $0["What_Id->Deals.Amount"] } == [10, .null, .null]
                    && tasks.map { $0["What_Id->Accounts.Account_Name"] } == [.null, .null, "Acme"], "\(tasks)")
            #expect(
                tasks.first?["What_Id"] == ["id": .string(org.deals[0])]
                    && tasks.map { $0["What_Id.module.api_name"] } == ["Deals", .null, "Accounts"])
            #expect(await org.texts("Subject", "select Subject from Tasks where 'What_Id->Deals.Stage' = 'Qualification'") == ["call"])
            #expect(await org.texts("Subject", "select Subject from Tasks where What_Id.module.api_name = 'Accounts'") == ["write"])
            #expect(
                await org.texts("Subject", "select Subject from Tasks where What_Id in (select id from Deals where Amount = 10)") == [
                    "call"
                ])
            #expect(await Self.ask(server, org.token, "select id from Contact_Roles where id is not null").status == 204)
            #expect(
                await Self.ask(server, org.token, "select id, Parent_Id, Product_Name from Quoted_Items where id is not null").status == 204
            )
        }
    }

    @Test(arguments: TestServer.engines)
    func whatCannotBeAskedIsRefusedWithItsDetails(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let many = { (count: Int, part: (Int) -> String) in (0..<count).map(part).joined(separator: ", ") }
            let nested = (0..<26).reduce("id = 0") { "(\($0)) and id = \($1)" }
            let bad: [(String, String, Int, JSONValue)] = [
                ("update Leads", "SYNTAX_ERROR", 400, ["line": 1, "column": 1, "near": "update"]),
                ("", "SYNTAX_ERROR", 400, ["line": 1, "column": 1, "near": "end of query"]),
                ("select id", "SYNTAX_ERROR", 400, ["clause": "from"]),
                ("select id from where id = 1", "SYNTAX_ERROR", 400, ["clause": "from"]),
                ("select id from Leads", "SYNTAX_ERROR", 400, ["clause": "where"]),
                ("select id from Leads order by id", "SYNTAX_ERROR", 400, ["clause": "where"]),
                ("select id from Leads where id = 1 and id = 2 and id = 3", "SYNTAX_ERROR", 400, ["line": 1, "column": 46, "near": "and"]),
                ("select id\nfrom Leads where (id = 1", "SYNTAX_ERROR", 400, ["line": 2, "column": 25, "near": "end of query"]),
                ("select id from Leads where id = 1)", "SYNTAX_ERROR", 400, ["line": 1, "column": 34, "near": ")"]),
                ("select id from Leads where Last_Name = 'x", "SYNTAX_ERROR", 400, ["line": 1, "column": 40, "near": "x"]),
                ("select count(id) from Leads where id = 1", "SYNTAX_ERROR", 400, ["line": 1, "column": 13, "near": "("]),
                ("select Nope from Leads where id = 1", "INVALID_QUERY", 400, ["column_name": "Nope", "reason": "invalid column"]),
                (
                    "select id from Leads where Last_Name.x = 1", "INVALID_QUERY", 400,
                    ["column_name": "Last_Name.x", "reason": "the column cannot be followed"]
                ),
                (
                    "select id from Leads where Last_Name > 'x'", "INVALID_QUERY", 400,
                    ["column_name": "Last_Name", "reason": "the operator does not fit the column", "operator": ">"]
                ),
                (
                    "select id from Leads where Email_Opt_Out != true", "INVALID_QUERY", 400,
                    ["column_name": "Email_Opt_Out", "reason": "the operator does not fit the column", "operator": "!="]
                ),
                (
                    "select id from Leads where Annual_Revenue = 'x'", "INVALID_QUERY", 400,
                    ["column_name": "Annual_Revenue", "reason": "the value does not fit the column", "operator": "="]
                ),
                (
                    "select id from Leads where Created_Time > '2025-01-01'", "INVALID_QUERY", 400,
                    ["column_name": "Created_Time", "reason": "the value does not fit the column", "operator": ">"]
                ),
                (
                    "select id from Leads where Last_Name not like 'x%'", "INVALID_QUERY", 400,
                    ["column_name": "Last_Name", "reason": "only patterns with % at both ends", "operator": "not like"]
                ),
                (
                    "select id from Leads where Description = 'x'", "INVALID_QUERY", 400,
                    ["column_name": "Description", "reason": "the column is not supported in criteria"]
                ),
                ("select id from Leads#5 where id = 1", "INVALID_QUERY", 400, ["cvid": "5", "reason": "invalid custom view id"]),
                ("select id from Nope where id = 1", "INVALID_MODULE", 400, ["module": "Nope", "clause": "from"]),
                ("select id, id from Leads where id = 1", "DUPLICATE_DATA", 401, ["column_name": "id"]),
                ("select id as a, City as a from Leads where id = 1", "DUPLICATE_ALIAS", 400, ["alias": "a"]),
                ("select id as '' from Leads where id = 1", "INVALID_ALIAS", 400, ["alias": ""]),
                (
                    "select City from Leads where id = 1 order by City, City", "DUPLICATE_DATA", 400,
                    ["column_name": "City", "clause": "order by"]
                ),
                (
                    "select City from Leads where id = 1 group by City, City", "DUPLICATE_DATA", 400,
                    ["column_name": "City", "clause": "group by"]
                ), ("select COUNT(id), COUNT(id) as b from Leads where id = 1", "DUPLICATE_DATA", 400, ["column_name": "COUNT(id)"]),
                (
                    "select City, COUNT(id) from Leads where id = 1", "INVALID_QUERY", 400,
                    ["column_name": "City", "reason": "the column is not in the group by clause"]
                ),
                (
                    "select SUM(City) from Leads where id = 1", "INVALID_QUERY", 400,
                    ["column_name": "City", "reason": "the function SUM does not fit the column"]
                ),
                ("select id from Leads where id = 1 limit 2001", "LIMIT_EXCEEDED", 400, ["clause": "limit", "limit": 2000]),
                ("select id from Leads where id = 1 limit 10 offset 99991", "LIMIT_EXCEEDED", 400, ["clause": "offset", "limit": 100000]),
                (
                    "select id from Leads where id = 1 limit 99999999999999999999", "LIMIT_EXCEEDED", 400,
                    ["clause": "limit", "limit": 2000]
                ), ("select id from Leads where id in (\(many(101) { "\($0)" }))", "LIMIT_EXCEEDED", 400, ["clause": "in", "limit": 100]),
                (
                    "select \(many(501) { "id as a\($0)" }) from Leads where id = 1", "LIMIT_EXCEEDED", 400,
                    ["clause": "select", "limit": 500]
                ), ("select id from Leads where \(nested)", "LIMIT_EXCEEDED", 400, ["clause": "where", "limit": 25]),
                (
                    "select id from Leads where id = 1 order by \(many(11) { "f\($0)" })", "LIMIT_EXCEEDED", 400,
                    ["clause": "order by", "limit": 10]
                ), ("select id from Leads where id = 1 group by a, b, c, d, e", "LIMIT_EXCEEDED", 400, ["clause": "group by", "limit": 4]),
                (
                    "select Account_Name.Parent_Account.Parent_Account.Phone from Contacts where id = 1", "LIMIT_EXCEEDED", 400,
                    ["clause": "relation", "limit": 2]
                ),
                (
                    "select id from Contacts where Account_Name not in (select id from Accounts where id = 1)", "INVALID_QUERY", 400,
                    ["column_name": "Account_Name", "reason": "the operator takes no subquery", "operator": "not in"]
                ),
                (
                    "select id from Contacts where Account_Name in (select id from Leads where id = 1)", "INVALID_QUERY", 400,
                    ["column_name": "Account_Name", "reason": "the column is no lookup to the module of the subquery"]
                ),
            ]
            let people = ["Owner", "Created_By", "Modified_By"].flatMap { person in
                [
                    "id", "full_name", "first_name", "last_name", "email", "alias", "phone", "mobile", "fax", "website", "street", "city",
                    "state", "zip", "country", "language", "locale", "time_zone",
                    "status", "role.name", "profile.name",
                ].map { "\(person).\($0)" }
            }
            #expect(
                await Self.ask(server, token, "select \(people.prefix(42).joined(separator: ", ")) from Leads where id is not null").status
                    == 204)
            #expect(
                await Self.ask(server, token, "select \(people.joined(separator: ", ")) from Leads where id is not null").json?["code"]
                    == "LIMIT_EXCEEDED")
            for (query, code, status, details) in bad {
                let answer = await Self.ask(server, token, query)
                #expect(
                    answer.status == status && answer.json?["code"] == .string(code) && answer.json?["details"] == details,
                    "\(query.prefix(100)): \(answer.text)")
            }
            #expect(await server.send("POST", "/crm/v7/coql", [:], token: token).json?["code"] == "MANDATORY_NOT_FOUND")
            #expect(await server.send("POST", "/crm/v7/coql", ["select_query": 5], token: token).json?["code"] == "INVALID_DATA")
            #expect(await server.send("GET", "/crm/v7/coql", token: token).json?["code"] == "INVALID_REQUEST_METHOD")
        }
    }

    @Test(arguments: TestServer.engines)
    func rightsHoldForEveryModuleAndMetadataForItsScope(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let org = try await Org(server)
            let some = try await server.token("ZohoCRM.coql.READ,ZohoCRM.modules.contacts.READ")
            func status(_ query: String, meta: JSONValue? = nil, _ token: String) async -> (Int, JSONValue?) {
                let answer = await Self.ask(server, token, query, meta: meta)
                return (answer.status, answer.json?["code"])
            }
            #expect(await status("select id, Account_Name from Contacts where id is not null", some) == (200, nil))
            for query in [
                "select id from Deals where id is not null", "select Account_Name.Phone from Contacts where id is not null",
                "select id from Contacts where Account_Name.Phone is null",
                "select id from Contacts where Account_Name in (select id from Accounts where id is not null)",
                "select id from Contacts where id is not null order by Account_Name.Phone",
            ] {
                #expect(await status(query, some) == (401, "OAUTH_SCOPE_MISMATCH"), "\(query)")
            }
            #expect(
                await status("select id from Contacts where id is not null", try await server.token("ZohoCRM.modules.ALL")) == (
                    401, "OAUTH_SCOPE_MISMATCH"
                ))
            #expect(await Self.ask(server, "", "select id from Contacts where id is not null").status == 401)

            #expect(await status("select id from Contacts where id is not null", meta: ["fields"], some) == (401, "OAUTH_SCOPE_MISMATCH"))
            #expect(await status("select id from Contacts where id is not null", meta: ["nope"], org.token) == (400, "INVALID_QUERY"))
            let told = await Self.ask(
                server, org.token, "select Last_Name, Account_Name.Industry from Contacts where id is not null", meta: ["fields"])
            #expect(
                told.json?["fields"]?["Last_Name"]?["data_type"] == "text"
                    && told.json?["fields"]?["Account_Name.Industry"]?["data_type"] == "picklist", "\(told.text)")
        }
    }
}
