import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Searching records. Contract: records, 131.
@Suite struct RecordSearchTests {
    private func criteria(_ api: RecordCaller, _ text: String, _ module: String = "Leads") async -> TestServer.Answer {
        await api.send("GET", "\(module)/search?sort_by=id&sort_order=asc&fields=Last_Name&criteria=\(PercentCoding.encode(text))")
    }

    private func names(_ api: RecordCaller, _ text: String) async -> String {
        let answer = await criteria(api, text)
        #expect([200, 204].contains(answer.status), "\(text) \(answer.text)")
        return answer.rows.compactMap { $0["Last_Name"]?.string }.joined()
    }

    private static let leads: [JSONValue] = [
        [
            "Last_Name": "A", "Company": "Acme, Inc. (North)", "Email": "a@crm.example", "Phone": "+1 555 0100", "No_of_Employees": 5,
            "Annual_Revenue": 10.5,
            "Lead_Source": "Cold Call", "Email_Opt_Out": true, "Description": "first of all", "City": "100%_\\",
        ],
        [
            "Last_Name": "B", "Company": "ACME Söd", "Email": "b@crm.example", "Phone": "555-0200", "No_of_Employees": 50,
            "Annual_Revenue": 20,
            "Lead_Source": "Advertisement", "Description": "the second", "City": "100 percent",
        ],
        ["Last_Name": "C", "Company": "Beta", "No_of_Employees": 500, "Secondary_Email": "A@crm.example"],
    ]

    /// The operators of `records.md`, 131, and of metadata/types, "Operator sets".
    @Test(arguments: TestServer.engines)
    func operatorsFitTheTypeOfTheField(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let ids = try await api.insert("Leads", Self.leads)
            let user = String(server.administrator.id.raw)
            let found: [(String, String)] = [
                ("(Company:equals:acme)", "AB"), ("((Company:equals:acme))", "AB"), ("Company:equals:acme", "AB"),
                ("(Company:starts_with:b)", "C"),
                ("(Company:not_equal:beta)", "AB"), ("(Company:in:beta,ACME SÖD)", "BC"), ("(Company:equals:SÖD)", "B"),
                (#"(Company:in:Acme\, Inc. \(North\),none)"#, "A"), (#"(Company:equals:Acme\, Inc. \(North\))"#, "A"),
                (#"(City:equals:100%_\\)"#, "A"),
                ("(City:starts_with:100%)", "A"), ("(City:equals:%)", "A"), ("(City:equals:_)", "A"),
                ("(Description:equals:second)", "B"), ("(Description:starts_with:FIRST)", "A"),
                ("(Description:not_equal:the second)", "AC"),
                ("(Email:equals:A@CRM.example)", "A"), ("(Email:in:a@crm.example,b@crm.example)", "AB"), ("(Phone:equals:555)", "AB"),
                ("(Phone:starts_with:555)", "B"),
                ("(No_of_Employees:equals:50)", "B"), ("(No_of_Employees:not_equal:50)", "AC"), ("(No_of_Employees:greater_than:50)", "C"),
                ("(No_of_Employees:greater_equal:50)", "BC"), ("(No_of_Employees:less_than:50)", "A"),
                ("(No_of_Employees:less_equal:50)", "AB"),
                ("(No_of_Employees:between:5,50)", "AB"), ("(No_of_Employees:in:5,500)", "AC"), ("(No_of_Employees:equals:-1)", ""),
                ("(Annual_Revenue:equals:10.5)", "A"), ("(Annual_Revenue:between:10,20)", "AB"),
                ("(Annual_Revenue:greater_than:1e1)", "AB"),
                ("(Lead_Source:equals:cold call)", "A"), ("(Lead_Source:in:Cold Call,Advertisement)", "AB"),
                ("(Lead_Source:not_equal:Cold Call)", "BC"),
                ("(Email_Opt_Out:equals:true)", "A"), ("(Email_Opt_Out:not_equal:True)", "BC"), ("(Owner:equals:\(user))", "ABC"),
                ("(Owner:in:1,\(user))", "ABC"),
                ("(Owner:not_equal:\(user))", ""), ("(id:equals:\(ids[1]))", "B"), ("(id:in:\(ids[0]),\(ids[2]))", "AC"),
                ("(Created_Time:greater_than:2020-01-01T00:00:00+00:00)", "ABC"),
                ("(Created_Time:between:2020-01-01T00:00:00Z,2099-01-01T00:00:00Z)", "ABC"),
                ("(Created_Time:less_than:2020-01-01T00:00:00+02:00)", ""), ("(Email:equals:null)", "C"), ("(Email:not_equal:null)", "AB"),
                ("(Email:equals:${EMPTY})", "C"), ("((Company:equals:acme)and(No_of_Employees:less_than:10))", "A"),
                ("((Company:equals:beta) or (No_of_Employees:less_than:10))", "AC"),
                ("(((Company:equals:beta)or(Company:equals:acme))AND(Lead_Source:equals:Advertisement))", "B"),
                ("((Company:equals:beta)or(Company:equals:acme)and(No_of_Employees:equals:5))", "A"), ("(Company:equals:' OR 1=1 --)", ""),
                ("(id:equals:-5)", ""), ("(id:equals:99999999999999999999)", ""), ("(No_of_Employees:equals:5.5)", ""),
                ("(No_of_Employees:less_than:5.5)", "A"),
            ]
            for (text, expected) in found { #expect(await names(api, text) == expected, "\(text)") }

            _ = try await api.insert(
                "Products",
                [
                    ["Product_Name": "P", "Tax": ["Vat - 0.0 %", "It's \"5\""]], ["Product_Name": "Q", "Tax": ["Sales Tax - 0.0 %"]],
                    ["Product_Name": "R"],
                ])
            for (text, count) in [
                ("(Tax:equals:Vat - 0.0 %)", 1), ("(Tax:in:Vat - 0.0 %,Sales Tax - 0.0 %)", 2), ("(Tax:starts_with:sales)", 1),
                ("(Tax:starts_with:ales)", 0),
                ("(Tax:not_equal:Vat - 0.0 %)", 2), ("(Tax:starts_with:It's \"5)", 1), ("(Qty_in_Stock:equals:1)", 0),
            ] {
                let answer = await api.send("GET", "Products/search?criteria=\(PercentCoding.encode(text))")
                #expect(answer.rows.count == count && answer.status < 300, "\(text) \(answer.text)")
            }
            _ = try await api.insert("Contacts", [["Last_Name": "K", "Date_of_Birth": "2000-02-29"]])
            for text in [
                "(Date_of_Birth:equals:2000-02-29)", "(Date_of_Birth:between:2000-01-01,2000-12-31)",
                "(Date_of_Birth:less_equal:2000-02-29)",
            ] {
                #expect(await api.send("GET", "Contacts/search?criteria=\(PercentCoding.encode(text))").rows.count == 1, "\(text)")
            }
        }
    }

    @Test(arguments: TestServer.engines)
    func badCriteriaSayWhy(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            _ = try await api.insert("Leads", Self.leads)
            let eleven = "(" + (0..<11).map { _ in "(City:equals:x)" }.joined(separator: "or") + ")"
            let bad = [
                "(Nope:equals:x)", "(Company:above:x)", "(Company:between:a,b)", "(Company:greater_than:5)", "(Email_Opt_Out:in:true)",
                "(Description:in:a,b)",
                "(Lead_Source:starts_with:C)", "(Owner:greater_than:5)", "(No_of_Employees:equals:many)", "(No_of_Employees:starts_with:5)",
                "(No_of_Employees:between:5)", "(No_of_Employees:between:1,2,3)", "(Created_Time:equals:today)",
                "(Email_Opt_Out:equals:maybe)",
                "(Annual_Revenue:equals:nan)", "(Owner:equals:me)", "(Company:equals:)", "(Company:equals)",
                "(Company)", "(", ")", "()", "(Company:equals:x", "(Company:equals:x))", "(Company:equals:x)and", "and(Company:equals:x)",
                "(Company:equals:x)(City:equals:y)",
                "(:equals:x)", "(Company::x)", eleven, String(repeating: "(", count: 5000),
                "(Company:in:" + (0..<101).map(String.init).joined(separator: ",") + ")",
                "(Tag:equals:x)", "(Layout:starts_with:x)", "\u{1F600}",
            ]
            for text in bad {
                let answer = await criteria(api, text)
                #expect(answer.status == 400 && answer.code == "INVALID_QUERY", "\(text.prefix(80)) \(answer.status) \(answer.text)")
            }
            let field = await criteria(api, "(Company:above:x)")
            #expect(
                field.json?["details"]?["api_name"] == "Company" && field.json?["details"]?["operator"] == "above"
                    && field.json?["details"]?["reason"]?.string != nil)
            #expect(await api.send("GET", "Leads/search?criteria=(Company:equals:a%00b)").code == "INVALID_DATA")
            #expect(await api.send("GET", "Leads/search?criteria=(Company:equals:a%FFb)").status == 204)
        }
    }

