import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Leads that were converted, and many at once. Contract: convert-lead, 135 to 138; duplicate-check-option, 28; merge, rule 14.
@Suite struct ConvertedLeadTests {
    /// conversions.md, "Side effects"; records, 124, `converted`; common §11.
    @Test(arguments: TestServer.engines)
    func theLeadIsKeptAsConverted(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            let lead = try await bench.add("Leads", ["Last_Name": "Kim", "Company": "Acme"])
            let other = try await bench.add("Leads", ["Last_Name": "Open"])
            let before = await bench.get("Leads", lead)
            #expect(before["$converted"] == false && before["$converted_detail"] == [:] && before["$editable"] == true)
            let answer = await bench.convert(lead)
            #expect(answer.rows.first?["details"]?["Deals"] == .null, "\(answer.text)")

            func listed(_ query: String) async -> [JSONValue] {
                await bench.send("GET", "Leads?fields=id,Converted__s&\(query)").rows.compactMap { $0["id"] }
            }
            #expect(await listed("") == [.string(other)])
            #expect(await listed("converted=true") == [.string(lead)])
            #expect(await listed("converted=both").count == 2)
            #expect(await bench.send("GET", "Leads/search?word=Kim").status == 204)
            #expect(await bench.send("GET", "Leads/search?word=Kim&converted=true").rows.count == 1)
            #expect(await bench.send("GET", "Leads/actions/count").json?["count"] == 1)
            #expect(await bench.send("GET", "Leads/actions/count?converted=both").json?["count"] == 2)
            #expect(await bench.send("GET", "Leads/\(lead)?converted=false").status == 204)
            // A view of converted leads shows them without being asked twice.
            let views = await bench.send("GET", "settings/custom_views?module=Leads").json?["custom_views"]?.array ?? []
            for (name, found) in [("CONVERTEDVIEWS", [lead]), ("ALLVIEWS", [other]), ("RECENTLYCREATED", [other])] {
                let view = views.first { $0["system_name"]?.string == name }?["id"]?.string ?? ""
                #expect(await listed("cvid=\(view)") == found.map(JSONValue.string), "\(name)")
            }

            let shown = await bench.send("GET", "Leads/\(lead)?converted=true").rows[0]
            #expect(shown["Converted__s"] == true && shown["Lead_Conversion_Time"] == 0 && shown["Converted_Date_Time"]?.string != nil)
            #expect(shown["Converted_Contact"]?["id"]?.string == bench.made(answer, "Contacts"))
            #expect(shown["Converted_Account"]?["id"]?.string == bench.made(answer, "Accounts") && shown["Converted_Deal"] == .null)
            #expect(shown["$converted"] == true && shown["$editable"] == false)
            let detail = shown["$converted_detail"] ?? .null
            #expect(
                detail["contact"]?.string == bench.made(answer, "Contacts") && detail["account"]?.string == bench.made(answer, "Accounts"))
            #expect(detail["deal"] == .null && detail["convert_date"] == shown["Converted_Date_Time"])
            #expect(detail["converted_by"]?.string == String(bench.server.administrator.id.raw))

