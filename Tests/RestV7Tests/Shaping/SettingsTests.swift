import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What the SDKs read before anything else. Contract: modules, fields, layouts, related-lists, custom views; organization, users, list of APIs.
@Suite struct SettingsTests {
    /// Contract: modules, U1 and U2; fields, U5; related-lists, U15; common, §9, "Start-up metadata".
    @Test(arguments: TestServer.engines)
    func aClientCanStartUp(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let modules = await api.send("GET", "settings/modules").json?["modules"]?.array ?? []
            let keys = [
                "id", "api_name", "module_name", "singular_label", "plural_label", "actual_singular_label", "actual_plural_label",
                "generated_type", "status", "visibility", "creatable",
                "editable", "deletable", "viewable", "convertable", "api_supported", "quick_create", "show_as_tab", "feeds_required",
                "profiles", "profile_count", "has_more_profiles",
                "access_type", "private_profile", "web_link", "description", "parent_module", "arguments", "modified_by", "modified_time",
                "business_card_field_limit",
                "sub_menu_available", "presence_sub_menu", "recycle_bin_on_delete",
            ]
            for module in modules {
                let name = module["api_name"]?.string ?? ""
                for key in keys { #expect(module[key] != nil, "\(name) \(key)") }
                #expect(module["generated_type"]?.string != nil && Set(modules.map { $0["id"] }).count == modules.count)
                guard module["api_supported"] == true else { continue }
                let fields = await api.send("GET", "settings/fields?module=\(name)")
                #expect([200, 204].contains(fields.status), "\(name)")
                for field in fields.json?["fields"]?.array ?? [] {
                    for key in [
                        "id", "api_name", "field_label", "data_type", "json_type", "system_mandatory", "custom_field", "pick_list_values",
                        "lookup", "formula", "operation_type", "visible",
                    ] {
                        #expect(field[key] != nil, "\(name).\(field["api_name"]?.string ?? "") \(key)")
                    }
                    for target in [
                        field["lookup"]?["module"]?["api_name"], field["associated_module"]?["module"],
                        field["multiselectlookup"]?["linking_module"],
                    ] {
                        guard let target = target?.string, !["se_module", "Users"].contains(target) else { continue }
                        #expect(
                            [200, 204].contains(await api.send("GET", "settings/fields?module=\(target)").status), "\(name) -> \(target)")
                    }
                }
                let lists = await api.send("GET", "settings/related_lists?module=\(name)")
                #expect([200, 204].contains(lists.status))
                for list in lists.json?["related_lists"]?.array ?? [] {
                    for key in ["id", "api_name", "name", "display_label", "sequence_number", "type", "href", "module", "status"] {
                        #expect(list[key] != nil, "\(name) \(list["api_name"]?.string ?? "") \(key)")
                    }
                }
            }
            let names = modules.compactMap { $0["api_name"]?.string }
            #expect(names.contains("Leads") && names.contains("Price_Books") && !names.contains("Leads_X_Products"))
            #expect(await api.send("GET", "settings/modules?status=user_hidden").status != 500)
            let visible = await api.send("GET", "settings/modules?status=visible").json?["modules"]?.array ?? []
            #expect(!visible.isEmpty && visible.allSatisfy { $0["status"] == "visible" })

            let lead = modules.first { $0["api_name"] == "Leads" } ?? .null
            for name in ["Leads", "leads", lead["id"]?.string ?? ""] {
                let one = await api.send("GET", "settings/modules/\(name)").json?["modules"]?.array?.first ?? .null
                #expect(
                    one["id"] == lead["id"] && one["display_field"] == "Full_Name" && one["custom_view"]?["id"]?.string != nil
                        && one["per_page"] == 10, "\(name)")
                #expect(one["global_search_supported"]?.bool != nil && one["search_layout_fields"]?.array != nil)
            }
            #expect(await api.send("GET", "settings/modules/Nope").code == "INVALID_MODULE")
            for path in ["fields", "layouts", "related_lists", "custom_views"] {
                #expect(await api.send("GET", "settings/\(path)").code == "REQUIRED_PARAM_MISSING", "\(path)")
                #expect(await api.send("GET", "settings/\(path)?module=Nope").code == "INVALID_MODULE")
            }
        }
    }

    @Test(arguments: TestServer.engines)
    func eachSettingCanBeReadAlone(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            for (path, key) in [
                ("fields", "fields"), ("layouts", "layouts"), ("related_lists", "related_lists"), ("custom_views", "custom_views"),
            ] {
                let all = await api.send("GET", "settings/\(path)?module=Leads").json?[key]?.array ?? []
                let first = all.first ?? .null
                let id = first["id"]?.string ?? ""
                let one = await api.send("GET", "settings/\(path)/\(id)?module=Leads").json?[key]?.array ?? []
                #expect(one.count == 1 && one.first?["id"] == first["id"] && !id.isEmpty, "\(path)")
                #expect(await api.send("GET", "settings/\(path)/1?module=Leads").status == 204, "\(path)")
                #expect(await api.send("GET", "settings/\(path)/\(id)?module=Contacts").status == 204, "\(path) of another module")
                #expect(await api.send("GET", "settings/\(path)/\(id)").code == "REQUIRED_PARAM_MISSING")
            }
            let pick = await api.send("GET", "settings/fields?module=Leads&data_type=picklist").json?["fields"]?.array ?? []
            #expect(!pick.isEmpty && pick.allSatisfy { $0["data_type"] == "picklist" && $0["pick_list_values"]?.array?.isEmpty == false })
            for key in ["id", "display_value", "actual_value", "reference_value", "sequence_number", "colour_code", "type"] {
                #expect(pick[0]["pick_list_values"]?.array?.first?[key] != nil, "\(key)")
            }
            #expect(await api.send("GET", "settings/fields?module=Leads&type=unused").status == 204)
            #expect(await api.send("GET", "settings/fields?module=Leads&type=odd").code == "INVALID_DATA")

            let layout = await api.send("GET", "settings/layouts?module=Leads").json?["layouts"]?.array?.first ?? .null
            for key in [
                "id", "name", "api_name", "display_label", "status", "visible", "source", "generated_type", "profiles", "sections",
                "has_more_profiles", "created_by", "convert_mapping", "actions_allowed",
            ] {
                #expect(layout[key] != nil, "\(key)")
            }
            let fields = (layout["sections"]?.array ?? []).flatMap { $0["fields"]?.array ?? [] }
            #expect(fields.filter { $0["required"] == true }.compactMap { $0["api_name"]?.string }.sorted() == ["Company", "Last_Name"])
            let view = await api.send("GET", "settings/custom_views?module=Leads")
            #expect(view.json?["info"]?["default"]?.string != nil && view.json?["custom_views"]?.array?.first?["criteria"] == nil)
        }
    }

    /// Contract: organization, 110; users, 114.
    @Test(arguments: TestServer.engines)
    func theOrganisationAndItsPeople(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let org = await api.send("GET", "org").json?["org"]?.array?.first ?? .null
            #expect(
                org["zgid"]?.string != nil && org["id"]?.string != org["zgid"]?.string && org["license_details"]?.members != nil
                    && org["mc_status"] == false)
            for key in [
                "company_name", "alias", "type", "primary_zuid", "domain_name", "primary_email", "employee_count", "country_code",
                "time_zone", "currency", "currency_symbol", "currency_locale", "iso_code", "photo_id", "hierarchy_preferences",
                "created_time", "privacy_settings", "translation_enabled", "hipaa_compliance_enabled", "gapps_enabled",
                "lite_users_enabled", "deletable_org_account", "zia_portal_id",
            ] {
                #expect(org[key] != nil, "\(key)")
            }
            _ = try await api.other()
            let me = String(server.administrator.id.raw)
            let current = await api.send("GET", "users?type=CurrentUser").json?["users"]?.array ?? []
            #expect(current.map { $0["id"] } == [.string(me)] && current[0]["email"] == .string(server.administrator.email))
            for key in [
                "first_name", "last_name", "full_name", "status", "confirm", "type__s", "role", "profile", "zuid", "language", "locale",
                "country_locale", "time_zone", "time_format", "date_format", "offset", "microsoft", "Isonline", "Currency",
                "decimal_separator", "number_separator", "name_format__s", "sort_order_preference__s", "$current_shift", "Reporting_To",
                "created_time", "Modified_By",
            ] {
                #expect(current[0][key] != nil, "\(key)")
            }
            for (type, count) in [
                ("AllUsers", 2), ("ActiveUsers", 2), ("DeactiveUsers", 0), ("ConfirmedUsers", 2), ("NotConfirmedUsers", 0),
                ("DeletedUsers", 0), ("ActiveConfirmedUsers", 2), ("AdminUsers", 2), ("ActiveConfirmedAdmins", 2),
            ] {
                let answer = await api.send("GET", "users?type=\(type)")
                #expect(answer.status == (count == 0 ? 204 : 200) && (answer.json?["users"]?.array?.count ?? 0) == count, "\(type)")
            }
            let page = await api.send("GET", "users?per_page=1&page=2")
            #expect(page.info == ["per_page": 1, "count": 1, "page": 2, "more_records": false])
            #expect(await api.send("GET", "users?page=1000000000").status == 204)
            #expect(await api.send("GET", "users?page=9223372036854775807").code == "INVALID_DATA")
            #expect(await api.send("GET", "users?ids=\(me),1").json?["users"]?.array?.count == 1)
            #expect(await api.send("GET", "users?type=Nobody").code == "INVALID_DATA")
            let single = await api.send("GET", "users/\(me)").json
            #expect(single?["users"]?.array?.count == 1 && single?["info"] == nil)
            for odd in ["1", "x", "-1"] { #expect(await api.send("GET", "users/\(odd)").code == "INVALID_DATA") }
            for (path, scope) in [
                ("users?type=CurrentUser", "ZohoCRM.users.READ"), ("org", "ZohoCRM.org.READ"),
                ("settings/modules", "ZohoCRM.settings.modules.READ"), ("settings/fields?module=Leads", "ZohoCRM.settings.fields.READ"),
            ] {
                #expect(await server.send("GET", "/crm/v7/\(path)", token: try server.token(scope)).status == 200, "\(path)")
                #expect(await server.send("GET", "/crm/v7/\(path)", token: try server.token("ZohoCRM.coql.READ")).status == 401)
            }
        }
    }

    /// Contract: list-of-available-apis, 180.
    @Test(arguments: TestServer.engines)
    func theListOfAPIsCanBeFiltered(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            func list(_ filter: JSONValue?) async -> TestServer.Answer {
                await api.send("GET", "__apis" + (filter.map { "?filters=" + PercentCoding.encode($0.text) } ?? ""))
            }
            func filter(_ name: String, _ value: JSONValue) -> JSONValue {
                ["field": ["api_name": .string(name)], "comparator": "equals", "value": value]
            }
            func rows(_ answer: TestServer.Answer) -> [JSONValue] { answer.json?["__apis"]?.array ?? [] }
            let all = rows(await list(nil))
            let one = all.first { $0["path"] == "/crm/v7/Leads/{{id}}" } ?? .null
            let get = one["operation_types"]?.array?.first { $0["method"] == "GET" } ?? .null
            #expect(get == ["method": "GET", "oauth_scope": "ZohoCRM.modules.leads.READ", "max_credits": 1, "min_credits": 1])
            #expect(
                all.contains { $0["path"] == "/crm/v7/{{module}}/{{id}}" } && all.contains { $0["path"] == "/crm/v7/org" }
                    && !all.contains { $0["path"]?.string?.hasPrefix("/oauth") ?? true })
            #expect(Set(all.map { $0["path"] }).count == all.count)

            let leads = rows(await list(filter("module", "Leads")))
            #expect(!leads.isEmpty && leads.allSatisfy { $0["path"]?.string?.hasPrefix("/crm/v7/Leads") ?? false })
            let custom = rows(await list(filter("module", "custom")))
            #expect(!custom.isEmpty && custom.allSatisfy { $0["path"]?.string?.hasPrefix("/crm/v7/{{module}}") ?? false })
            let deletes = rows(await list(filter("operation_types.method", "DELETE")))
            #expect(
                !deletes.isEmpty && deletes.allSatisfy { $0["operation_types"]?.array?.allSatisfy { $0["method"] == "DELETE" } ?? false })
            // The people of territories are an affair of users too (territories, 4 to 6 and 9).
            for (area, prefixes) in [
                ("settings.fields", ["/crm/v7/settings/fields"]), ("users", ["/crm/v7/users", "/crm/v7/settings/territories"]),
                ("org", ["/crm/v7/org"]), ("modules.leads", ["/crm/v7/Leads"]),
            ] {
                let found = rows(await list(filter("operation_types.oauth_scope", .string(area))))
                #expect(
                    !found.isEmpty && found.allSatisfy { api in prefixes.contains { api["path"]?.string?.hasPrefix($0) ?? false } },
                    "\(area)")
            }
            let bad: [(JSONValue, String)] = [
                ([], "INVALID_DATA"), (filter("module", "Nope"), "INVALID_DATA"), (filter("module", "leads"), "INVALID_DATA"),
                (filter("operation_types.method", "get"), "INVALID_DATA"),
                (filter("operation_types.oauth_scope", "nothing"), "INVALID_DATA"), (filter("path", "x"), "INVALID_DATA"),
                (filter("module", 5), "INVALID_DATA"),
                (["field": ["api_name": "module"], "comparator": "in", "value": "Leads"], "INVALID_DATA"),
                (["field": "module", "comparator": "equals", "value": "Leads"], "INVALID_DATA"),
                ([:], "DEPENDENT_FIELD_MISSING"), (["field": ["api_name": "module"], "comparator": "equals"], "DEPENDENT_FIELD_MISSING"),
                (["field": ["name": "module"], "comparator": "equals", "value": "Leads"], "DEPENDENT_FIELD_MISSING"),
                (["field": ["api_name": "module"], "value": "Leads"], "DEPENDENT_FIELD_MISSING"),
                (filter("module", ""), "MANDATORY_NOT_FOUND"), (filter("module", .null), "MANDATORY_NOT_FOUND"),
                (["field": [:], "comparator": "equals", "value": "Leads"], "MANDATORY_NOT_FOUND"),
            ]
            for (value, code) in bad {
                let answer = await list(value)
                #expect(answer.status == 400 && answer.code == code, "\(value.text) \(answer.text)")
            }
            #expect(await api.send("GET", "__apis?filters=%7B").code == "INVALID_DATA")
        }
    }
}
