import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Quotes, orders and invoices with their lines. Contract: `records.md`, section notes; `metadata/conversions.md`, "Line maths".
@Suite struct LineItemTests {
    private static let documents = [
        ("Quotes", "Quoted_Items"), ("Sales_Orders", "Ordered_Items"), ("Purchase_Orders", "Purchase_Items"),
        ("Invoices", "Invoiced_Items"),
    ]

    /// A discount on the whole document may be a percentage of its lines' sum.
    @Test(arguments: TestServer.engines)
    func aDocumentsDiscountMayBeAPercentage(_ engine: Database.Engine) async throws {
        try await RowBench.with(engine) { bench in
            let product = try await bench.add("Products", ["Product_Name": "Lamp", "Unit_Price": 20])
            let line: JSONValue = ["Product_Name": ["id": .string(product)], "Quantity": 5]
            let id = try await bench.add("Quotes", ["Subject": "q", "Discount": "10%", "Quoted_Items": [line]])
            let record = await bench.record("Quotes", id)
            #expect([record["Sub_Total"], record["Discount"], record["Grand_Total"]].map { $0?.double } == [100, 10, 90])
            #expect(await bench.change("Quotes", id, ["Discount": "25 %"]).status == 200)
            #expect(await bench.record("Quotes", id)["Grand_Total"]?.double == 75)
            for wrong: JSONValue in ["120%", "-1%", "x%"] {
                #expect(await bench.change("Quotes", id, ["Discount": wrong]).status == 400, "\(wrong)")
            }
        }
    }

    /// "Line maths": every sum of the four documents.
    @Test(arguments: TestServer.engines)
    func linesAddUpOnEveryDocument(_ engine: Database.Engine) async throws {
        try await RowBench.with(engine) { bench in
            let product = try await bench.add("Products", ["Product_Name": "Lamp", "Product_Code": "L-1", "Unit_Price": 20])
            let vendor = try await bench.add("Vendors", ["Vendor_Name": "Glow"])
            for (module, field) in Self.documents {
                let id = try await bench.add(
                    module,
                    [
                        "Subject": "Light", "Vendor_Name": ["id": .string(vendor)], "Discount": 10, "Adjustment": 1.5,
                        "$line_tax": [["name": "City", "percentage": 10]],
                        field: [
                            [
                                "Product_Name": ["id": .string(product)], "Quantity": 3, "Discount": "10%",
                                "Line_Tax": [["name": "VAT", "percentage": 20]],
                            ],
                            ["Product_Name": ["id": .string(product)], "Quantity": 2, "List_Price": 5.25, "Discount": 0.5, "Total": 999],
                        ],
                    ] as JSONValue)
                let record = await bench.record(module, id)
                let lines = record[field]?.array ?? []
                #expect(lines.count == 2, "\(module)")
                let first = lines.first ?? .null
                let last = lines.last ?? .null
                #expect(first["Product_Name"] == ["Product_Code": "L-1", "name": "Lamp", "id": .string(product)])
                #expect(
                    [
                        first["List_Price"], first["Total"], first["Discount"], first["Total_After_Discount"], first["Tax"],
                        first["Net_Total"],
                    ].map { $0?.double } == [20, 60, 6, 54, 10.8, 64.8])
                #expect(first["Line_Tax"] == [["name": "VAT", "percentage": 20, "value": 10.8]])
                #expect(
                    [last["Total"], last["Total_After_Discount"], last["Tax"], last["Net_Total"]].map { $0?.double } == [10.5, 10, 0, 10])
                #expect(lines.map { $0["Sequence_Number"]?.int64 } == [1, 2])
                #expect(first["Parent_Id"]?["id"]?.string == id)
                #expect(
                    [record["Sub_Total"], record["Tax"], record["Grand_Total"]].map { $0?.double } == [74.8, 6.48, 72.78], "\(module)")
                #expect(record["$line_tax"]?.array?.first?["value"]?.double == 6.48)

