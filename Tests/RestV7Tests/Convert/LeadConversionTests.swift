import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Contract: convert-lead, 135; metadata/conversions.md.
@Suite struct LeadConversionTests {
    /// 135, example; conversions.md, the table of fields.
    @Test(arguments: TestServer.engines)
    func aLeadBecomesAContactAnAccountAndADeal(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            let lead = try await bench.add(
                "Leads",
                [
                    "Last_Name": "Kim", "First_Name": "Lee", "Company": "Acme", "Email": "lee@acme.example", "Phone": "123",
                    "Designation": "CTO",
                    "Street": "Main 1", "City": "Oslo", "Zip_Code": "0150", "Country": "Norway", "Website": "https://acme.example",
                    "Industry": "Data/Telecom OEM", "No_of_Employees": 12, "Annual_Revenue": 1000.5, "Lead_Source": "Cold Call",
                    "Description": "Hot", "Salutation": "Ms.", "Email_Opt_Out": true, "Rating": "Active", "Skype_ID": "lee",
                    "Mobile": "456",
                    "Tag": ["Hot", "New"],
                ])
            let born = bench.server.clock.now().milliseconds - 3 * 86_400_000 - 1000
            try await bench.records.set("Created_Time", of: "Leads", lead, to: .integer(born))
            let answer = await bench.convert(
                lead,
                ["Deals": ConversionBench.deal([("Amount", 500)]), "carry_over_tags": ["Deals": ["Hot", "Unknown"], "Contacts": ["New"]]])
            #expect(answer.status == 200, "\(answer.text)")
            let result = answer.rows[0]
            #expect(
                result["code"] == "SUCCESS" && result["message"] == "The record has been converted successfully"
                    && result["status"] == "success")
            #expect(result["details"]?.members?.map(\.name).sorted() == ["Accounts", "Contacts", "Deals"])
            #expect(result["details"]?["Contacts"]?["name"] == "Lee Kim" && result["details"]?["Accounts"]?["name"] == "Acme")
            #expect(result["details"]?["Deals"]?["name"] == "Acme deal")