            // Timeline: the conversion, by that name and from that source.
            let entries = await bench.send("GET", "Leads/\(lead)/__timeline").json?["__timeline"]?.array ?? []
            #expect(entries.contains { $0["action"] == "converted" && $0["source"] == "convert" }, "\(entries.map(\.text))")
            let contact = bench.made(answer, "Contacts")
            let born = await bench.send("GET", "Contacts/\(contact)/__timeline").json?["__timeline"]?.array ?? []
            #expect(born.contains { $0["action"] == "added" && $0["source"] == "convert" })
        }
    }

    /// conversions.md: "read-only after"; sdk-structures, record.APIException CONVERTED_RECORD; 135 errors; merge.md rule 14.
    @Test(arguments: TestServer.engines)
    func aConvertedLeadIsNotChangedAnyMore(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            let lead = try await bench.add("Leads", ["Last_Name": "Kim", "Email": "k@x.example"])
            let open = try await bench.add("Leads", ["Last_Name": "Open"])
            #expect(await bench.convert(lead).status == 200)
            let before = try await bench.records.dump()

            let again = await bench.convert(lead)
            #expect(
                again.status == 400 && again.json?["code"] == "ID_ALREADY_CONVERTED" && again.json?["message"] == "id already converted")
            #expect(again.json?["details"] == ["resource_path_index": 1])

            let update = await bench.send("PUT", "Leads/\(lead)", ["data": [["Phone": "1"]]])
            #expect(update.status == 400 && update.codes == ["CONVERTED_RECORD"], "\(update.text)")
            #expect(update.rows[0]["message"] == "can't update the converted record" && update.refusal == ["id": .string(lead)])
            let both = await bench.send(
                "PUT", "Leads", ["data": [["id": .string(lead), "Phone": "1"], ["id": .string(open), "Phone": "1"]]])
            #expect(both.status == 207 && both.codes == ["CONVERTED_RECORD", "SUCCESS"])
            #expect(
                await bench.send("POST", "Leads/\(lead)/Notes", ["data": [["Note_Content": "x"]]]).codes == ["CONVERTED_RECORD"])
            #expect(
                await bench.send("POST", "Leads/\(lead)/actions/add_tags", ["tags": [["name": "x"]]]).text.contains("CONVERTED_RECORD"))
            // Merging: master and child, each in its envelope.
            let master = await bench.records.merge("Leads", lead, [(open, [])], query: "")
            #expect(master.status == 400 && master.json?["code"] == "NOT_ALLOWED", "\(master.text)")
            #expect(
                master.json?["details"] == ["api_name": "record", "resource_path_index": 1]
                    && master.json?["message"] == "Record is not allowed for merging")
            let child = await bench.records.merge("Leads", open, [(lead, [])], query: "")
            let refusal = child.json?["merge"]?.array?.first
            #expect(child.status == 400 && refusal?["code"] == "NOT_ALLOWED" && refusal?["message"] == "Record is not allowed for merging")
            #expect(refusal?["details"] == ["api_name": "id", "json_path": "$.merge[0].data[0].id"])
            // The state comes before the shape of the children, and after the master is known.
            let order = await bench.send("POST", "Leads/\(lead)/actions/merge", ["merge": [["data": []]]])
            #expect(order.json?["code"] == "NOT_ALLOWED", "\(order.text)")

            // An upsert by the same address finds no converted lead.
            let upsert = await bench.send("POST", "Leads/upsert", ["data": [["Last_Name": "New", "Email": "k@x.example"]]])
            #expect(upsert.status < 300 && upsert.rows[0]["action"] == "insert", "\(upsert.text)")
            let now = try await bench.records.dump()
            #expect(now.rows["Leads"]?[Int64(lead) ?? 0] == before.rows["Leads"]?[Int64(lead) ?? 0])
            // It can be thrown away, and comes back as it was.
            #expect(await bench.send("DELETE", "Leads/\(lead)").status == 200)
            #expect(await bench.send("GET", "Leads/\(lead)").status == 204)
        }
    }

    /// duplicate-check-option, 28: `converted_records`.
    @Test(arguments: TestServer.engines)
    func convertedLeadsAreComparedWhenAskedFor(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            try await bench.makeUnique("Email", of: "Leads")
            let old = try await bench.add("Leads", ["Last_Name": "Old", "Email": "a@x.example"])
            #expect(
                await bench.send("POST", "Leads", ["data": [["Last_Name": "Twin", "Email": "A@x.example"]]]).codes == ["DUPLICATE_DATA"])
            #expect(await bench.convert(old).status == 200)
            // Converted, its values are free.
            let twin = try await bench.add("Leads", ["Last_Name": "Twin", "Email": "A@x.example"])
            #expect(
                await bench.send("POST", "Leads", ["data": [["Last_Name": "Third", "Email": "a@x.example"]]]).codes == ["DUPLICATE_DATA"])
            #expect(await bench.convert(twin, ["Contacts": ["Last_Name": "Twin", "Email": "t@x.example"]]).status == 200)

            let preference = await bench.send(
                "POST", "settings/duplicate_check_preference?module=Leads", ["duplicate_check_preference": ["type": "converted_records"]])
            #expect(preference.status == 200, "\(preference.text)")
            let refused = await bench.send("POST", "Leads", ["data": [["Last_Name": "Third", "Email": "a@x.example"]]])
            #expect(refused.codes == ["DUPLICATE_DATA"], "\(refused.text)")
            #expect(refused.refusal["duplicate_record"]?["id"]?.string == old && refused.refusal["more_records"] == true)
            // An upsert does not change what was converted, and may not take its value either.
            let upsert = await bench.send("POST", "Leads/upsert", ["data": [["Last_Name": "Third", "Email": "a@x.example"]]])
            #expect(upsert.codes == ["DUPLICATE_DATA"], "\(upsert.text)")
            // A merge takes no value that a converted lead holds.
            _ = await bench.send("DELETE", "settings/duplicate_check_preference?module=Leads")
            let free = try await bench.add("Leads", ["Last_Name": "Third", "Email": "a@x.example"])
            let master = try await bench.add("Leads", ["Last_Name": "Master"])
            #expect(
                await bench.send(
                    "POST", "settings/duplicate_check_preference?module=Leads",
                    ["duplicate_check_preference": ["type": "converted_records"]]
                ).status == 200)
            let merged = await bench.records.merge("Leads", master, [(free, ["Email"])], query: "")
            #expect(merged.json?["merge"]?.array?.first?["code"] == "DUPLICATE_DATA", "\(merged.text)")
            _ = await bench.send("DELETE", "settings/duplicate_check_preference?module=Leads")
            #expect(await bench.records.merge("Leads", master, [(free, ["Email"])], query: "").status == 201)
        }
    }

    /// 136.
    @Test(arguments: TestServer.engines)
    func theOptionsNameWhatMatches(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            let lead = try await bench.add("Leads", ["Last_Name": "Kim", "Company": "Acme", "Email": "lee@acme.example"])
            func options(_ id: String) async -> TestServer.Answer { await bench.send("GET", "Leads/\(id)/__conversion_options") }
            #expect(await options(lead).status == 204)
            let account = try await bench.add("Accounts", ["Account_Name": "acme", "Phone": "5"])
            var found = await options(lead).json?["__conversion_options"]
            #expect(found?["module_preference"]?["api_name"] == "Accounts" && found?["Contacts"] == .null, "\(found?.text ?? "")")
            #expect(found?["Accounts"]?.array?.first?["id"]?.string == account && found?["Accounts"]?.array?.first?["$editable"] == true)
            #expect(found?["Accounts"]?.array?.first?["Layout"]?["name"] == "Standard")
            let reason = found?["preference_field_matched_value"]?["Accounts"]?.array?.first
            #expect(reason?["field"]?["api_name"] == "Account_Name" && reason?["matched_lead_value"] == "Acme")
            #expect(found?["preference_field_matched_value"]?["Contacts"] == .null && found?["modules_with_multiple_layouts"] == .null)
            let contact = try await bench.add("Contacts", ["Last_Name": "Any", "Email": "LEE@acme.example"])
            found = await options(lead).json?["__conversion_options"]
            #expect(found?["module_preference"]?["api_name"] == "Contacts")
            #expect(found?["Contacts"]?.array?.map { $0["id"]?.string } == [contact] && found?["Accounts"]?.array?.count == 1)
            let unknown = await options("5")
            #expect(
                unknown.status == 400 && unknown.json?["code"] == "INVALID_DATA" && unknown.json?["details"] == ["resource_path_index": 1])
            let scope = try await bench.server.token("ZohoCRM.modules.contacts.READ")
            #expect(await bench.server.send("GET", "/crm/v7/Leads/\(lead)/__conversion_options", token: scope).status == 401)
            #expect(await bench.convert(lead).status == 200)
            #expect(await options(lead).json?["code"] == "ID_ALREADY_CONVERTED")
        }
    }

    /// 137 and 138.
    @Test(arguments: TestServer.engines)
    func manyLeadsAreConvertedByAJob(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            let path = "Leads/actions/mass_convert"
            let leads = try await bench.records.add(
                "Leads", (0..<3).map { ["Last_Name": .string("L\($0)"), "Company": .string("C\($0)"), "Tag": ["hot"]] })
            let task = try await bench.add("Tasks", ["Subject": "t", "What_Id": ["id": .string(leads[0])], "$se_module": "Leads"])
            let done = try await bench.add("Leads", ["Last_Name": "Done"])
            #expect(await bench.convert(done).status == 200)
            let owner = try await Organisation(bench.server).user("new@crm.example", profile: Organisation(bench.server).administrator).id
            let assign: JSONValue = ["id": .id(owner)]
            let ids = JSONValue.array((leads + [done]).map(JSONValue.string))
            let tooMany = JSONValue.array((1...51).map { .integer(Int64($0)) })
            let cases: [(JSONValue, String)] = [
                (["assign_to": assign], "MANDATORY_NOT_FOUND"), (["ids": ids], "MANDATORY_NOT_FOUND"),
                (["ids": ids, "assign_to": ["id": "3"]], "INVALID_DATA"), (["ids": ["5"], "assign_to": assign], "INVALID_DATA"),
                (["ids": ["x"], "assign_to": assign], "INVALID_DATA"), (["ids": tooMany, "assign_to": assign], "LIMIT_EXCEEDED"),
                (["ids": ids, "assign_to": assign, "portal_user_type": ["id": "4"]], "INVALID_DATA"),
                (["ids": ids, "assign_to": assign, "Deals": ["Deal_Name": "x"]], "MANDATORY_NOT_FOUND"),
                (["ids": ids, "assign_to": assign, "carry_over_tags": [["api_name": "Tasks"]]], "INVALID_DATA"),
                (
                    ["ids": ids, "assign_to": assign, "related_modules": [["api_name": "Tasks", "id": .string("1")]]], "INVALID_DATA"
                ),
                (
                    [
                        "ids": ids, "assign_to": assign,
                        "related_modules": [
                            [
                                "api_name": "Tasks",
                                "id": .string(String(bench.server.services.catalog.current().module("Calls")?.id.raw ?? 0)),
                            ]
                        ],
                    ], "AMBIGUITY_DURING_PROCESSING"
                ),
            ]
            for (body, code) in cases {
                let answer = await bench.send("POST", path, body)
                #expect(answer.status == 400 && answer.json?["code"]?.string == code, "\(body.text.prefix(150)): \(answer.text)")
            }
            let started = await bench.send(
                "POST", path,
                [
                    "ids": ids, "assign_to": assign, "Deals": ConversionBench.deal(), "carry_over_tags": [["api_name": "Contacts"]],
                    "related_modules": [["api_name": "Tasks"]], "move_attachments_to": ["api_name": "Contacts"],
                ])
            #expect(started.status == 200 && started.json?["code"] == "SCHEDULED", "\(started.text)")
            #expect(started.json?["message"] == "Mass Convert scheduled successfully")
            let job = started.json?["details"]?["job_id"]?.string ?? ""
            #expect(
                await bench.send("GET", "\(path)?job_id=\(job)").rows.first == [
                    "Status": "SCHEDULED", "Failed_Count": 0, "Not_Converted_Count": 4, "Total_Count": 4, "Converted_Count": 0,
                ])
            await bench.records.drain()
            #expect(
                await bench.send("GET", "\(path)?job_id=\(job)").rows.first == [
                    "Status": "COMPLETED", "Failed_Count": 1, "Not_Converted_Count": 0, "Total_Count": 4, "Converted_Count": 3,
                ])
            let lead = await bench.get("Leads", leads[0])
            let contact = await bench.get("Contacts", lead["Converted_Contact"]?["id"]?.string ?? "")
            #expect(contact["Owner"]?["id"]?.string == owner.description && contact["Tag"]?.array?.first?["name"] == "hot")
            #expect(lead["Converted_Deal"]?["name"] == "Acme deal")
            #expect(await bench.get("Tasks", task)["Owner"]?["id"]?.string == owner.description)
            let entries = await bench.send("GET", "Leads/\(leads[0])/__timeline").json?["__timeline"]?.array ?? []
            #expect(entries.contains { $0["action"] == "converted" && $0["source"] == "massconvert" })
            #expect(await bench.send("GET", path).json?["code"] == "REQUIRED_PARAM_MISSING")
            for id in ["5", "x"] {
                let unknown = await bench.send("GET", "\(path)?job_id=\(id)")
                #expect(unknown.status == 400 && unknown.json?["code"] == "INVALID_DATA")
            }
            let narrow = try await bench.server.token("ZohoCRM.mass_convert.quotes.ALL,ZohoCRM.modules.ALL")
            #expect(await bench.server.send("POST", "/crm/v7/\(path)", ["ids": ids], token: narrow).status == 401)
            let reading = try await bench.server.token("ZohoCRM.mass_convert.leads.READ")
            #expect(await bench.server.send("GET", "/crm/v7/\(path)?job_id=\(job)", token: reading).status == 200)
        }
    }

    /// mass-update, mass-delete: views leave converted leads alone, unless they are about them.
    @Test(arguments: TestServer.engines)
    func massActionsOnViewsLeaveConvertedLeadsAlone(_ engine: Database.Engine) async throws {
        try await ConversionBench.with(engine) { bench in
            let token = try await bench.server.token(ConversionBench.scopes + ",ZohoCRM.mass_update.ALL,ZohoCRM.mass_delete.ALL")
            let lead = try await bench.add("Leads", ["Last_Name": "Kim"])
            let open = try await bench.add("Leads", ["Last_Name": "Open"])
            #expect(await bench.convert(lead).status == 200)
            let views = await bench.send("GET", "settings/custom_views?module=Leads").json?["custom_views"]?.array ?? []
            let view = views.first { $0["system_name"]?.string == "RECENTLYCREATED" }?["id"] ?? .null
            func send(_ method: String, _ path: String, _ body: JSONValue? = nil) async -> TestServer.Answer {
                await bench.server.send(method, "/crm/v7/Leads/actions/\(path)", body, token: token)
            }
            let started = await send("POST", "mass_update", ["data": [["Industry": "Energy"]], "cvid": view])
            let job = started.rows.first?["details"]?["job_id"]?.string ?? ""
            await bench.records.drain()
            let status = await send("GET", "mass_update?job_id=\(job)").rows.first
            #expect(status?["Total_Count"] == 1 && status?["Updated_Count"] == 1 && status?["Failed_Count"] == 0, "\(started.text)")
            let named = await send("POST", "mass_update", ["data": [["Industry": "Energy"]], "ids": [.string(lead), .string(open)]])
            #expect(named.codes == ["CONVERTED_RECORD", "SUCCESS"])
            _ = await send("POST", "mass_delete", ["cvid": view])
            await bench.records.drain()
            #expect(await bench.send("GET", "Leads?fields=id&converted=both").rows.compactMap { $0["id"]?.string } == [lead])
        }
    }
}