                let changed = await bench.change(
                    module, id, [field: [["id": first["id"] ?? .null, "Quantity": 1], ["id": last["id"] ?? .null, "_delete": .null]]])
                #expect(changed.status == 200, "\(changed.text)")
                let after = await bench.record(module, id)
                #expect(after[field]?.array?.first?["Total"]?.double == 20)
                #expect(after["Sub_Total"]?.double == 16.8)
                _ = await bench.change(module, id, ["Adjustment": 0, "Discount": 0, "$line_tax": []])
                #expect(await bench.record(module, id)["Grand_Total"]?.double == 16.8)
            }
        }
    }

    /// `records.md`: mandatory fields, both names of the lines of purchase orders; deletion and the list of lines.
    @Test(arguments: TestServer.engines)
    func linesAreMandatoryCheckedAndGoWithTheirDocument(_ engine: Database.Engine) async throws {
        try await RowBench.with(engine) { bench in
            let priced = try await bench.add("Products", ["Product_Name": "Lamp", "Unit_Price": 20])
            let product: JSONValue = ["id": .string(priced)]
            let free = try await bench.add("Products", ["Product_Name": "Gift"])
            let line: JSONValue = ["Product_Name": product, "Quantity": 1]
            let cases: [(JSONValue, String, String)] = [
                (.null, "MANDATORY_NOT_FOUND", "$.data[0].Quoted_Items"), ([], "MANDATORY_NOT_FOUND", "$.data[0].Quoted_Items"),
                ([["Quantity": 1]], "MANDATORY_NOT_FOUND", "$.data[0].Quoted_Items[0].Product_Name"),
                ([["Product_Name": product]], "MANDATORY_NOT_FOUND", "$.data[0].Quoted_Items[0].Quantity"),
                ([["Product_Name": ["id": .string(free)], "Quantity": 1]], "MANDATORY_NOT_FOUND", "$.data[0].Quoted_Items[0].List_Price"),
                (
                    [["Product_Name": ["id": "5"], "Quantity": 1, "List_Price": 1]], "INVALID_DATA",
                    "$.data[0].Quoted_Items[0].Product_Name"
                ),
                ([["Product_Name": product, "Quantity": "many"]], "INVALID_DATA", "$.data[0].Quoted_Items[0].Quantity"),
                (
                    [["Product_Name": product, "Quantity": 1, "Line_Tax": [["name": "VAT"]]]], "MANDATORY_NOT_FOUND",
                    "$.data[0].Quoted_Items[0].Line_Tax[0].percentage"
                ),
                ([["Product_Name": product, "Quantity": 1, "Discount": "x%"]], "INVALID_DATA", "$.data[0].Quoted_Items[0].Discount"),
            ]
            for (lines, code, path) in cases {
                let answer = await bench.send("POST", "Quotes", ["data": [["Subject": "q", "Quoted_Items": lines]]])
                let result = bench.result(answer)
                #expect(
                    answer.status == 400 && result["code"]?.string == code && result["details"]?["json_path"]?.string == path,
                    "\(answer.text)")
            }
            #expect(await bench.send("GET", "Quotes?fields=Subject").status == 204)
            let quote = try await bench.add("Quotes", ["Subject": "q", "Quoted_Items": [line]])
            #expect(await bench.change("Quotes", quote, ["Quoted_Items": []]).status == 400)

            let vendor = try await bench.add("Vendors", ["Vendor_Name": "Glow"])
            let order = try await bench.add(
                "Purchase_Orders", ["Subject": "p", "Vendor_Name": ["id": .string(vendor)], "Purchased_Items": [line]])
            #expect(await bench.record("Purchase_Orders", order)["Purchase_Items"]?.array?.count == 1)
            #expect(await bench.send("GET", "Purchased_Items?fields=Quantity").json?["data"]?.array?.count == 1)

            _ = await bench.send("DELETE", "Quotes/\(quote)")
            #expect(await bench.send("GET", "Quoted_Items?fields=Quantity").status == 204)
            #expect(await bench.send("POST", "settings/recycle_bin/actions/restore?ids=\(quote)").status == 200)
            let back = await bench.record("Quotes", quote)
            #expect(back["Quoted_Items"]?.array?.count == 1 && back["Grand_Total"]?.double == 20)
            let fields = await bench.send("GET", "settings/fields?module=Quotes")
            #expect(fields.json?["fields"]?.array?.contains { $0["api_name"] == "$line_tax" } == false)
        }
    }

    /// "Line maths": the price book's price less the discount of the range of the quantity.
    @Test(arguments: TestServer.engines)
    func aPriceBookGivesTheListPrice(_ engine: Database.Engine) async throws {
        try await RowBench.with(engine) { bench in
            let product = try await bench.add("Products", ["Product_Name": "Lamp", "Unit_Price": 20])
            let book = try await bench.add(
                "Price_Books",
                [
                    "Price_Book_Name": "Bulk",
                    "Pricing_Details": [
                        ["from_range": 1, "to_range": 10, "discount": 0], ["from_range": 11, "to_range": 100, "discount": 25],
                    ],
                ])
            let line: JSONValue = ["Product_Name": ["id": .string(product)], "Price_Book_Name": ["id": .string(book)]]
            var few = line
            var many = line
            few["Quantity"] = 2
            many["Quantity"] = 20
            let id = try await bench.add("Invoices", ["Subject": "i", "Invoiced_Items": [few, many]])
            #expect(await bench.record("Invoices", id)["Invoiced_Items"]?.array?.map { $0["List_Price"]?.double } == [20, 15])
        }
    }
}
