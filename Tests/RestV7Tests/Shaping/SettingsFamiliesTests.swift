import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Settings families made of descriptors, each with its behaviour.
@Suite struct SettingsFamiliesTests {
    /// Variables, 19 to 23: typed values, addressed by id or name, with their group.
    @Test(arguments: TestServer.engines)
    func variablesAreTyped(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let path = "/crm/v7/settings/variables"
            #expect(await server.send("GET", path, token: token).status == 204)
            let groups = await server.send("GET", "/crm/v7/settings/variable_groups", token: token)
            let group = try #require(groups.json?["variable_groups"]?.array?.first)
            #expect(group["api_name"] == "General")
            #expect(
                await server.send("GET", "/crm/v7/settings/variable_groups/General", token: token).json?["variable_groups"]?.array?.first?[
                    "id"] == group["id"])
            func variable(_ name: String, _ type: JSONValue, _ value: JSONValue) -> JSONValue {
                [
                    "name": .string(name), "api_name": .string(name), "variable_group": ["id": group["id"] ?? .null], "type": type,
                    "value": value,
                ]
            }
            let made = await server.send(
                "POST", path,
                [
                    "variables": [
                        variable("Region", "text", "EMEA"), variable("Quota", "integer", 12), variable("Open", "checkbox", true),
                        variable("Day", "date", "2026-02-30"), variable("Odd", "colour", "x"), variable("region", "text", ""),
                    ]
                ], token: token)
            #expect(made.status == 207)
            #expect(
                made.json?["variables"]?.array?.map { $0["code"]?.string } == [
                    "SUCCESS", "SUCCESS", "SUCCESS", "INVALID_DATA", "PATTERN_NOT_MATCHED", "DUPLICATE_DATA",
                ])
            #expect(made.json?["variables"]?.array?.first?["message"] == "variable added")
            let id = made.json?["variables"]?.array?.first?["details"]?["id"]?.string ?? ""
            let lacking = await server.send(
                "POST", path, ["variables": [["name": "A", "variable_group": ["name": "General"]]]], token: token)
            #expect(lacking.status == 400 && lacking.json?["variables"]?.array?.first?["code"] == "REQUIRED_PARAM_MISSING")
            let listed = await server.send("GET", path + "?group=General", token: token)
            #expect(listed.json?["variables"]?.array?.map { $0["value"]?.string } == ["EMEA", "12", "true"])
            #expect(
                listed.json?["variables"]?.array?.first?["variable_group"]?["api_name"] == "General"
                    && listed.json?["variables"]?.array?.first?["description"] == .null)
            #expect(await server.send("GET", path + "/Region", token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(
                await server.send("GET", path + "/Region?group=General", token: token).json?["variables"]?.array?.first?["id"]?.string == id
            )
            #expect(await server.send("GET", path + "/\(id)?group=Other", token: token).status == 204)

            let changed = await server.send(
                "PUT", path,
                ["variables": [["id": .string(id), "value": "APAC", "type": "integer"], ["value": "x"], ["id": "1", "value": "x"]]],
                token: token)
            #expect(changed.json?["variables"]?.array?.map { $0["code"]?.string } == ["SUCCESS", "MANDATORY_NOT_FOUND", "INVALID_DATA"])
            let one = await server.send("PUT", path + "/Quota", ["variables": [["value": "many"]]], token: token)
            #expect(one.status == 400 && one.json?["variables"]?.array?.first?["details"]?["json_path"] == "$.variables[0].value")
            #expect(
                await server.send("PUT", path + "/Quota", ["variables": [["name": "Region"]]], token: token).json?["variables"]?.array?
                    .first?["code"] == "DUPLICATE_DATA")
            let after = await server.send("GET", path + "/Region?group=General", token: token).json?["variables"]?.array?.first
            #expect(after?["value"] == "APAC" && after?["type"] == "text")

            #expect(await server.send("DELETE", path, token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(await server.send("DELETE", path + "?ids=a", token: token).json?["code"] == "UNABLE_TO_PARSE_DATA_TYPE")
            #expect(
                await server.send("DELETE", path + "?ids=\(id),1", token: token).json?["variables"]?.array?.map { $0["code"]?.string } == [
                    "SUCCESS", "INVALID_DATA",
                ])
            #expect(
                await server.send("DELETE", path + "/Quota", token: token).json?["variables"]?.array?.first?["message"]
                    == "variable deleted")
            #expect(await server.send("GET", path, token: token).json?["variables"]?.array?.count == 1)
            #expect(await server.send("GET", path, token: try await server.token("ZohoCRM.settings.roles.ALL")).status == 401)
            let (_, rep) = try await Organisation(server).user("rep@x.example", profile: Organisation(server).standard)
            #expect(await server.send("POST", path, ["variables": [variable("B", "text", "")]], token: rep).status == 403)
        }
    }

    /// Roles, U22 to U25: one tree, never a circle; users of a deleted role take another.
    @Test(arguments: TestServer.engines)
    func rolesFormOneTree(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let path = "/crm/v7/settings/roles"
            let org = try Organisation(server)
            let roles = server.services.catalog.current().documents(.role)
            let ceo = roles[0].id
            let manager = roles[1].id
            func make(_ name: String, _ above: RecordID?) async -> TestServer.Answer {
                var body: JSONValue = ["name": .string(name)]
                if let above { body["reporting_to"] = .id(above) }
                return await server.send("POST", path, ["roles": [body]], token: token)
            }
            let lead = await make("Sales Lead", manager)
            #expect(lead.status == 201 && lead.json?["roles"]?.array?.first?["message"] == "Role added")
            let leadID = try #require(lead.json?["roles"]?.array?.first?["details"]?["id"]?.string)
            let rep = try #require(await make("Rep", RecordID(leadID)).json?["roles"]?.array?.first?["details"]?["id"]?.string)
            let shown = await server.send("GET", path + "/\(leadID)", token: token).json?["roles"]?.array?.first
            #expect(
                shown?["reporting_to"]?["name"] == "Manager" && shown?["share_with_peers"] == false && shown?["created_by__s"]?["id"] != nil
            )
            #expect(await make("Sales Lead", nil).json?["roles"]?.array?.first?["code"] == "DUPLICATE_DATA")
            #expect(await make("Sales#", nil).json?["roles"]?.array?.first?["code"] == "INVALID_DATA")
            #expect(
                await make("Other", RecordID(raw: 12)).json?["roles"]?.array?.first?["details"]?["json_path"] == "$.roles[0].reporting_to")
            #expect(
                await server.send("POST", path, ["roles": [[:]]], token: token).json?["roles"]?.array?.first?["code"]
                    == "MANDATORY_NOT_FOUND")

            func put(_ id: String, _ body: JSONValue) async -> TestServer.Answer {
                await server.send("PUT", path + "/\(id)", ["roles": [body]], token: token)
            }
            for (id, above) in [(leadID, leadID), (leadID, rep), (manager.description, rep), (ceo.description, rep)] {
                #expect(await put(id, ["reporting_to": ["id": .string(above)]]).json?["roles"]?.array?.first?["code"] == "INVALID_DATA")
            }
            #expect(await put(leadID, ["name": "Head of Sales"]).json?["roles"]?.array?.first?["message"] == "Role updated")
            #expect(
                await server.send("GET", path + "/\(rep)", token: token).json?["roles"]?.array?.first?["reporting_to"]?["name"]
                    == "Head of Sales")
            #expect(
                await server.send("PUT", path, ["roles": [["name": "X"]]], token: token).json?["roles"]?.array?.first?["code"]
                    == "MANDATORY_NOT_FOUND")
            #expect(await put("12", ["name": "X"]).json?["roles"]?.array?.first?["code"] == "INVALID_DATA")

            let (user, _) = try await org.user("u@x.example", profile: org.standard, role: RecordID(leadID))
            func delete(_ id: String, _ query: String) async -> TestServer.Answer {
                await server.send("DELETE", path + "/\(id)\(query)", token: token)
            }
            #expect(await delete(leadID, "").json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(await delete(leadID, "?transfer_to_id=x").json?["code"] == "UNABLE_TO_PARSE_DATA_TYPE")
            #expect(await delete(leadID, "?transfer_to_id=12").json?["roles"]?.array?.first?["code"] == "INVALID_DATA")
            #expect(await delete("12", "?transfer_to_id=\(ceo)").json?["roles"]?.array?.first?["code"] == "INVALID_DATA")
            #expect(await delete(ceo.description, "?transfer_to_id=\(manager)").json?["roles"]?.array?.first?["code"] == "NOT_ALLOWED")
            #expect(await delete(leadID, "?transfer_to_id=\(ceo)").json?["roles"]?.array?.first?["message"] == "Role Deleted")
            let catalog = server.services.catalog.current()
            #expect(catalog.user(UserID(raw: user.raw))?.role == ceo)
            #expect(catalog.documents(.role).first { $0.id.description == rep }?.body["reporting_to"]?["id"]?.string == manager.description)
        }
    }

    /// Duplicate check, 28 to 31 and `duplicates.md` A3: a lead is refused for a contact's unique value.
    @Test(arguments: TestServer.engines)
    func theDuplicateCheckWidensWhatIsRefused(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let catalog = server.services.catalog.current()
            let path = "/crm/v7/settings/duplicate_check_preference?module=Leads"
            func email(_ module: String) -> String { String(catalog.module(module)?.field("Email")?.id.raw ?? 0) }
            let wanted: JSONValue = [
                "duplicate_check_preference": [
                    "type": "mapped_module_records",
                    "type_configurations": [
                        [
                            "mapped_module": ["api_name": "Contacts"],
                            "field_mappings": [
                                ["current_field": ["api_name": "Email"], "mapped_field": ["id": .string(email("Contacts"))]]
                            ],
                        ]
                    ],
                ]
            ]
            #expect(await server.send("GET", path, token: token).status == 204)
            let early = await server.send("POST", path, wanted, token: token)
            #expect(early.status == 400 && early.json?["duplicate_check_preference"]?["code"] == "NOT_ALLOWED")
            for module in ["Leads", "Contacts"] {
                let made = await server.send(
                    "PATCH", "/crm/v7/settings/fields/\(email(module))?module=\(module)",
                    ["fields": [["unique": ["case_sensitive": false]]]], token: token)
                #expect(made.status == 200, "\(made.text)")
            }
            let org = try Organisation(server)
            let contact = await org.insert("Contacts", [["Last_Name": "Ito", "Email": "ito@x.example"]], token)[0]
            let free = await org.insert("Leads", [["Last_Name": "Free", "Email": "ito@x.example"]], token)
            #expect(free.count == 1)
            await server.send("DELETE", "/crm/v7/Leads/\(free[0])", token: token)
            let on = await server.send("POST", path, wanted, token: token)
            #expect(
                on.status == 200
                    && on.json?["duplicate_check_preference"]?["message"]
                        == "Duplicate check enabled for mapped_module_records successfully."
            )
            #expect(
                await server.send("POST", path, wanted, token: token).json?["duplicate_check_preference"]?["code"] == "ALREADY_CONFIGURED")
            let shown = await server.send("GET", path, token: token).json?["duplicate_check_preference"]
            #expect(shown?["type_configurations"]?.array?.first?["field_mappings"]?.array?.first?["mapped_field"]?["name"] == "Contacts")

            let mixed = await server.send(
                "POST", "/crm/v7/Leads",
                ["data": [["Last_Name": "A", "Email": "ITO@x.example"], ["Last_Name": "B", "Email": "b@x.example"]]], token: token)
            let clash = mixed.json?["data"]?.array?.first
            #expect(
                mixed.status == 207 && clash?["code"] == "DUPLICATE_DATA"
                    && clash?["details"]?["duplicate_record"]?["module"]?["api_name"] == "Contacts")
            #expect(clash?["details"]?["id"]?.string == contact)
            let lead = mixed.json?["data"]?.array?.last?["details"]?["id"]?.string ?? ""
            #expect(
                await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["Email": "ito@x.example"]]], token: token).json?["data"]?
                    .array?.first?["code"] == "DUPLICATE_DATA")
            #expect(await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["Last_Name": "C"]]], token: token).status == 200)
            let used = await server.send("GET", path, token: token)
            #expect(used.status == 200)

            let wrong: [(JSONValue, String)] = [
                (["type": "other"], "INVALID_DATA"), ([:], "MANDATORY_NOT_FOUND"),
                (["type": "mapped_module_records"], "DEPENDENT_FIELD_MISSING"),
                (
                    [
                        "type": "mapped_module_records",
                        "type_configurations": [["mapped_module": ["api_name": "Accounts"], "field_mappings": []]],
                    ], "FEATURE_NOT_SUPPORTED"
                ),
                (
                    [
                        "type": "mapped_module_records",
                        "type_configurations": [
                            [
                                "mapped_module": ["api_name": "Contacts"],
                                "field_mappings": [["current_field": [:], "mapped_field": ["api_name": "Email"]]],
                            ]
                        ],
                    ], "EXPECTED_FIELD_MISSING"
                ),
                (
                    [
                        "type": "mapped_module_records",
                        "type_configurations": [
                            [
                                "mapped_module": ["api_name": "Contacts"],
                                "field_mappings": [
                                    [
                                        "current_field": [
                                            "api_name": "Email",
                                            "id": .string(String(catalog.module("Leads")?.field("Phone")?.id.raw ?? 0)),
                                        ], "mapped_field": ["api_name": "Email"],
                                    ]
                                ],
                            ]
                        ],
                    ], "AMBIGUITY_DURING_PROCESSING"
                ),
            ]
            for (body, code) in wrong {
                let answer = await server.send("PUT", path, ["duplicate_check_preference": body], token: token)
                #expect(answer.json?["duplicate_check_preference"]?["code"]?.string == code, "\(answer.text)")
            }
            #expect(
                await server.send("PUT", path, wanted, token: token).json?["duplicate_check_preference"]?["message"]
                    == "Field mapping updated successfully.")
            #expect(
                await server.send("DELETE", path, token: token).json?["duplicate_check_preference"]?["message"]
                    == "Duplicate check disabled for mapped_module_records successfully.")
            #expect(await server.send("DELETE", path, token: token).json?["code"] == "FEATURE_NOT_SUPPORTED")
            #expect(
                await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "A", "Email": "ito@x.example"]]], token: token).status
                    == 201)
            #expect(
                await server.send("GET", "/crm/v7/settings/duplicate_check_preference", token: token).json?["code"]
                    == "REQUIRED_PARAM_MISSING")
            #expect(
                await server.send("GET", "/crm/v7/settings/duplicate_check_preference?module=Contacts", token: token).json?["code"]
                    == "NOT_SUPPORTED")
            #expect(await server.send("GET", path, token: try await server.token("ZohoCRM.settings.roles.ALL")).status == 401)
        }
    }

    /// Pipelines, 67 to 70: they decide which stages a deal may have, and take over each other's deals.
    @Test(arguments: TestServer.engines)
    func pipelinesDecideStages(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let catalog = server.services.catalog.current()
            let deals = try #require(catalog.module("Deals"))
            let layout = try #require(catalog.documents(.layout).first { $0.parent?.raw == deals.id.raw })
            let path = "/crm/v7/settings/pipeline"
            let query = "?layout_id=\(layout.id)"
            func stage(_ name: String) -> JSONValue {
                deals.field("Stage")?.body["pick_list_values"]?.array?.first { $0["display_value"]?.string == name }?["id"] ?? .null
            }
            let listed = await server.send("GET", path + query, token: token)
            let standard = try #require(listed.json?["pipeline"]?.array?.first)
            #expect(
                standard["default"] == true && standard["maps"]?.array?.first?["id"] == stage("Qualification")
                    && standard["maps"]?.array?.first?["forecast_type"] == "Open")
            let body: JSONValue = [
                "display_value": "Partners",
                "maps": [["id": stage("Closed Won"), "sequence_number": 2], ["id": stage("Qualification"), "sequence_number": 1]],
            ]
            let made = await server.send("POST", path + query, ["pipeline": [body]], token: token)
            #expect(made.status == 201 && made.json?["pipeline"]?.array?.first?["message"] == "Pipeline created", "\(made.text)")
            let id = made.json?["pipeline"]?.array?.first?["details"]?["id"]?.string ?? ""
            for (wrong, code) in [
                (["maps": []], "MANDATORY_NOT_FOUND"),
                (["display_value": "Partners", "maps": [["id": stage("Qualification"), "sequence_number": 1]]], "DUPLICATE_DATA"),
                (["display_value": "New", "maps": [["id": "12", "sequence_number": 1]]], "INVALID_DATA"),
                (["display_value": "New"], "MANDATORY_NOT_FOUND"),
            ] as [(JSONValue, String)] {
                #expect(
                    await server.send("POST", path + query, ["pipeline": [wrong]], token: token).json?["pipeline"]?.array?.first?["code"]?
                        .string == code)
            }
            #expect(await server.send("GET", path, token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(await server.send("GET", path + "?layout_id=12", token: token).json?["code"] == "INVALID_DATA")
            #expect(await server.send("GET", path + "/12" + query, token: token).status == 204)

            let mixed = await server.send(
                "POST", "/crm/v7/Deals",
                [
                    "data": [
                        ["Deal_Name": "A", "Stage": "Qualification", "Pipeline": "Partners"],
                        ["Deal_Name": "B", "Stage": "Needs Analysis", "Pipeline": "Partners"],
                        ["Deal_Name": "C", "Stage": "Needs Analysis"],
                    ]
                ], token: token)
            #expect(mixed.json?["data"]?.array?.map { $0["code"]?.string } == ["SUCCESS", "MAPPING_MISMATCH", "SUCCESS"], "\(mixed.text)")
            let deal = mixed.json?["data"]?.array?.first?["details"]?["id"]?.string ?? ""
            #expect(await org.record("Deals", deal, token)?["Probability"] == 10)

            let only = await server.send(
                "PUT", path + "/\(id)" + query,
                ["pipeline": [["display_value": "Partner deals", "maps": [["id": stage("Closed Won"), "_delete": .null]]]]], token: token)
            #expect(only.json?["pipeline"]?.array?.first?["message"] == "Pipeline updated", "\(only.text)")
            let last = await server.send(
                "PUT", path + "/\(id)" + query, ["pipeline": [["maps": [["id": stage("Qualification"), "_delete": .null]]]]], token: token)
            #expect(last.json?["pipeline"]?.array?.first?["code"] == "CANNOT_DELETE")
            await JobWorker(server.services).drain()
            #expect(await org.record("Deals", deal, token)?["Pipeline"] == "Partner deals")

            let move: JSONValue = [
                "pipeline": ["from": .string(id), "to": standard["id"] ?? .null],
                "stages": [["from": stage("Qualification"), "to": stage("Needs Analysis")]],
            ]
            let transfer = await server.send("POST", path + "/actions/transfer" + query, ["transfer_pipeline": [move]], token: token)
            #expect(
                transfer.status == 200 && transfer.json?["transfer_pipeline"]?.array?.first?["details"]?["job_id"] != nil,
                "\(transfer.text)")
            await JobWorker(server.services).drain()
            let moved = await org.record("Deals", deal, token)
            #expect(moved?["Pipeline"] == "Standard (Standard)" && moved?["Stage"] == "Needs Analysis" && moved?["Probability"] == 20)
            #expect(await server.send("GET", path + query, token: token).json?["pipeline"]?.array?.count == 1)
            #expect(
                await server.send(
                    "POST", path + "/actions/transfer" + query, ["transfer_pipeline": [["pipeline": ["from": .string(id), "to": "1"]]]],
                    token: token
                ).json?["transfer_pipeline"]?.array?.first?["code"] == "INVALID_DATA")
        }
    }

    /// Map dependency, 24 to 27: it limits which options go together on write.
    @Test(arguments: TestServer.engines)
    func dependenciesLimitOptions(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            func list(_ label: String, _ values: [String]) -> JSONValue {
                [
                    "field_label": .string(label), "data_type": "picklist",
                    "pick_list_values": .array(values.map { ["display_value": .string($0)] }),
                ]
            }
            await org.makeFields(
                "Leads",
                [list("Country", ["France", "Japan"]), list("Town", ["Paris", "Lyon", "Kyoto"]), list("Area", ["North"])].map { field in
                    var field = field
                    if field["field_label"] == "Country" { field["api_name"] = "Land" }
                    if field["field_label"] == "Country" { field["field_label"] = "Land" }
                    return field
                }, token)
            let catalog = server.services.catalog.current()
            let leads = try #require(catalog.module("Leads"))
            let layout = try #require(catalog.documents(.layout).first { $0.parent?.raw == leads.id.raw })
            func option(_ field: String, _ name: String) -> JSONValue {
                leads.field(field)?.body["pick_list_values"]?.array?.first { $0["display_value"]?.string == name }?["id"] ?? .null
            }
            let path = "/crm/v7/settings/layouts/\(layout.id)/map_dependency"
            let query = "?module=Leads"
            let body: JSONValue = [
                "parent": ["api_name": "Land"], "child": ["api_name": "Town"],
                "pick_list_values": [
                    ["id": option("Land", "France"), "maps": [["id": option("Town", "Paris")], ["id": option("Town", "Lyon")]]],
                    ["id": option("Land", "Japan"), "maps": [["id": option("Town", "Kyoto")]]],
                ],
            ]
            let made = await server.send("POST", path + query, ["map_dependency": [body]], token: token)
            #expect(
                made.status == 201 && made.json?["map_dependency"]?.array?.first?["message"] == "map dependency created", "\(made.text)")
            let id = made.json?["map_dependency"]?.array?.first?["details"]?["id"]?.string ?? ""
            let shown = await server.send("GET", path + "/\(id)" + query, token: token).json?["map_dependency"]?.array?.first
            #expect(
                shown?["pick_list_values"]?.array?.first?["maps"]?.array?.count == 2 && shown?["parent"]?["id"] != nil
                    && shown?["maps"] == nil)
            let written = await server.send(
                "POST", "/crm/v7/Leads",
                [
                    "data": [
                        ["Last_Name": "A", "Land": "France", "Town": "Kyoto"], ["Last_Name": "B", "Land": "Japan", "Town": "Kyoto"],
                        ["Last_Name": "C", "Town": "Kyoto"],
                    ]
                ], token: token)
            #expect(
                written.json?["data"]?.array?.map { $0["code"]?.string } == ["MAPPING_MISMATCH", "SUCCESS", "SUCCESS"], "\(written.text)")
            let lead = written.json?["data"]?.array?[1]["details"]?["id"]?.string ?? ""
            #expect(
                await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["Land": "France"]]], token: token).json?["data"]?.array?
                    .first?["code"] == "MAPPING_MISMATCH")

            func changed(_ key: String, _ value: JSONValue) -> JSONValue {
                var body = body
                body[key] = value
                return body
            }
            for (wrong, code) in [
                (body, "MAPPING_EXISTS"), (changed("child", ["api_name": "Land"]), "INVALID_DATA"),
                (changed("parent", ["api_name": "Company"]), "INVALID_DATA"),
                (["parent": ["api_name": "Town"], "child": ["api_name": "Land"], "pick_list_values": []], "NOT_ALLOWED"),
                (["parent": ["api_name": "Town"], "child": ["api_name": "Area"]], "MANDATORY_NOT_FOUND"),
            ] as [(JSONValue, String)] {
                let answer = await server.send("POST", path + query, ["map_dependency": [wrong]], token: token)
                #expect(answer.json?["map_dependency"]?.array?.first?["code"]?.string == code, "\(answer.text)")
            }
            #expect(await server.send("POST", path, ["map_dependency": [body]], token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(
                await server.send("GET", "/crm/v7/settings/layouts/12/map_dependency" + query, token: token).json?["code"] == "INVALID_DATA"
            )
            let town = leads.field("Town")?.id.raw ?? 0
            #expect(
                await server.send("DELETE", "/crm/v7/settings/fields/\(town)?module=Leads", token: token).json?["fields"]?.array?.first?[
                    "code"] == "NOT_ALLOWED")

            let opened = changed(
                "pick_list_values",
                [
                    [
                        "id": option("Land", "France"),
                        "maps": [["id": option("Town", "Kyoto")], ["id": option("Town", "Lyon"), "_delete": .null]],
                    ]
                ])
            #expect(await server.send("PUT", path + "/\(id)" + query, ["map_dependency": [opened]], token: token).status == 200)
            #expect(await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["Land": "France"]]], token: token).status == 200)
            #expect(
                await server.send("DELETE", path + "/\(id)" + query, token: token).json?["map_dependency"]?.array?.first?["message"]
                    == "map dependency deleted")
            #expect(
                await server.send("DELETE", path + "/\(id)" + query, token: token).json?["map_dependency"]?.array?.first?["code"]
                    == "INVALID_DATA")
            #expect(await server.send("GET", path + query, token: token).status == 204)
        }
    }
}
