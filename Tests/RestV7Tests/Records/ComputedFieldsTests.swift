import CRMCore
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Formula and roll-up summary fields: their values follow what they are computed from, on every path.
/// Contract: fields.md, U6 (`formula`, `rollup_summary`); `metadata/types.md`, formula and rollup_summary.
@Suite struct ComputedFieldsTests {
    private func make(_ bench: RecordBench, _ module: String, _ fields: [JSONValue]) async {
        let made = await bench.send("POST", "settings/fields?module=\(module)", ["fields": .array(fields)])
        #expect(made.status == 201, "\(made.text)")
    }

    private func ask(_ bench: RecordBench, _ query: JSONValue) async throws -> TestServer.Answer {
        await bench.server.send("POST", "/crm/v7/coql", query, token: try await bench.server.token())
    }

    private static func formula(_ label: String, _ type: String, _ expression: String, defaults: Bool = false) -> JSONValue {
        [
            "field_label": .string(label), "data_type": "formula",
            "formula": ["return_type": .string(type), "expression": .string(expression), "assume_default": .bool(defaults)],
        ]
    }

    private static func rollup(_ label: String, _ function: String, of parameter: String? = nil, where criteria: JSONValue = .null)
        -> JSONValue
    {
        [
            "field_label": .string(label), "data_type": "rollup_summary",
            "rollup_summary": [
                "expression": [
                    "function": .string(function), "function_parameters": .array(parameter.map { [["api_name": .string($0)]] } ?? []),
                    "criteria": criteria,
                ], "based_on_module": ["api_name": "Deals"], "related_list": ["api_name": "Deals"],
            ],
        ]
    }

