import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Custom fields. Contract: fields, U6 to U9; `metadata/types.md`, "POST /settings/fields".
@Suite struct ShapeFieldsTests {
    private static let everyType: [JSONValue] = [
        ["field_label": "Nick", "data_type": "text", "length": 20],
        ["field_label": "Story", "data_type": "textarea", "textarea": ["type": "large"]],
        ["field_label": "Other mail", "data_type": "email"], ["field_label": "Other phone", "data_type": "phone"],
        ["field_label": "Site", "data_type": "website"],
        [
            "field_label": "Region", "data_type": "picklist",
            "pick_list_values": [["display_value": "East", "actual_value": "E"], ["display_value": "West"]],
        ],
        [
            "field_label": "Likes", "data_type": "multiselectpicklist",
            "pick_list_values": [["display_value": "Tea"], ["display_value": "Rye"]],
        ],
        ["field_label": "Due", "data_type": "date"], ["field_label": "Seen", "data_type": "datetime"],
        ["field_label": "Size", "data_type": "integer", "length": 4],
        ["field_label": "Serial", "data_type": "bigint"], ["field_label": "Weight", "data_type": "double", "decimal_place": 3],
        ["field_label": "Share", "data_type": "percent"],
        ["field_label": "Fee", "data_type": "currency", "currency": ["rounding_option": "normal"]],
        ["field_label": "Vip", "data_type": "boolean"],
        ["field_label": "No", "data_type": "autonumber", "auto_number": ["start_number": 7, "prefix": "N"]],
        ["field_label": "Twice", "data_type": "formula", "formula": ["return_type": "double", "expression": "${Size} * 2"]],
        [
            "field_label": "Friend", "data_type": "lookup",
            "lookup": ["module": ["api_name": "Contacts"], "display_label": "Friends of leads"],
        ],
        ["field_label": "Helper", "data_type": "userlookup"], ["field_label": "Papers", "data_type": "fileupload", "length": 5],
        ["field_label": "Photos", "data_type": "imageupload"],
    ]

    @Test(arguments: TestServer.engines)
    func fieldsOfEveryTypeAreMadeAndHoldValuesAtOnce(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let all = Self.everyType
            for start in stride(from: 0, to: all.count, by: 5) {
                let made = await org.makeFields("Leads", Array(all[start..<min(start + 5, all.count)]), token)
                #expect(made.status == 201, "\(made.text)")
            }
            let fields = await server.send("GET", "/crm/v7/settings/fields?module=Leads", token: token).json?["fields"]?.array ?? []
            let custom = Dictionary(
                fields.filter { $0["custom_field"] == true }.map { ($0["api_name"]?.string ?? "", $0) }, uniquingKeysWith: { $1 })
            #expect(custom.count == all.count)
            #expect(custom["Other_mail"]?["length"] == 100 && custom["Nick"]?["length"] == 20 && custom["Story"]?["length"] == 32000)
            #expect(custom["Region"]?["pick_list_values"]?.array?.map { $0["display_value"]?.string } == ["-None-", "East", "West"])
            #expect(
                custom["Friend"]?["lookup"]?["api_name"] == "Friends_of_leads"
                    && custom["Friend"]?["lookup"]?["module"]?["api_name"] == "Contacts")
            #expect(custom["Nick"]?["columns"] == nil && custom["Friend"]?["lookup"]?["module"]?["id"] != nil)
            let layout = await server.send("GET", "/crm/v7/settings/layouts?module=Leads", token: token)
            let shown =
                layout.json?["layouts"]?.array?.first?["sections"]?.array?.flatMap { $0["fields"]?.array ?? [] }.compactMap {
                    $0["api_name"]?.string
                } ?? []
            #expect(Set(custom.keys).isSubset(of: shown))