    @Test(arguments: TestServer.engines)
    func mailPhoneAndWordLookEverywhere(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            _ = try await api.insert("Leads", Self.leads)
            func found(_ query: String) async -> String {
                await api.send("GET", "Leads/search?sort_order=asc&\(query)").rows.compactMap { $0["Last_Name"]?.string }.joined()
            }
            #expect(await found("email=a@crm.example") == "AC")
            #expect(await found("phone=0100") == "A")
            #expect(await found("word=SECOND") == "B")
            #expect(await found("word=acme") == "AB")
            #expect(await found("criteria=(Company:equals:beta)&email=a@crm.example&word=acme") == "C", "the first of the four decides")
            #expect(await found("email=a@crm.example&phone=0200") == "AC")
            #expect(await found("word=acme&fields=Last_Name&per_page=1&page=2") == "B")
            #expect(await found("word=acme&converted=true") == "")
            let page = await api.send("GET", "Leads/search?word=acme&per_page=1")
            #expect(page.info["more_records"] == true && page.info["count"] == 1 && page.info["per_page"] == 1 && page.info["page"] == 1)
            #expect(page.rows[0]["Tag"] != nil && page.rows[0]["Owner"]?["name"]?.string != nil)
            #expect(await api.send("GET", "Leads/search?page=1").code == "EXPECTED_PARAM_MISSING")
            #expect(await api.send("GET", "Leads/search?word=").code == "EXPECTED_PARAM_MISSING")
            #expect(await api.send("GET", "Leads/search?word=a").code == "INVALID_DATA")
            #expect(await api.send("GET", "Leads/search?word=acme&page=11&per_page=200").code == "LIMIT_REACHED")
            #expect(await api.send("GET", "Leads/search?word=none").status == 204)
            #expect(await api.send("GET", "Nonsense/search?word=acme").code == "INVALID_MODULE")
            let plain = try await server.token("ZohoCRM.modules.ALL")
            #expect(await server.send("GET", "/crm/v7/Leads/search?word=acme", token: plain).json?["code"] == "OAUTH_SCOPE_MISMATCH")
        }
    }
}