    @Test(arguments: TestServer.engines)
    func formulasFollowTheRecord(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let old = try await bench.add("Leads", ["Last_Name": "Old", "Company": "C", "No_of_Employees": 4])
            await make(
                bench, "Leads",
                [
                    Self.formula("Doubled", "double", "${No_of_Employees} * 2"),
                    Self.formula("Greeting", "text", "Concat('Dear ', ${Last_Name}, ' of ', ${Company})"),
                    Self.formula("Big", "boolean", "${No_of_Employees} > 100", defaults: true),
                ])
            await make(bench, "Leads", [Self.formula("Fourfold", "double", "${Doubled} * 2")])
            await bench.drain()
            let filled = await bench.get("Leads", old)
            #expect(
                filled["Doubled"]?.double == 8 && filled["Fourfold"]?.double == 16 && filled["Greeting"] == "Dear Old of C", "\(filled)")
            #expect(filled["Big"] == false)
            let new = try await bench.add("Leads", ["Last_Name": "New", "Company": "D", "No_of_Employees": 200, "Doubled": 1])
            let made = await bench.get("Leads", new)
            #expect(made["Doubled"]?.double == 400 && made["Fourfold"]?.double == 800 && made["Big"] == true)
            await bench.send("PUT", "Leads", ["data": [["id": .string(new), "No_of_Employees": .null]]])
            let emptied = await bench.get("Leads", new)
            #expect(emptied["Doubled"]?.isNull == true && emptied["Big"] == false)
            // They are values like any other: searched, sorted, asked for.
            let found = await bench.send("GET", "Leads/search?criteria=(Doubled:equals:8)")
            #expect(found.json?["data"]?.array?.map { $0["id"] } == [.string(old)], "\(found.text)")
            let asked = try await ask(bench, ["select_query": "select Greeting from Leads where Fourfold > 10 order by Doubled"])
            #expect(asked.json?["data"]?.array?.first?["Greeting"] == "Dear Old of C", "\(asked.text)")
            // A merge computes the survivor's, an undo gives back the former.
            await bench.send("PUT", "Leads", ["data": [["id": .string(new), "No_of_Employees": 7]]])
            let merged = await bench.merge("Leads", old, [(new, ["No_of_Employees"])])
            #expect(merged.status == 201, "\(merged.text)")
            #expect(await bench.get("Leads", old)["Fourfold"]?.double == 28)
        }
    }

    @Test(arguments: TestServer.engines)
    func wrongFormulasAreRefused(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            for expression in ["${Nope} + 1", "${Company} * 2", "1 +", "Foo(1)", "${Owner}", "'text'"] {
                let answer = await bench.send(
                    "POST", "settings/fields?module=Leads", ["fields": [Self.formula("Wrong", "double", expression)]])
                let item = answer.json?["fields"]?.array?.first
                #expect(answer.status == 400 && item?["code"] == "INVALID_DATA", "\(expression): \(answer.text)")
                #expect(item?["details"]?["json_path"] == "$.fields[0].formula.expression", "\(answer.text)")
            }
            await make(bench, "Leads", [Self.formula("One", "double", "${No_of_Employees} + 1")])
            await make(bench, "Leads", [Self.formula("Two", "double", "${One} + 1")])
            let fields = await bench.send("GET", "settings/fields?module=Leads").json?["fields"]?.array ?? []
            let one = fields.first { $0["api_name"] == "One" }?["id"] ?? .null
            let circle = await bench.send(
                "PATCH", "settings/fields?module=Leads",
                ["fields": [["id": one, "formula": ["return_type": "double", "expression": "${Two} + 1"]]]])
            #expect(circle.status == 400 && circle.json?["fields"]?.array?.first?["code"] == "INVALID_DATA", "\(circle.text)")
        }
    }

    @Test(arguments: TestServer.engines)
    func summariesFollowTheRelatedRecords(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            let accounts = try await bench.add("Accounts", ["A", "B"].map { ["Account_Name": .string($0)] })
            func deal(_ account: String, _ amount: JSONValue, _ stage: String = "Qualification") -> JSONValue {
                ["Deal_Name": "D", "Amount": amount, "Stage": .string(stage), "Account_Name": ["id": .string(account)]]
            }
            let deals = try await bench.add("Deals", [deal(accounts[0], 10), deal(accounts[0], 30), deal(accounts[1], 5)])
            let won: JSONValue = ["field": ["api_name": "Amount"], "comparator": "greater_than", "value": 20]
            await make(
                bench, "Accounts",
                [
                    Self.rollup("Deal count", "COUNT"), Self.rollup("Deal sum", "SUM", of: "Amount"),
                    Self.rollup("Deal mean", "AVG", of: "Amount"), Self.rollup("Deal most", "MAX", of: "Amount"),
                    Self.rollup("Large deals", "COUNT", where: won),
                ])
            await make(bench, "Accounts", [Self.formula("Share", "double", "${Deal_sum} / ${Deal_count}")])
            await bench.drain()
            func expect(_ account: String, _ count: Int64, _ sum: Double?, _ large: Int64, _ note: Comment) async {
                let record = await bench.get("Accounts", account)
                #expect(
                    record["Deal_count"]?.int64 == count && record["Deal_sum"]?.double == sum && record["Large_deals"]?.int64 == large, note
                )
                #expect(record["Share"]?.double == sum.map { $0 / Double(max(count, 1)) }, note)
            }
            await expect(accounts[0], 2, 40, 1, "there before")
            await bench.send("PUT", "Deals", ["data": [["id": .string(deals[0]), "Amount": 50]]])
            await expect(accounts[0], 2, 80, 2, "an amount changed")
            await bench.send("PUT", "Deals", ["data": [["id": .string(deals[0]), "Account_Name": ["id": .string(accounts[1])]]]])
            await expect(accounts[0], 1, 30, 1, "one moved away")
            await expect(accounts[1], 2, 55, 1, "one moved here")
            await bench.send("DELETE", "Deals/\(deals[2])")
            await expect(accounts[1], 1, 50, 1, "one deleted")
            let merged = await bench.merge("Accounts", accounts[0], [(accounts[1], [])])
            #expect(merged.status == 201, "\(merged.text)")
            await expect(accounts[0], 2, 80, 2, "merged")
            let sorted = try await ask(bench, ["select_query": "select Deal_sum from Accounts where Deal_count >= 2"])
            #expect(sorted.json?["data"]?.array?.first?["Deal_sum"]?.double == 80, "\(sorted.text)")
        }
    }

    @Test(arguments: TestServer.engines)
    func anUndoneMergeGivesBothTheirSummaries(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            await make(bench, "Accounts", [Self.rollup("Deal count", "COUNT"), Self.rollup("Deal sum", "SUM", of: "Amount")])
            let accounts = try await bench.add("Accounts", ["A", "B"].map { ["Account_Name": .string($0)] })
            try await bench.add(
                "Deals", accounts.map { ["Deal_Name": "D", "Amount": 5, "Stage": "Qualification", "Account_Name": ["id": .string($0)]] })
            let before = try await bench.dump()
            let merged = await bench.merge("Accounts", accounts[0], [(accounts[1], [])])
            #expect(await bench.get("Accounts", accounts[0])["Deal_sum"]?.double == 10, "\(merged.text)")
            let undone = await bench.undo("Accounts", accounts[0], merged)
            #expect(undone.status == 200, "\(undone.text)")
            #expect(try await bench.dump() == before)
        }
    }

    /// Contract: `metadata/types.md`, currency.rounding_option.
    @Test(arguments: TestServer.engines)
    func currenciesRoundAsTheirFieldSays(_ engine: Database.Engine) async throws {
        try await RecordBench.with(engine) { bench in
            func currency(_ label: String, _ option: String, _ precision: JSONValue = .null) -> JSONValue {
                [
                    "field_label": .string(label), "data_type": "currency",
                    "currency": ["rounding_option": .string(option), "precision": precision],
                ]
            }
            await make(
                bench, "Leads",
                [
                    currency("Cut", "normal"), currency("Nearest", "round_off"), currency("Upward", "round_up", 1),
                    currency("Downward", "round_down", 0),
                ])
            for (given, expected) in [(1.256, [1.25, 1.26, 1.3, 1]), (1.10, [1.1, 1.1, 1.1, 1]), (-1.256, [-1.25, -1.26, -1.2, -2])] {
                let names = ["Cut", "Nearest", "Upward", "Downward"]
                var item: JSONValue = ["Last_Name": "L", "Company": "C"]
                for name in names { item[name] = .real(given) }
                let record = await bench.get("Leads", try await bench.add("Leads", item))
                #expect(names.map { record[$0]?.double } == expected, "\(given)")
            }
        }
    }
}
