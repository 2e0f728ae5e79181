import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Values of external fields in the place of ids. Contract: `endpoints/records-using-external-id.md` 169 to 174 and
/// `related-records-using-external-id.md` 175.
@Suite struct ExternalIDTests {
    private let contact = [("X-EXTERNAL", "Contacts.Contact_Key")]

    private func with(_ engine: Database.Engine, _ body: (RowBench) async throws -> Void) async throws {
        try await RowBench.with(engine) { bench in
            for (module, field) in [
                ("Contacts", "Contact_Key"), ("Accounts", "Account_Key"), ("Products", "Product_Key"), ("Deals", "Deal_Key"),
            ] {
                try await bench.addExternalField(field, to: module)
            }
            try await body(bench)
        }
    }

    /// Rows 169, 171, 172: path, `ids` and body keys.
    @Test(arguments: TestServer.engines)
    func recordsAreReadChangedAndDeletedByTheirExternalValue(_ engine: Database.Engine) async throws {
        try await with(engine) { bench in
            let id = try await bench.add("Contacts", ["Last_Name": "Kim", "Contact_Key": "c 1/ä"])
            let other = try await bench.add("Contacts", ["Last_Name": "Lee", "Contact_Key": "c-2"])
            let path = "Contacts/c%201%2F%C3%A4"
            let read = await bench.send("GET", path, headers: contact)
            #expect(read.status == 200 && bench.result(read)["id"]?.string == id, "\(read.text)")
            #expect(read.json?["info"] == nil)
            #expect(await bench.send("GET", "Contacts/unknown", headers: contact).status == 204)
            let list = await bench.send("GET", "Contacts?fields=Last_Name&ids=c-2,unknown", headers: contact)
            #expect(list.json?["data"]?.array?.compactMap { $0["id"]?.string } == [other])

            let changed = await bench.send("PUT", path, ["data": [["Last_Name": "Kimm"]]], headers: contact)
            #expect(changed.status == 200, "\(changed.text)")
            #expect(bench.result(changed)["details"]?["Contact_Key"] == "c 1/ä" && bench.result(changed)["details"]?["id"]?.string == id)
            let several = await bench.send(
                "PUT", "Contacts",
                [
                    "data": [
                        ["Contact_Key": "c-2", "Last_Name": "Leeds"], ["Contact_Key": "none", "Last_Name": "X"],
                        ["id": .string(id), "Last_Name": "Kim"],
                    ]
                ], headers: contact)
            #expect(several.status == 207, "\(several.text)")
            let results = several.json?["data"]?.array ?? []
            #expect(results[0]["details"]?["Contact_Key"] == "c-2" && results[2]["code"] == "SUCCESS", "\(several.text)")
            #expect(results[1]["code"] == "INVALID_DATA" && results[1]["details"]?["json_path"] == "$.data[1].Contact_Key")
            #expect(await bench.record("Contacts", other)["Last_Name"] == "Leeds")

            let forbidden = await bench.send("PUT", "Contacts/c-2", ["data": [["Contact_Key": "c-3"]]], headers: contact)
            #expect(forbidden.status == 400 && forbidden.text.contains("NOT_ALLOWED"), "\(forbidden.text)")
            let unknown = await bench.send("PUT", "Contacts/unknown", ["data": [["Last_Name": "X"]]], headers: contact)
            #expect(bench.result(unknown)["code"] == "INVALID_DATA", "\(unknown.text)")

            let deleted = await bench.send("DELETE", "Contacts?ids=c-2,unknown", headers: contact)
            #expect(deleted.status == 207, "\(deleted.text)")
            #expect(bench.result(deleted)["details"] == ["Contact_Key": "c-2", "id": .string(other)])
            #expect(deleted.json?["data"]?.array?[1]["details"] == ["Contact_Key": "unknown"])
            #expect(await bench.send("GET", "Contacts/c-2", headers: contact).status == 204)
            #expect(await bench.send("DELETE", path, headers: contact).status == 200)
            for header in ["Contacts.Nothing", "Contacts.Last_Name", "Nothing.Contact_Key", "Contacts", ","] {
                let refused = await bench.send("GET", "Contacts/x", headers: [("X-EXTERNAL", header)])
                #expect(refused.status == 400 || (header == "," && refused.status == 204), "\(header) \(refused.text)")
            }
        }
    }