            let contact = await bench.get("Contacts", bench.made(answer, "Contacts"))
            let account = await bench.get("Accounts", bench.made(answer, "Accounts"))
            let deal = await bench.get("Deals", bench.made(answer, "Deals"))
            let wanted: [(JSONValue, [(String, JSONValue)])] = [
                (
                    contact,
                    [
                        ("First_Name", "Lee"), ("Last_Name", "Kim"), ("Title", "CTO"), ("Email", "lee@acme.example"), ("Phone", "123"),
                        ("Mobile", "456"), ("Mailing_Street", "Main 1"), ("Mailing_City", "Oslo"), ("Mailing_Zip", "0150"),
                        ("Mailing_Country", "Norway"), ("Lead_Source", "Cold Call"), ("Description", "Hot"), ("Salutation", "Ms."),
                        ("Email_Opt_Out", true), ("Skype_ID", "lee"),
                    ]
                ),
                (
                    account,
                    [
                        ("Account_Name", "Acme"), ("Phone", "123"), ("Website", "https://acme.example"), ("Industry", "Data/Telecom OEM"),
                        ("Employees", 12), ("Annual_Revenue", 1000.5), ("Rating", "Active"), ("Billing_Street", "Main 1"),
                        ("Billing_Code", "0150"), ("Description", "Hot"),
                    ]
                ),
                (
                    deal,
                    [
                        ("Deal_Name", "Acme deal"), ("Closing_Date", "2030-06-30"), ("Stage", "Qualification"), ("Amount", 500),
                        ("Lead_Source", "Cold Call"), ("Description", "Hot"), ("Lead_Conversion_Time", 3), ("Probability", 10),
                    ]
                ),
            ]
            for (record, values) in wanted {
                for (name, value) in values { #expect(record[name] == value, "\(name): \(record[name]?.text ?? "absent")") }
            }
            #expect(contact["Account_Name"]?["id"] == account["id"] && deal["Account_Name"]?["id"] == account["id"])
            #expect(deal["Contact_Name"]?["id"] == contact["id"])
            #expect((deal["Tag"]?.array ?? []).map { $0["name"] } == ["Hot"] && (contact["Tag"]?.array ?? []).map { $0["name"] } == ["New"])
            #expect(account["Tag"] == [])
            // The contact takes part in the deal.
            let roles = await bench.send("GET", "Deals/\(bench.made(answer, "Deals"))/Contact_Roles?fields=Last_Name,Contact_Role")
            #expect(roles.rows.map { $0["id"] } == [contact["id"]])
        }
    }

    /// conversions.md, "Side effects": notes, activities, campaigns and products move; attachments go where the caller says.
    @Test(arguments: TestServer.engines)
    func whatHangsOnTheLeadGoesAlong(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            let lead = try await bench.add("Leads", ["Last_Name": "Kim", "Company": "Acme"])
            let at: JSONValue = ["id": .string(lead), "module": ["api_name": "Leads"]]
            let note = try await bench.add("Notes", ["Note_Content": "n", "Parent_Id": at])
            let task = try await bench.add("Tasks", ["Subject": "t", "What_Id": ["id": .string(lead)], "$se_module": "Leads"])
            let file = try await bench.records.addRows("Attachments", [["File_Name": "a.txt", "Parent_Id": at]])[0]
            let product = try await bench.add("Products", ["Product_Name": "P"])
            let campaign = try await bench.add("Campaigns", ["Campaign_Name": "C"])
            _ = try await bench.records.addRows(
                "Leads_X_Products", [["Parent": ["id": .string(lead)], "Product": ["id": .string(product)]]])
            _ = try await bench.records.addRows(
                "Campaign_Members", [["Campaign": ["id": .string(campaign)], "Member": at, "Member_Status": "Sent"]])
            let event = try await bench.add(
                "Events",
                [
                    "Event_Title": "e", "Start_DateTime": "2030-01-01T10:00:00Z", "End_DateTime": "2030-01-01T11:00:00Z",
                    "Participants": [["type": "lead", "participant": .string(lead)]],
                ])

            let answer = await bench.convert(lead, ["Deals": ConversionBench.deal(), "move_attachments_to": ["api_name": "Deals"]])
            #expect(answer.status == 200, "\(answer.text)")
            let contact = bench.made(answer, "Contacts")
            let account = bench.made(answer, "Accounts")
            let deal = bench.made(answer, "Deals")
            #expect(await bench.records.related("Contacts", contact, "Notes") == [note])
            #expect(await bench.records.related("Leads", lead, "Notes").isEmpty)
            #expect(await bench.records.related("Deals", deal, "Attachments") == [file.description])
            let moved = await bench.get("Tasks", task)
            #expect(moved["Who_Id"]?["id"]?.string == contact && moved["What_Id"]?["id"]?.string == deal && moved["$se_module"] == "Deals")
            for (module, id) in [("Contacts", contact), ("Accounts", account), ("Deals", deal)] {
                #expect(await bench.records.related(module, id, "Products") == [product], "\(module)")
            }
            #expect(await bench.records.related("Leads", lead, "Products").isEmpty)
            #expect(await bench.records.related("Contacts", contact, "Campaigns") == [campaign])
            let invited = await bench.get("Events", event)["Participants"]?.array?.first
            #expect(invited?["participant"]?.string == contact && invited?["type"] == "contact", "\(invited?.text ?? "")")
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
            // The note's move is told in the timeline of the contact.
            let told = await bench.send("GET", "Contacts/\(contact)/__timeline").json?["__timeline"]?.array ?? []
            #expect(told.contains { ($0["record"]?["module"]?["api_name"] ?? .null) == "Notes" || $0.text.contains("Notes") })
        }
    }

    /// 135, notes: automatic matching; conversions.md: overwrite.
    @Test(arguments: TestServer.engines)
    func recordsThatMatchAreTaken(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            let acme = try await bench.add("Accounts", ["Account_Name": "Acme"])
            let beta = try await bench.add("Accounts", ["Account_Name": "Beta"])
            let lee = try await bench.add(
                "Contacts", ["Last_Name": "Kim", "Email": "LEE@acme.example", "Account_Name": ["id": .string(beta)], "Tag": ["own"]])
            let nameless = try await bench.add("Contacts", ["Last_Name": "Solo"])

            // The address finds the contact, which brings its own account.
            var lead = try await bench.add(
                "Leads", ["Last_Name": "Other", "Email": "lee@acme.example", "Company": "Acme", "Tag": ["own", "x"]])
            var answer = await bench.convert(lead, ["carry_over_tags": ["Contacts": ["own", "x"]]])
            #expect(bench.made(answer, "Contacts") == lee && bench.made(answer, "Accounts") == beta, "\(answer.text)")
            #expect(await bench.get("Contacts", lee)["Last_Name"] == "Kim")
            #expect((await bench.get("Contacts", lee)["Tag"]?.array ?? []).map { $0["name"] } == ["own", "x"])

            // The company finds the account; the contact is new.
            lead = try await bench.add("Leads", ["Last_Name": "Kim", "Email": "new@acme.example", "Company": "ACME"])
            answer = await bench.convert(lead)
            #expect(bench.made(answer, "Accounts") == acme && bench.made(answer, "Contacts") != lee)

            // A name alone finds a contact, unless both have addresses.
            lead = try await bench.add("Leads", ["Last_Name": "Solo"])
            #expect(bench.made(await bench.convert(lead), "Contacts") == nameless)
            lead = try await bench.add("Leads", ["Last_Name": "Kim", "Email": "else@where.example"])
            let stranger = bench.made(await bench.convert(lead), "Contacts")
            #expect(stranger != lee && !stranger.isEmpty)
            #expect(await bench.get("Contacts", stranger)["Account_Name"] == .null)

            // Records the caller names: without overwrite the contact keeps its account, with it it goes over.
            lead = try await bench.add("Leads", ["Last_Name": "A"])
            let named: JSONValue = ["Accounts": ["id": .string(acme)], "Contacts": ["id": .string(lee)]]
            answer = await bench.convert(lead, named)
            #expect(bench.made(answer, "Accounts") == acme && bench.made(answer, "Contacts") == lee)
            #expect(await bench.get("Contacts", lee)["Account_Name"]?["id"]?.string == beta)
            lead = try await bench.add("Leads", ["Last_Name": "B"])
            var over = named
            over["overwrite"] = true
            answer = await bench.convert(lead, over)
            #expect(answer.status == 200)
            #expect(await bench.get("Contacts", lee)["Account_Name"]?["id"]?.string == acme)
            #expect(await bench.get("Accounts", acme)["Account_Name"] == "Acme")
        }
    }

    /// 135: DUPLICATE_DATA, with the record that holds the value as in record writes (duplicates.md, A2).
    @Test(arguments: TestServer.engines)
    func aUniqueValueThatIsTakenIsTold(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            let holder = try await bench.add("Contacts", ["Last_Name": "Kim", "Email": "lee@acme.example"])
            try await bench.makeUnique("Email", of: "Contacts")
            let lead = try await bench.add("Leads", ["Last_Name": "Lee", "Email": "lee@acme.example", "Company": "Acme"])
            let before = try await bench.records.dump()
            let answer = await bench.convert(lead)
            #expect(answer.status == 400 && answer.codes == ["DUPLICATE_DATA"], "\(answer.text)")
            #expect(answer.refusal["api_name"] == "Email" && answer.refusal["json_path"] == "$.data[0].Contacts.Email")
            #expect(answer.refusal["duplicate_record"]?["id"]?.string == holder && answer.refusal["more_records"] == false)
            #expect(answer.refusal["duplicate_record"]?["module"]?["api_name"] == "Contacts")
            #expect(try await bench.records.dump().differences(from: before) == [])
            // The caller may say that this is the contact, or that any such is.
            let options = await bench.send("GET", "Leads/\(lead)/__conversion_options").json?["__conversion_options"]
            #expect(options?["module_preference"]?["api_name"] == "Contacts")
            let taken = await bench.convert(lead, ["add_to_existing_record": true])
            #expect(bench.made(taken, "Contacts") == holder, "\(taken.text)")
        }
    }

    /// 135, request keys and errors; common §5. Nothing of it changes anything.
    @Test(arguments: TestServer.engines)
    func whatCannotBeDoneIsRefusedAndChangesNothing(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            let lead = try await bench.add("Leads", ["Last_Name": "Kim", "Company": "Acme"])
            let before = try await bench.records.dump()
            let deal = { (more: [(String, JSONValue)]) in ["Deals": ConversionBench.deal(more)] as JSONValue }
            let cases: [(JSONValue, String, String)] = [
                (["Accounts": ["id": "5"]], "INVALID_DATA", "$.data[0].Accounts.id"),
                (["Contacts": ["id": .string(lead)]], "INVALID_DATA", "$.data[0].Contacts.id"),
                (["Contacts": []], "INVALID_DATA", "$.data[0].Contacts"), (["overwrite": "yes"], "INVALID_DATA", "$.data[0].overwrite"),
                (["notify_lead_owner": 1], "INVALID_DATA", "$.data[0].notify_lead_owner"),
                (["assign_to": ["id": "9"]], "INVALID_DATA", "$.data[0].assign_to.id"),
                (["move_attachments_to": ["api_name": "Deals"]], "INVALID_DATA", "$.data[0].move_attachments_to"),
                (["move_attachments_to": ["api_name": "Tasks"]], "INVALID_DATA", "$.data[0].move_attachments_to"),
                (["carry_over_tags": ["Tasks": ["x"]]], "INVALID_DATA", "$.data[0].carry_over_tags.Tasks"),
                (["carry_over_tags": ["Deals": "x"]], "INVALID_DATA", "$.data[0].carry_over_tags.Deals"),
                (deal([("Deal_Name", .null)]), "MANDATORY_NOT_FOUND", "$.data[0].Deals.Deal_Name"),
                (deal([("Closing_Date", "")]), "MANDATORY_NOT_FOUND", "$.data[0].Deals.Closing_Date"),
                (deal([("Pipeline", .null)]), "MANDATORY_NOT_FOUND", "$.data[0].Deals.Pipeline"),
                (deal([("Closing_Date", "soon")]), "INVALID_DATA", "$.data[0].Deals.Closing_Date"),
                (deal([("Amount", "much")]), "INVALID_DATA", "$.data[0].Deals.Amount"),
                (deal([("Next_Step", .string(String(repeating: "x", count: 101)))]), "INVALID_DATA", "$.data[0].Deals.Next_Step"),
                (deal([("Contact_Role", "7")]), "INVALID_DATA", "$.data[0].Deals.Contact_Role"),
                (deal([("Campaign_Source", ["id": "8"])]), "INVALID_DATA", "$.data[0].Deals.Campaign_Source"),
                ("text", "INVALID_DATA", "$.data[0]"),
            ]
            for (item, code, path) in cases {
                let answer = await bench.convert(lead, item)
                #expect(
                    answer.status == 400 && answer.codes == [code] && answer.refusal["json_path"]?.string == path,
                    "\(item.text): \(answer.text)")
            }
            let bare: [(String, JSONValue, Int, String)] = [
                ("Leads/5", ["data": [[:]]], 400, "INVALID_DATA"), ("Leads/x", ["data": [[:]]], 400, "INVALID_DATA"),
                ("Leads/\(lead)", [:], 400, "MANDATORY_NOT_FOUND"), ("Leads/\(lead)", ["data": []], 400, "INVALID_DATA"),
                ("Leads/\(lead)", ["data": [[:], [:]]], 400, "INVALID_DATA"), ("Contacts/\(lead)", ["data": [[:]]], 400, "INVALID_MODULE"),
            ]
            for (path, body, status, code) in bare {
                let answer = await bench.send("POST", "\(path)/actions/convert", body)
                #expect(answer.status == status && answer.json?["code"]?.string == code, "\(path) \(body.text): \(answer.text)")
            }
            #expect(await bench.send("POST", "Leads/5/actions/convert", ["data": [[:]]]).json?["details"] == ["resource_path_index": 1])
            #expect(await bench.send("GET", "Leads/\(lead)/actions/convert").json?["code"] == "INVALID_REQUEST_METHOD")
            #expect(try await bench.records.dump().differences(from: before) == [])
            let narrow = try await bench.server.token("ZohoCRM.modules.leads.READ")
            let refused = await bench.server.send("POST", "/crm/v7/Leads/\(lead)/actions/convert", ["data": [[:]]], token: narrow)
            #expect(refused.status == 401 && refused.json?["code"] == "OAUTH_SCOPE_MISMATCH")
        }
    }

    /// Rights of the profile; the lock of a record; a record under merge.
    @Test(arguments: TestServer.engines)
    func rightsAndLocksAreObserved(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            let lead = try await bench.add("Leads", ["Last_Name": "Kim"])
            try await bench.records.set("Locked__s", of: "Leads", lead, to: .integer(1))
            let module = try #require(bench.server.services.catalog.current().module("Leads"))
            try await bench.server.services.store(
                .recordLocking, for: module.id, ["lock_type": "manual", "restricted_actions": ["convert"], "locked_for": "all_profiles"])
            let locked = await bench.convert(lead)
            #expect(locked.status == 400 && locked.json?["code"] == "RECORD_LOCKED", "\(locked.text)")
            #expect(locked.json?["message"] == "You cannot perform this operation as the record is locked.")
            try await bench.records.set("Locked__s", of: "Leads", lead, to: .integer(0))

            let table = try #require(module.table)
            try await bench.server.services.database.run(.write) { tx in _ = try tx.execute("UPDATE \(table) SET in_merge = 77") }
            let held = await bench.convert(lead)
            #expect(held.json?["code"] == "RECORD_LOCKED" && held.json?["details"] == ["resource_path_index": 1], "\(held.text)")
            let options = await bench.send("GET", "Leads/\(lead)/__conversion_options")
            #expect(options.status == 400 && options.json?["code"] == "RECORD_LOCKED")
            try await bench.server.services.database.run(.write) { tx in _ = try tx.execute("UPDATE \(table) SET in_merge = NULL") }

            for missing in ["Crm_Implied_Convert_Leads", "Crm_Implied_Create_Contacts"] {
                try await bench.server.services.changeMetadata { scope in
                    for profile in scope.catalog.documents(.profile) {
                        var body = profile.body
                        let all = body["kept"]?.array ?? body["permissions"]?.array ?? []
                        body["kept"] = .array(all)
                        body["permissions"] = .array(all.filter { $0.string != missing })
                        try scope.replace(profile.id, body: body)
                    }
                }
                let answer = await bench.convert(lead)
                #expect(
                    answer.status == 403 && answer.json?["code"] == "NO_PERMISSION"
                        && answer.json?["details"]?["permissions"] == [.string(missing)], "\(answer.text)")
            }
            #expect(await bench.get("Leads", lead)["Converted__s"] == false)
        }
    }

    /// fields, `convert_mapping`: a custom field goes where its mapping says; values of the body win.
    @Test(arguments: TestServer.engines)
    func customFieldsGoWhereTheirMappingSays(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            func make(_ module: String, _ field: JSONValue) async -> TestServer.Answer {
                await bench.send("POST", "settings/fields?module=\(module)", ["fields": [field]])
            }
            let target = await make("Contacts", ["field_label": "Shoe", "data_type": "text", "length": 50])
            #expect(target.status == 201, "\(target.text)")
            #expect(await make("Contacts", ["field_label": "Size", "data_type": "integer", "length": 9]).status == 201)
            let wrong: [JSONValue] = [["Contacts": "Size"], ["Contacts": "Nope"], ["Tasks": "Shoe"], ["Contacts": 5]]
            for mapping in wrong {
                let refused = await make(
                    "Leads", ["field_label": "Boot", "data_type": "text", "length": 50, "convert_mapping": mapping])
                #expect(refused.status == 400, "\(mapping.text): \(refused.text)")
            }
            let made = await make(
                "Leads", ["field_label": "Boot", "data_type": "text", "length": 50, "convert_mapping": ["Contacts": "Shoe"]])
            #expect(made.status == 201, "\(made.text)")
            let id = made.json?["fields"]?.array?.first?["details"]?["id"]?.string ?? ""
            let shown = await bench.send("GET", "settings/fields/\(id)?module=Leads").json?["fields"]?.array?.first
            #expect(shown?["convert_mapping"] == ["Accounts": .null, "Contacts": "Shoe", "Deals": .null])
            let layouts = await bench.send("GET", "settings/layouts?module=Leads").json?["layouts"]?.array ?? []
            #expect(layouts.first?["convert_mapping"]?["Contacts"]?["id"]?.string != nil)
            #expect(layouts.first?["convert_mapping"]?["Deals"]?["fields"]?.array?.first?["field_label"] == "Amount")

            let lead = try await bench.add("Leads", ["Last_Name": "Kim", "Boot": "red", "Company": "Acme"])
            let answer = await bench.convert(lead, ["Accounts": ["Account_Name": "Other", "Account_Site": "HQ"]])
            #expect(await bench.get("Contacts", bench.made(answer, "Contacts"))["Shoe"] == "red", "\(answer.text)")
            let account = await bench.get("Accounts", bench.made(answer, "Accounts"))
            #expect(account["Account_Name"] == "Other" && account["Account_Site"] == "HQ")
        }
    }
}