            let friend = await org.insert("Contacts", [["Last_Name": "Ito"]], token)[0]
            let values: JSONValue = [
                "Last_Name": "Kim", "Company": "K", "Nick": "kk", "Story": "long", "Other_mail": "a@b.example", "Other_phone": "+1 2",
                "Site": "a.example", "Region": "E",
                "Likes": ["Tea", "Rye"], "Due": "2026-02-03", "Seen": "2026-02-03T04:05:06Z", "Size": 1234, "Serial": "123456789012345678",
                "Weight": 1.25, "Share": 12.5,
                "Fee": 10.999, "Vip": true, "Friend": ["id": .string(friend)],
                "Helper": ["id": .string(String(server.administrator.id.raw))], "No": "ignored",
            ]
            let lead = await org.insert("Leads", [values], token)[0]
            let record = try #require(await org.record("Leads", lead, token))
            #expect(
                record["Region"] == "East" && record["Likes"] == ["Tea", "Rye"] && record["Size"] == 1234
                    && record["Serial"] == "123456789012345678")
            #expect(
                record["Fee"] == 10.99 && record["Vip"] == true && record["Friend"]?["name"] == "Ito" && record["No"] == "N7"
                    && record["Twice"]?.double == 2468)
            #expect(record["Helper"]?["email"]?.string == server.administrator.email)
            let back = await server.send("GET", "/crm/v7/Contacts/\(friend)/Friends_of_leads?fields=Last_Name", token: token)
            #expect(back.json?["data"]?.array?.first?["id"]?.string == lead, "\(back.text)")
            let found = await server.send(
                "GET", "/crm/v7/Leads/search?criteria=((Size:equals:1234)and(Due:equals:2026-02-03))",
                token: try await Organisation.searchToken(server))
            #expect(found.json?["data"]?.array?.count == 1, "\(found.text)")
            let bad = await server.send(
                "POST", "/crm/v7/Leads",
                [
                    "data": [
                        ["Last_Name": "A", "Size": 12345], ["Last_Name": "A", "Friend": "12"],
                        ["Last_Name": "A", "Nick": .string(String(repeating: "n", count: 21))],
                    ]
                ], token: token)
            #expect(bad.status == 400 && bad.json?["data"]?.array?.allSatisfy { $0["code"] == "INVALID_DATA" } == true)
        }
    }

    /// U6, errors.
    @Test(arguments: TestServer.engines)
    func badFieldsAreRefusedEachForItself(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            func text(_ more: [(String, JSONValue)]) -> JSONValue {
                var field: JSONValue = ["field_label": "Nick", "data_type": "text"]
                for (key, value) in more { field[key] = value }
                return field
            }
            let cases: [(JSONValue, String)] = [
                (["data_type": "text"], "MANDATORY_NOT_FOUND"), (["field_label": "Nick"], "MANDATORY_NOT_FOUND"),
                (text([("data_type", "colour")]), "INVALID_DATA"),
                (text([("field_label", "a<b>")]), "INVALID_DATA"), (text([("field_label", "Company")]), "DUPLICATE_DATA"),
                (text([("api_name", "Company")]), "DUPLICATE_DATA"),
                (text([("api_name", "a__b")]), "INVALID_DATA"), (text([("api_name", "select")]), "RESERVED_KEYWORD_NOT_ALLOWED"),
                (text([("length", 256)]), "DEPENDENT_MISMATCH"),
                (text([("data_type", "integer"), ("length", 10)]), "DEPENDENT_MISMATCH"),
                (text([("data_type", "double"), ("decimal_place", 10)]), "INVALID_DATA"),
                (text([("data_type", "textarea")]), "DEPENDENT_FIELD_MISSING"),
                (text([("data_type", "autonumber")]), "DEPENDENT_FIELD_MISSING"),
                (text([("data_type", "autonumber"), ("auto_number", ["prefix": "a"])]), "DEPENDENT_FIELD_MISSING"),
                (text([("data_type", "formula")]), "DEPENDENT_FIELD_MISSING"),
                (text([("data_type", "formula"), ("formula", ["return_type": "double", "expression": "${Nope}"])]), "INVALID_DATA"),
                (text([("data_type", "currency")]), "DEPENDENT_FIELD_MISSING"),
                (text([("data_type", "picklist")]), "EXPECTED_DEPENDENT_FIELD_MISSING"),
                (
                    text([("data_type", "picklist"), ("pick_list_values", [["display_value": "a"]]), ("global_picklist", ["id": "1"])]),
                    "AMBIGUITY_DURING_PROCESSING"
                ),
                (
                    text([("data_type", "picklist"), ("pick_list_values", [["display_value": "a"], ["display_value": "a"]])]),
                    "DUPLICATE_DATA"
                ),
                (text([("data_type", "picklist"), ("global_picklist", ["id": "1"])]), "INVALID_DATA"),
                (text([("data_type", "lookup")]), "DEPENDENT_FIELD_MISSING"),
                (text([("data_type", "lookup"), ("lookup", ["module": ["api_name": "Nope"], "display_label": "x"])]), "INVALID_DATA"),
                (text([("data_type", "lookup"), ("lookup", ["module": ["api_name": "Contacts"]])]), "MANDATORY_NOT_FOUND"),
                (
                    text([
                        ("data_type", "lookup"),
                        (
                            "lookup",
                            [
                                "module": [
                                    "api_name": "Contacts",
                                    "id": .string(String(server.services.catalog.current().module("Leads")?.id.raw ?? 0)),
                                ], "display_label": "x",
                            ]
                        ),
                    ]), "AMBIGUITY_DURING_PROCESSING"
                ),
                (text([("profiles", [["id": "1"]])]), "INVALID_DATA"),
                (text([("tooltip", ["name": "static_text", "value": .string(String(repeating: "t", count: 36))])]), "INVALID_DATA"),
                (text([("data_type", "boolean"), ("unique", ["case_sensitive": false])]), "NOT_ALLOWED"),
                (text([("data_type", "textarea"), ("textarea", ["type": "small"]), ("filterable", true)]), "NOT_ALLOWED"),
                (text([("data_type", "boolean"), ("crypt", ["mode": "encryption"])]), "NOT_SUPPORTED"),
                (text([("data_type", "email"), ("external", ["type": "user", "show": true])]), "NOT_ALLOWED"),
            ]
            for (field, code) in cases {
                let answer = await org.makeFields("Leads", [field], token)
                let result = answer.json?["fields"]?.array?.first
                #expect(result?["code"]?.string == code, "\(field.text) \(answer.text)")
                #expect(answer.status == (code == "NOT_SUPPORTED" ? 403 : 400))
            }
            #expect(server.services.catalog.current().module("Leads")?.fields.contains(where: \.custom) == false)
            let mixed = await org.makeFields(
                "Leads",
                [
                    ["field_label": "One", "data_type": "text"], ["field_label": "one", "data_type": "text"],
                    ["field_label": "Two", "data_type": "date"],
                ], token)
            #expect(mixed.status == 207)
            #expect(mixed.json?["fields"]?.array?.map { $0["code"]?.string } == ["SUCCESS", "DUPLICATE_DATA", "SUCCESS"])
            let six = Array(repeating: ["field_label": "X", "data_type": "text"] as JSONValue, count: 6)
            #expect(await org.makeFields("Leads", six, token).json?["code"] == "LIMIT_EXCEEDED")
            #expect(
                await server.send("POST", "/crm/v7/settings/fields", ["fields": [text([])]], token: token).json?["code"]
                    == "REQUIRED_PARAM_MISSING")
            #expect(await org.makeFields("Nope", [text([])], token).json?["code"] == "INVALID_MODULE")
            #expect(
                await org.makeFields("Calls", [text([("external", ["type": "user", "show": true])])], token).json?["fields"]?.array?.first?[
                    "code"] == "NOT_ALLOWED")
            #expect(await org.makeFields("Leads", [text([])], try await server.token("ZohoCRM.settings.modules.ALL")).status == 401)
            let (_, rep) = try await org.user("rep@x.example", profile: org.standard)
            #expect(await org.makeFields("Leads", [text([])], rep).status == 403)
        }
    }

    /// U7: a field becomes unique only when its values are; what is fixed at birth stays.
    @Test(arguments: TestServer.engines)
    func fieldsChangeWithinTheirRules(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let made = await org.makeFields(
                "Leads",
                [
                    ["field_label": "Code", "data_type": "text"],
                    [
                        "field_label": "Tier", "data_type": "picklist",
                        "pick_list_values": [["display_value": "Gold"], ["display_value": "Tin", "actual_value": "T"]],
                    ],
                ], token)
            let ids = (made.json?["fields"]?.array ?? []).map { $0["details"]?["id"]?.string ?? "" }
            let leads = await org.insert("Leads", [["Last_Name": "A", "Code": "x", "Tier": "T"], ["Last_Name": "B", "Code": "X"]], token)
            func patch(_ id: String, _ body: JSONValue) async -> TestServer.Answer {
                await server.send("PATCH", "/crm/v7/settings/fields/\(id)?module=Leads", ["fields": [body]], token: token)
            }
            let twice = await patch(ids[0], ["unique": ["case_sensitive": false]])
            #expect(twice.json?["fields"]?.array?.first?["code"] == "NOT_ALLOWED" && twice.status == 400)
            await server.send("PUT", "/crm/v7/Leads/\(leads[1])", ["data": [["Code": "y"]]], token: token)
            #expect(await patch(ids[0], ["unique": ["case_sensitive": false]]).status == 200)
            let taken = await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "C", "Code": "X"]]], token: token)
            #expect(taken.json?["data"]?.array?.first?["code"] == "DUPLICATE_DATA")
            #expect(taken.json?["data"]?.array?.first?["details"]?["duplicate_record"]?["id"]?.string == leads[0])
            #expect(await patch(ids[0], ["unique": ["case_sensitive": false, "_disable": .null]]).status == 200)
            #expect(await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "C", "Code": "X"]]], token: token).status == 201)

            for (body, code) in [
                (["data_type": "integer"], "NOT_ALLOWED"), (["api_name": "Other"], "NOT_ALLOWED"),
                (["field_label": "Company"], "DUPLICATE_DATA"), (["field_label": "a@b"], "INVALID_DATA"),
                (["length": 300], "DEPENDENT_MISMATCH"), (["external": ["type": "user"]], "NOT_ALLOWED"),
            ] as [(JSONValue, String)] {
                #expect(await patch(ids[0], body).json?["fields"]?.array?.first?["code"]?.string == code, "\(body.text)")
            }
            let company = try #require(server.services.catalog.current().module("Leads")?.field("Company")?.id.raw)
            #expect(await patch(String(company), ["field_label": "Firm"]).json?["fields"]?.array?.first?["code"] == "NOT_ALLOWED")
            #expect(await patch("12", ["field_label": "Firm"]).json?["fields"]?.array?.first?["code"] == "INVALID_DATA")
            #expect(
                await server.send("PATCH", "/crm/v7/settings/fields?module=Leads", ["fields": [["field_label": "Z"]]], token: token).json?[
                    "fields"]?.array?.first?["code"] == "MANDATORY_NOT_FOUND")

            // An option added, and one renamed: records take the new text.
            let options = await server.send(
                "PATCH", "/crm/v7/settings/fields?module=Leads",
                [
                    "fields": [
                        [
                            "id": .string(ids[1]),
                            "pick_list_values": [
                                ["display_value": "North", "actual_value": "N"], ["actual_value": "T", "display_value": "Bronze"],
                            ],
                        ]
                    ]
                ], token: token)
            #expect(options.status == 200, "\(options.text)")
            await JobWorker(server.services).drain()
            #expect(await org.record("Leads", leads[0], token)?["Tier"] == "Bronze")
            let values = await server.send("GET", "/crm/v7/settings/fields/\(ids[1])/pick_list_values?module=Leads", token: token)
            #expect(values.json?["pick_list_values"]?.array?.map { $0["display_value"]?.string } == ["-None-", "Gold", "Bronze", "North"])
            // Options go from global picklists only; elsewhere nothing is passed over in silence.
            let gold = values.json?["pick_list_values"]?.array?[1]["id"] ?? .null
            let gone = await patch(ids[1], ["pick_list_values": [["id": gold, "_delete": .null]]]).json?["fields"]?.array?.first
            #expect(gone?["code"] == "NOT_ALLOWED", "\(gone?.text ?? "")")
            #expect(gone?["details"]?["json_path"] == "$.fields[0].pick_list_values[0]._delete", "\(gone?.text ?? "")")
            let misshapen = await server.send(
                "PATCH", "/crm/v7/settings/fields?module=Leads", ["fields": [["id": true, "field_label": "Z"]]], token: token)
            #expect(misshapen.json?["fields"]?.array?.first?["details"]?["expected_data_type"] == "bigint", "\(misshapen.text)")
            #expect(values.json?["pick_list_values"]?.array?.first?["layout_associations"]?.array?.first?["api_name"] == "Standard__s")
            #expect(
                await server.send("GET", "/crm/v7/settings/fields/\(ids[0])/pick_list_values?module=Leads", token: token).json?["code"]
                    == "INVALID_DATA")
            #expect(
                await server.send("GET", "/crm/v7/settings/fields/\(ids[1])/pick_list_values", token: token).json?["code"]
                    == "REQUIRED_PARAM_MISSING")
        }
    }

    /// At most two unique fields and one autonumber (U6, limits); old records may be numbered.
    @Test(arguments: TestServer.engines)
    func countsAreLimitedAndOldRecordsNumbered(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let old = await org.insert("Leads", [["Last_Name": "A"], ["Last_Name": "B"]], token)
            await org.makeFields("Leads", [["field_label": "Vip", "data_type": "boolean"]], token)
            #expect(await org.record("Leads", old[0], token)?["Vip"] == false)
            func unique(_ label: String) -> JSONValue {
                ["field_label": .string(label), "data_type": "text", "unique": ["case_sensitive": false]]
            }
            let three = await org.makeFields("Leads", [unique("U1"), unique("U2"), unique("U3")], token)
            #expect(three.json?["fields"]?.array?.map { $0["code"]?.string } == ["SUCCESS", "SUCCESS", "LIMIT_EXCEEDED"])
            func number(_ label: String) -> JSONValue {
                [
                    "field_label": .string(label), "data_type": "autonumber", "auto_number": ["start_number": "10", "prefix": "L"],
                    "_update_existing_records": true,
                ]
            }
            let two = await org.makeFields("Leads", [number("N1"), number("N2")], token)
            #expect(two.json?["fields"]?.array?.map { $0["code"]?.string } == ["SUCCESS", "LIMIT_EXCEEDED"])
            let new = await org.insert("Leads", [["Last_Name": "C"]], token)
            var numbers: [String?] = []
            for id in old + new { numbers.append(await org.record("Leads", id, token)?["N1"]?.string) }
            #expect(numbers == ["L10", "L11", "L12"])
        }
    }

    /// U8: the definition goes, the column waits; the name is free again and old values do not come back.
    @Test(arguments: TestServer.engines)
    func aDeletedFieldIsGoneAndItsNameFree(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let made = await org.makeFields(
                "Leads",
                [
                    ["field_label": "Code", "data_type": "text", "unique": ["case_sensitive": false]],
                    [
                        "field_label": "Friend", "data_type": "lookup",
                        "lookup": ["module": ["api_name": "Contacts"], "display_label": "Friends"],
                    ], ["field_label": "Sum", "data_type": "formula", "formula": ["return_type": "text", "expression": "${Code}"]],
                ], token)
            let ids = (made.json?["fields"]?.array ?? []).map { $0["details"]?["id"]?.string ?? "" }
            let lead = await org.insert("Leads", [["Last_Name": "A", "Code": "x"]], token)[0]
            func delete(_ id: String) async -> TestServer.Answer {
                await server.send("DELETE", "/crm/v7/settings/fields/\(id)?module=Leads", token: token)
            }
            #expect(await delete(ids[0]).json?["fields"]?.array?.first?["code"] == "NOT_ALLOWED")
            #expect(await delete(ids[2]).json?["fields"]?.array?.first?["message"] == "field deleted")
            #expect(await delete(ids[0]).status == 200)
            #expect(await delete(ids[1]).status == 200)
            #expect(await delete(ids[0]).json?["fields"]?.array?.first?["code"] == "INVALID_DATA")
            let company = server.services.catalog.current().module("Leads")?.field("Company")?.id.raw ?? 0
            #expect(await delete(String(company)).json?["fields"]?.array?.first?["code"] == "NOT_ALLOWED")
            #expect(
                await server.send("DELETE", "/crm/v7/settings/fields/\(company)", token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(await org.record("Leads", lead, token)?["Code"] == nil)
            let catalog = server.services.catalog.current()
            #expect(catalog.module("Contacts").flatMap { catalog.relatedList("Friends", of: $0.id) } == nil)
            #expect(
                await org.makeFields("Leads", [["field_label": "Code", "data_type": "text", "unique": ["case_sensitive": false]]], token)
                    .status == 201)
            #expect(await org.record("Leads", lead, token)?["Code"] == .null)
            // The columns go when somebody asks, and not while a request may still read by the old catalog.
            #expect(try await Compaction(server.services).run() == ["dropped": [], "waiting": 3])
            let dropped = try await Compaction(server.services, restMilliseconds: -1).run()
            #expect(dropped["dropped"]?.array?.count == 3 && dropped["waiting"] == 0, "\(dropped.text)")
            #expect(await org.record("Leads", lead, token)?["Last_Name"] == "A")
            #expect(await org.insert("Leads", [["Last_Name": "B", "Code": "x"]], token).count == 1)
        }
    }
}
