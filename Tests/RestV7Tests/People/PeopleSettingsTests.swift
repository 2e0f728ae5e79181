import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Profiles, user groups, global picklists and the order of views.
@Suite struct PeopleSettingsTests {
    /// Profiles, U16 to U19: rights by their names, effective at once.
    @Test(arguments: TestServer.engines)
    func profilesGiveAndTakeRights(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let path = "/crm/v7/settings/profiles"
            await org.makeModule("Leases", "Lease", token)
            let listed = await server.send("GET", path, token: token).json?["profiles"]?.array
            #expect(listed?.count == 2 && listed?.first?["permissions"] == nil && listed?.first?["permissions_details"] == nil)
            func clone(_ body: JSONValue) async -> TestServer.Answer {
                await server.send("POST", path + "/\(org.administrator)/actions/clone", ["profiles": [body]], token: token)
            }
            let made = await clone(["name": "Sales North", "description": "Copy"])
            #expect(made.status == 201 && made.json?["profiles"]?.array?.first?["message"] == "profile created successfully")
            let id = try #require(made.json?["profiles"]?.array?.first?["details"]?["id"]?.string)
            let north = try #require(RecordID(id))
            let taken = await clone(["name": "sales north"])
            #expect(taken.status == 404 && taken.json?["profiles"]?.array?.first?["code"] == "DUPLICATE_DATA")
            #expect(await clone([:]).json?["profiles"]?.array?.first?["code"] == "MANDATORY_NOT_FOUND")
            let module = server.services.catalog.current().module("Leases")
            #expect(module?.body["profiles"]?.array?.contains { $0["id"]?.string == id } == true)

            let shown = try #require(await server.send("GET", path + "/\(id)", token: token).json?["profiles"]?.array?.first)
            let rights = shown["permissions_details"]?.array ?? []
            func right(_ name: String) -> JSONValue { rights.first { $0["name"]?.string == name } ?? .null }
            #expect(
                shown["custom"] == true && right("Crm_Implied_View_Leads")["enabled"] == true
                    && right("Crm_Implied_Edit_CustomModule1")["module"] == "Leases")
            #expect(
                shown["sections"]?.array?.first?["categories"]?.array?.first?["permissions_details"]?.array?.first
                    == right("Crm_Implied_View_Leads")["id"])

            let (user, rep) = try await org.user("rep@x.example", profile: north)
            #expect(await server.send("GET", "/crm/v7/Leads?fields=Last_Name", token: rep).status == 204)
            func put(_ id: String, _ entries: JSONValue) async -> TestServer.Answer {
                await server.send("PUT", path + "/\(id)", ["profiles": [["permissions_details": entries]]], token: token)
            }
            let off = await put(id, [["id": right("Crm_Implied_View_Leads")["id"] ?? .null, "enabled": false]])
            #expect(off.status == 200 && off.json?["profiles"]?.array?.first?["message"] == "profile updated successfully", "\(off.text)")
            #expect(await server.send("GET", "/crm/v7/Leads?fields=Last_Name", token: rep).status == 403)
            #expect(await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "A"]]], token: rep).status == 403)
            // Creating needs viewing, and brings it back.
            #expect(await put(id, [["id": right("Crm_Implied_Create_Leads")["id"] ?? .null, "enabled": true]]).status == 200)
            #expect(await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "A"]]], token: rep).status == 201)
            #expect(
                await put(org.administrator.description, [["id": right("Crm_Implied_View_Leads")["id"] ?? .null, "enabled": false]]).json?[
                    "profiles"]?.array?.first?["code"] == "NOT_ALLOWED")
            #expect(await put("12", []).json?["profiles"]?.array?.first?["code"] == "INVALID_DATA")
            #expect(await put(id, [["id": "12", "enabled": true]]).json?["profiles"]?.array?.first?["code"] == "INVALID_DATA")
            #expect(
                await server.send("PUT", path + "/\(id)", ["profiles": [[:]]], token: token).json?["profiles"]?.array?.first?["code"]
                    == "MANDATORY_NOT_FOUND")

            #expect(await server.send("DELETE", path + "/\(id)", token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(await server.send("DELETE", path + "/\(id)?transfer_to=\(id)", token: token).json?["code"] == "INVALID_DATA")
            #expect(await server.send("DELETE", path + "/\(org.standard)?transfer_to=\(id)", token: token).json?["code"] == "NOT_ALLOWED")
            let gone = await server.send("DELETE", path + "/\(id)?transfer_to=\(org.standard)", token: token)
            #expect(gone.status == 200 && gone.json?["message"] == "Profile deleted" && gone.json?["details"] == [:])
            #expect(server.services.catalog.current().user(UserID(raw: user.raw))?.profile == org.standard)
            #expect(server.services.catalog.current().module("Leases")?.body["profiles"]?.array?.count == 1)
            #expect(await server.send("DELETE", path + "/\(id)?transfer_to=\(org.standard)", token: token).json?["code"] == "INVALID_DATA")
            #expect(
                await server.send("POST", path + "/\(org.standard)/actions/clone", ["profiles": [["name": "X"]]], token: rep).status == 403)
            for number in 3...25 { _ = await clone(["name": .string("P\(number)")]) }
            let full = await clone(["name": "One too many"])
            #expect(full.status == 404 && full.json?["profiles"]?.array?.first?["code"] == "PROFILE_LIMIT_EXCEEDED")
        }
    }

    /// User groups, 40 to 48: sources of every kind, expanded for counts and membership.
    @Test(arguments: TestServer.engines)
    func groupsExpandTheirSources(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let path = "/crm/v7/settings/user_groups"
            let roles = server.services.catalog.current().documents(.role)
            let ada = String(server.administrator.id.raw)
            let (rep, _) = try await org.user("rep@x.example", profile: org.standard, role: roles[1].id)
            #expect(await server.send("GET", path, token: token).status == 204)
            func make(_ name: String, _ sources: JSONValue) async -> TestServer.Answer {
                await server.send("POST", path, ["user_groups": [["name": .string(name), "sources": sources]]], token: token)
            }
            let inner = await make("Inner", [["type": "roles", "source": ["id": .id(roles[0].id)], "subordinates": true]])
            #expect(
                inner.status == 201 && inner.json?["user_groups"]?.array?.first?["message"] == "User Group Created successfully",
                "\(inner.text)")
            let innerID = inner.json?["user_groups"]?.array?.first?["details"]?["id"]?.string ?? ""
            let outer = await make(
                "Outer", [["type": "users", "source": ["id": .string(ada)]], ["type": "groups", "source": ["id": .string(innerID)]]])
            let outerID = outer.json?["user_groups"]?.array?.first?["details"]?["id"]?.string ?? ""
            for (name, sources, code) in [
                ("Inner", [["type": "users", "source": ["id": .string(ada)]]], "DUPLICATE_DATA"),
                ("a#b", [["type": "users", "source": ["id": .string(ada)]]], "INVALID_DATA"),
                ("New", [["type": "users", "source": ["id": "12"]]], "INVALID_DATA"),
                ("New", [["type": "people", "source": ["id": "12"]]], "INVALID_DATA"),
            ] as [(String, JSONValue, String)] {
                #expect(await make(name, sources).json?["user_groups"]?.array?.first?["code"]?.string == code)
            }
            #expect(
                await server.send("POST", path, ["user_groups": [["name": "New"]]], token: token).json?["user_groups"]?.array?.first?[
                    "code"] == "MANDATORY_NOT_FOUND")
            let circle = await server.send(
                "PUT", path + "/\(innerID)", ["user_groups": [["sources": [["type": "groups", "source": ["id": .string(outerID)]]]]]],
                token: token)
            #expect(circle.json?["user_groups"]?.array?.first?["code"] == "INVALID_DATA")

            let listed = await server.send("GET", path + "?include=sources_count", token: token).json
            #expect(
                listed?["user_groups"]?.array?.first?["sources_count"] == ["territories": 0, "roles": 1, "users": 0]
                    && listed?["info"]?["count"] == 2)
            #expect(await server.send("GET", path + "?name=Outer", token: token).json?["user_groups"]?.array?.count == 1)
            #expect(
                await server.send("GET", path + "?per_page=1&page=2", token: token).json?["user_groups"]?.array?.first?["name"] == "Outer")
            let filter = "%7B%22field%22:%7B%22api_name%22:%22name%22%7D,%22comparator%22:%22starts_with%22,%22value%22:%22Inn%22%7D"
            #expect(await server.send("GET", path + "?filters=\(filter)", token: token).json?["user_groups"]?.array?.count == 1)
            #expect(
                await server.send("GET", path + "/actions/associated_users_count?filters=x", token: token).json?["code"] == "INVALID_DATA")
            let counts = await server.send("GET", path + "/actions/associated_users_count", token: token).json?["associated_users_count"]?
                .array
            #expect(counts?.map { $0["count"]?.int64 } == [2, 2], "\(counts ?? [])")
            let sources = await server.send("GET", path + "/\(outerID)/sources?type=users", token: token).json?["sources"]?.array
            #expect(sources?.count == 1 && sources?.first?["source"]?["id"]?.string == ada)
            #expect(await server.send("GET", path + "/\(outerID)/sources?type=users&user_type=inactive", token: token).status == 204)
            #expect(
                await server.send("GET", path + "/\(outerID)/actions/sources_count", token: token).json?["sources_count"]?.array?.first?[
                    "users"]?["active"] == 1)
            #expect(await server.send("GET", path + "/12/sources", token: token).json?["code"] == "INVALID_DATA")
            #expect(await server.send("GET", path + "/\(outerID)/actions/associations", token: token).status == 204)
            let of = await server.send("GET", "/crm/v7/users/\(rep)/actions/associated_groups", token: token)
            #expect(of.json?["user_groups"]?.array?.count == 2, "\(of.text)")
            #expect(await server.send("GET", "/crm/v7/users/12/actions/associated_groups", token: token).json?["code"] == "INVALID_DATA")
            #expect(
                await server.send(
                    "GET", "/crm/v7/users/\(rep)/actions/associated_groups", token: try await server.token("ZohoCRM.users.READ")
                ).status == 401)

            let less = await server.send(
                "PUT", path + "/\(outerID)",
                ["user_groups": [["name": "Out", "sources": [["type": "groups", "source": ["id": .string(innerID)], "_delete": true]]]]],
                token: token)
            #expect(less.json?["user_groups"]?.array?.first?["message"] == "User Group Updated successfully", "\(less.text)")
            let one = await server.send("GET", path + "/\(outerID)", token: token).json?["user_groups"]?.array?.first
            #expect(one?["sources"]?.array?.count == 1 && one?["name"] == "Out" && one?["created_by"]?["id"]?.string == ada)
            #expect(
                await server.send("DELETE", path + "/\(innerID)", token: token).json?["user_groups"]?.array?.first?["message"]
                    == "Group deleted")
            #expect(
                await server.send("DELETE", path + "/\(innerID)", token: token).json?["user_groups"]?.array?.first?["code"]
                    == "INVALID_DATA")
        }
    }

    /// Global picklists, U26 to U33: fields follow their list, and a replaced option goes from all records.
    @Test(arguments: TestServer.engines)
    func globalListsAreShared(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL,ZohoCRM.settings.ALL")
            let org = try Organisation(server)
            let path = "/crm/v7/settings/global_picklists"
            #expect(await server.send("GET", path, token: token).status == 204)
            let made = await server.send(
                "POST", path,
                [
                    "global_picklists": [
                        [
                            "display_label": "Tier",
                            "pick_list_values": [["display_value": "Gold"], ["display_value": "Silver", "actual_value": "S"]],
                        ]
                    ]
                ], token: token)
            #expect(
                made.status == 201 && made.json?["global_picklists"]?.array?.first?["message"] == "global picklist added successfully",
                "\(made.text)")
            let id = made.json?["global_picklists"]?.array?.first?["details"]?["id"]?.string ?? ""
            for (body, code) in [
                (["display_label": "tier", "pick_list_values": [["display_value": "a"]]], "DUPLICATE_DATA"),
                (["display_label": "B"], "MANDATORY_NOT_FOUND"),
                (["display_label": "B", "pick_list_values": [["display_value": "a"], ["display_value": "a"]]], "DUPLICATE_DATA"),
                (["pick_list_values": []], "MANDATORY_NOT_FOUND"),
                (["display_label": "B", "pick_list_values": [["display_value": "\u{1F600}"]]], "INVALID_DATA"),
                (["display_label": "B", "pick_list_values": [["display_value": .null]]], "MANDATORY_NOT_FOUND"),
            ] as [(JSONValue, String)] {
                #expect(
                    await server.send("POST", path, ["global_picklists": [body]], token: token).json?["global_picklists"]?.array?.first?[
                        "code"]?.string == code)
            }
            for module in ["Leads", "Contacts"] {
                #expect(
                    await org.makeFields(
                        module, [["field_label": "Tier", "data_type": "picklist", "global_picklist": ["id": .string(id)]]], token
                    ).status == 201)
            }
            let lead = await org.insert("Leads", [["Last_Name": "A", "Tier": "S"]], token)[0]
            let contact = await org.insert("Contacts", [["Last_Name": "A", "Tier": "Silver"]], token)[0]
            let uses = await server.send("GET", path + "/\(id)/actions/associations", token: token).json
            #expect(uses?["associations"]?.array?.count == 2 && uses?["info"]?["more_records"] == false)
            let values = await server.send("GET", path + "/\(id)", token: token).json?["global_picklists"]?.array?.first
            let options = values?["pick_list_values"]?.array ?? []
            #expect(
                options.map { $0["display_value"]?.string } == ["-None-", "Gold", "Silver"] && options.first?["sequence_number"] == 0
                    && values?["used_in_modules"]?.array?.count == 2)

            let renamed = await server.send(
                "PATCH", path + "/\(id)",
                [
                    "global_picklists": [
                        [
                            "display_label": "Tier",
                            "pick_list_values": [["id": options[2]["id"] ?? .null, "display_value": "Grey"], ["display_value": "Tin"]],
                        ]
                    ]
                ], token: token)
            #expect(
                renamed.status == 200
                    && renamed.json?["global_picklists"]?.array?.first?["message"] == "global picklist updated successfully",
                "\(renamed.text)")
            await JobWorker(server.services).drain()
            #expect(await org.record("Leads", lead, token)?["Tier"] == "Grey")
            #expect(await org.record("Contacts", contact, token)?["Tier"] == "Grey")
            #expect(await server.send("GET", path + "/\(id)/actions/replaced_values", token: token).status == 204)
            func replace(_ old: JSONValue, _ new: JSONValue) async -> TestServer.Answer {
                await server.send(
                    "POST", path + "/\(id)/actions/replace_picklist_values",
                    ["replace_picklist_values": [["old_value": old, "new_value": new]]], token: token)
            }
            for (old, new, code) in [
                (["display_value": "Grey"], ["display_value": "Grey"], "INVALID_DATA"),
                (["display_value": "-None-"], ["display_value": "Grey"], "INVALID_DATA"),
                ([:], ["display_value": "Grey"], "EXPECTED_FIELD_MISSING"),
                (["display_value": "Gold", "id": options[2]["id"] ?? .null], ["display_value": "Grey"], "AMBIGUITY_DURING_PROCESSING"),
            ] as [(JSONValue, JSONValue, String)] {
                let answer = await replace(old, new)
                #expect(answer.json?["replace_picklist_values"]?.array?.first?["code"]?.string == code, "\(answer.text)")
            }
            let scheduled = await replace(["display_value": "Grey"], ["display_value": "Gold"])
            #expect(scheduled.status == 200 && scheduled.json?["replace_picklist_values"]?.array?.first?["code"] == "SCHEDULED")
            await JobWorker(server.services).drain()
            #expect(await org.record("Leads", lead, token)?["Tier"] == "Gold")
            #expect(
                await server.send("GET", path + "/\(id)/actions/replaced_values", token: token).json?["replaced_values"]?.array?.first?[
                    "display_value"] == "Grey")
            let after = server.services.catalog.current().module("Leads")?.field("Tier")?.body["pick_list_values"]?.array ?? []
            #expect(after.first { $0["display_value"]?.string == "Grey" }?["type"] == "unused")
            #expect(
                await server.send("GET", path + "/\(id)/actions/pick_list_values_associations", token: token).json?["code"]
                    == "REQUIRED_PARAM_MISSING")
            #expect(
                await server.send(
                    "GET", path + "/\(id)/actions/pick_list_values_associations?picklist_value_id=\(options[1]["id"]?.string ?? "")",
                    token: token
                ).status == 204)
            let removed = await server.send(
                "PATCH", path,
                ["global_picklists": [["id": .string(id), "pick_list_values": [["id": options[2]["id"] ?? .null, "_delete": .null]]]]],
                token: token)
            #expect(removed.status == 200, "\(removed.text)")
            let deleted = await server.send("DELETE", path + "/\(id)", token: token)
            #expect(deleted.json?["global_picklists"]?.array?.first?["code"] == "SCHEDULED", "\(deleted.text)")
            #expect(await server.send("GET", path + "/\(id)", token: token).status == 204)
            #expect(await server.send("DELETE", path + "/\(id)", token: token).status == 400)
            #expect(server.services.catalog.current().module("Leads")?.field("Tier")?.body["pick_list_values"]?.array?.count == 3)
        }
    }

    /// Custom views, U21.
    @Test(arguments: TestServer.engines)
    func viewsKeepTheirOrder(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let catalog = server.services.catalog.current()
            let leads = try #require(catalog.module("Leads"))
            let view = try #require(catalog.documents(.customView).first { $0.parent?.raw == leads.id.raw }).id
            func put(_ body: JSONValue, _ path: String = "/crm/v7/settings/custom_views/actions/change_sort?module=Leads") async
                -> TestServer.Answer
            { await server.send("PUT", path, ["custom_views": [body]], token: token) }
            let done = await put(["id": .id(view), "sort_by": ["api_name": "Email"], "sort_order": "asc"])
            #expect(done.status == 200 && done.json?["custom_views"]?.array?.first?["message"] == "custom view updated", "\(done.text)")
            let shown = await server.send("GET", "/crm/v7/settings/custom_views/\(view)?module=Leads", token: token).json?["custom_views"]?
                .array?.first
            #expect(shown?["sort_by"]?["api_name"] == "Email" && shown?["sort_order"] == "asc")
            #expect(
                await put(
                    ["sort_by": ["api_name": "Phone"], "sort_order": "desc"],
                    "/crm/v7/settings/custom_views/\(view)/actions/change_sort?module=Leads"
                ).status == 200)
            for (body, code) in [
                (["sort_by": ["api_name": "Email"], "sort_order": "asc"], "MANDATORY_NOT_FOUND"),
                (["id": "12", "sort_by": ["api_name": "Email"], "sort_order": "asc"], "INVALID_DATA"),
                (["id": .id(view), "sort_by": ["api_name": "Nope"], "sort_order": "asc"], "INVALID_DATA"),
                (["id": .id(view), "sort_by": ["api_name": "Email"], "sort_order": "up"], "INVALID_DATA"),
                (["id": .id(view), "sort_order": "asc"], "MANDATORY_NOT_FOUND"),
            ] as [(JSONValue, String)] {
                #expect(await put(body).json?["custom_views"]?.array?.first?["code"]?.string == code)
            }
            #expect(await put([:], "/crm/v7/settings/custom_views/actions/change_sort?module=Nope").json?["code"] == "INVALID_MODULE")
        }
    }
}