    /// Rows 170 and 173: lookups, subforms, lookups into several modules; uniqueness; upsert without a header.
    @Test(arguments: TestServer.engines)
    func lookupsTakeExternalValuesAndValuesAreUnique(_ engine: Database.Engine) async throws {
        try await with(engine) { bench in
            let account = try await bench.add("Accounts", ["Account_Name": "Acme", "Account_Key": "acc-1"])
            let product = try await bench.add("Products", ["Product_Name": "Lamp", "Unit_Price": 2, "Product_Key": "p-1"])
            let header = [("X-EXTERNAL", "Contacts.Contact_Key,Contacts.Account_Name.Account_Key")]
            let made = await bench.send(
                "POST", "Contacts",
                [
                    "data": [
                        ["Last_Name": "Kim", "Contact_Key": "c-1", "Account_Name": ["Account_Key": "acc-1", "id": "77"]],
                        ["Last_Name": "Lee", "Account_Name": ["Account_Key": "none"]],
                    ]
                ], headers: header)
            #expect(made.status == 207, "\(made.text)")
            #expect(bench.result(made)["details"]?["Contact_Key"] == "c-1")
            #expect(made.json?["data"]?.array?[1]["details"]?["json_path"] == "$.data[1].Account_Name")
            let id = bench.result(made)["details"]?["id"]?.string ?? ""
            #expect(await bench.record("Contacts", id)["Account_Name"]?["id"]?.string == account)

            let invoice = await bench.send(
                "POST", "Invoices",
                ["data": [["Subject": "i", "Invoiced_Items": [["Product_Name": ["Product_Key": "p-1"], "Quantity": 3]]]]],
                headers: [("X-EXTERNAL", "Invoices.Invoiced_Items.Product_Name.Product_Key")])
            #expect(invoice.status == 201, "\(invoice.text)")
            let lines = await bench.record("Invoices", bench.result(invoice)["details"]?["id"]?.string ?? "")
            #expect(lines["Invoiced_Items"]?.array?.first?["Product_Name"]?["id"]?.string == product && lines["Grand_Total"]?.double == 6)

            let task = await bench.send(
                "POST", "Tasks", ["data": [["Subject": "Call", "What_Id": ["Account_Key": "acc-1"]]]],
                headers: [("X-EXTERNAL", "Tasks.What_Id->Accounts.Account_Key")])
            #expect(task.status == 201, "\(task.text)")
            #expect(await bench.record("Tasks", bench.result(task)["details"]?["id"]?.string ?? "")["$se_module"] == "Accounts")
            let without = await bench.send("POST", "Contacts", ["data": [["Last_Name": "Roe", "Account_Name": ["Account_Key": "acc-1"]]]])
            #expect(bench.result(without)["code"] == "INVALID_DATA", "\(without.text)")

            let twice = await bench.send("POST", "Contacts", ["data": [["Last_Name": "Twin", "Contact_Key": "C-1"]]])
            #expect(bench.result(twice)["code"] == "DUPLICATE_DATA", "\(twice.text)")
            let upsert = await bench.send(
                "POST", "Contacts/upsert",
                ["data": [["Last_Name": "Kimm", "Contact_Key": "c-1"], ["Last_Name": "New", "Contact_Key": "c-9"]]])
            let results = upsert.json?["data"]?.array ?? []
            #expect(
                results[0]["action"] == "update" && results[0]["duplicate_field"] == "Contact_Key" && results[1]["action"] == "insert",
                "\(upsert.text)")
            let search = await bench.send("GET", "Contacts/search?criteria=(Contact_Key:in:c-1,c-9)&fields=Last_Name", headers: contact)
            #expect(search.json?["data"]?.array?.count == 2)
        }
    }

    /// Rows 176 and 177; contact roles of a deal are reached the same way.
    @Test(arguments: TestServer.engines)
    func recordsAreJoinedAndPartedByExternalValues(_ engine: Database.Engine) async throws {
        try await with(engine) { bench in
            _ = try await bench.add("Contacts", ["Last_Name": "Kim", "Contact_Key": "c-1"])
            let deal = try await bench.add("Deals", ["Deal_Name": "Lamps", "Stage": "Qualification", "Deal_Key": "d-1"])
            let product = try await bench.add("Products", ["Product_Name": "Lamp", "Product_Key": "p-1"])
            let header = [("X-EXTERNAL", "Deals.Deal_Key,Products.Product_Key")]
            let joined = await bench.send(
                "PUT", "Deals/d-1/Products", ["data": [["Product_Key": "p-1"], ["Product_Key": "none"], [:]]], headers: header)
            #expect(joined.status == 207, "\(joined.text)")
            let results = joined.json?["data"]?.array ?? []
            #expect(results[0]["details"] == ["Product_Key": "p-1", "id": .string(product)])
            #expect(results[1]["code"] == "INVALID_DATA" && results[1]["details"]?["json_path"] == "$.data[1].Product_Key")
            #expect(results[2]["code"] == "MANDATORY_NOT_FOUND")
            let list = await bench.send("GET", "Deals/d-1/Products?fields=Product_Name", headers: header)
            #expect(bench.result(list)["id"]?.string == product)
            #expect(await bench.send("DELETE", "Deals/d-1/Products?ids=p-1", headers: header).status == 200)
            #expect(await bench.send("GET", "Deals/\(deal)/Products?fields=Product_Name").status == 204)
            let unknown = await bench.send("DELETE", "Deals/none/Products?ids=p-1", headers: header)
            #expect(unknown.status == 400 && unknown.text.contains("INVALID_DATA"), "\(unknown.text)")

            let both = [("X-EXTERNAL", "Deals.Deal_Key,Contacts.Contact_Key")]
            let roles = await bench.send("GET", "Contacts/roles").json?["contact_roles"]?.array ?? []
            let role = await bench.send(
                "PUT", "Deals/d-1/Contact_Roles/c-1", ["data": [["Contact_Role": ["id": roles.first?["id"] ?? .null]]]], headers: both)
            #expect(role.status == 200, "\(role.text)")
            #expect(await bench.send("GET", "Deals/d-1/Contact_Roles?fields=Last_Name", headers: both).json?["data"]?.array?.count == 1)
        }
    }

    /// Row 175: either side by value or by id.
    @Test(arguments: TestServer.engines)
    func relatedRecordsAreReachedFromExternalValues(_ engine: Database.Engine) async throws {
        try await with(engine) { bench in
            let account = try await bench.add("Accounts", ["Account_Name": "Acme", "Account_Key": "acc-1"])
            let kim = try await bench.add("Contacts", ["Last_Name": "Kim", "Contact_Key": "c-1", "Account_Name": ["id": .string(account)]])
            let both = [("X-EXTERNAL", "Accounts.Account_Key,Contacts.Contact_Key")]
            for path in [
                "Accounts/acc-1/Contacts?fields=Last_Name", "Accounts/\(account)/Contacts?fields=Last_Name", "Accounts/acc-1/Contacts/c-1",
                "Accounts/acc-1/Contacts/\(kim)",
            ] {
                let answer = await bench.send("GET", path, headers: both)
                #expect(bench.result(answer)["id"]?.string == kim, "\(path) \(answer.text)")
            }
            #expect(await bench.send("GET", "Accounts/none/Contacts?fields=Last_Name", headers: both).json?["code"] == "INVALID_DATA")
            #expect(await bench.send("GET", "Accounts/acc-1/Contacts/none", headers: both).status == 204)
        }
    }
}
