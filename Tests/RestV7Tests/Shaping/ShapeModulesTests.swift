import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Custom modules. Contract: modules, U3 and U4.
@Suite struct ShapeModulesTests {
    @Test(arguments: TestServer.engines)
    func aModuleIsMadeAndHoldsRecordsAtOnce(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let made = await server.send(
                "POST", "/crm/v7/settings/modules",
                ["modules": [["plural_label": "Leases", "singular_label": "Lease", "profiles": [["id": .id(org.administrator)]]]]],
                token: token)
            #expect(made.status == 200)
            #expect(made.json?["modules"]?.array?.first?["message"] == "module created successfully")
            let id = try #require(made.json?["modules"]?.array?.first?["details"]?["id"]?.string)

            let one = await server.send("GET", "/crm/v7/settings/modules/\(id)", token: token)
            let module = try #require(one.json?["modules"]?.array?.first)
            #expect(module["api_name"] == "Leases" && module["generated_type"] == "custom" && module["module_name"] == "CustomModule1")
            #expect(module["custom_view"]?["name"] == "All Leases" && module["profile_count"] == 1 && module["table"] == nil)
            let fields = await server.send("GET", "/crm/v7/settings/fields?module=Leases", token: token)
            let names = fields.json?["fields"]?.array?.compactMap { $0["api_name"]?.string } ?? []
            #expect(
                Set(["Name", "Owner", "Email", "Tag", "Layout", "id", "Created_Time", "Record_Status__s"]).isSubset(of: names)
                    && !names.contains("Currency"))
            let lists = await server.send("GET", "/crm/v7/settings/related_lists?module=Leases", token: token)
            let listed = lists.json?["related_lists"]?.array?.compactMap { $0["api_name"]?.string } ?? []
            #expect(Set(["Notes", "Attachments", "Tasks", "Events", "Calls", "Tasks_History"]).isSubset(of: listed))
            let layouts = await server.send("GET", "/crm/v7/settings/layouts?module=Leases", token: token)
            #expect(layouts.json?["layouts"]?.array?.first?["sections"]?.array?.count == 2)
            let views = await server.send("GET", "/crm/v7/settings/custom_views?module=Leases", token: token)
            #expect(views.json?["custom_views"]?.array?.count == 5)

            let inserted = await server.send(
                "POST", "/crm/v7/Leases", ["data": [["Name": "Quay 4", "Email": "q@quay.example"], ["Email": "x@quay.example"]]],
                token: token)
            #expect(inserted.status == 207)
            #expect(inserted.json?["data"]?.array?[1]["code"] == "MANDATORY_NOT_FOUND")
            let record = try #require(inserted.json?["data"]?.array?[0]["details"]?["id"]?.string)
            let note = await server.send(
                "POST", "/crm/v7/Leases/\(record)/Notes", ["data": [["Note_Title": "t", "Note_Content": "c"]]], token: token)
            #expect(note.status == 201)
            await server.send(
                "POST", "/crm/v7/Tasks", ["data": [["Subject": "s", "What_Id": ["id": .string(record)], "$se_module": "Leases"]]],
                token: token)
            #expect(
                await server.send("GET", "/crm/v7/Leases/\(record)/Notes?fields=Note_Title", token: token).json?["data"]?.array?.count == 1)
            #expect(
                await server.send("GET", "/crm/v7/Leases/\(record)/Tasks?fields=Subject", token: token).json?["data"]?.array?.count == 1)
            let found = await server.send(
                "GET", "/crm/v7/Leases/search?criteria=(Name:starts_with:Quay)", token: try await Organisation.searchToken(server))
            #expect(found.json?["data"]?.array?.count == 1, "\(found.text)")
            let shown = await server.send("GET", "/crm/v7/Leases/\(record)", token: token)
            #expect(shown.json?["data"]?.array?.first?["Layout"]?["name"] == "Standard")
            let two = await org.makeModule("Berths", "Berth", token)
            #expect(two.json?["modules"]?.array?.first?["status"] == "success")
            #expect(server.services.catalog.current().module("Berths")?.body["module_name"] == "CustomModule2")
        }
    }

    /// Only the profiles named may see its records; others are added and taken away later.
    @Test(arguments: TestServer.engines)
    func profilesDecideWhoMayUseTheModule(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            _ = await org.makeModule("Leases", "Lease", token)
            let (rep, repToken) = try await org.user("rep@x.example", profile: org.standard)
            _ = rep
            let hidden = await server.send("GET", "/crm/v7/Leases?fields=Name", token: repToken)
            #expect(hidden.status == 403 && hidden.json?["details"]?["permissions"] == ["Crm_Implied_View_CustomModule1"])
            let refused = await server.send(
                "POST", "/crm/v7/settings/modules",
                ["modules": [["plural_label": "As", "singular_label": "A", "profiles": [["id": .id(org.standard)]]]]], token: repToken)
            #expect(refused.status == 403 && refused.json?["code"] == "NO_PERMISSION")

            let change: JSONValue = [
                "modules": [
                    [
                        "plural_label": "Rentals", "singular_label": "Rental",
                        "profiles": [["id": .id(org.standard)], ["id": .id(org.administrator), "_delete": .null]],
                    ]
                ]
            ]
            let changed = await server.send("PUT", "/crm/v7/settings/modules/Leases", change, token: token)
            #expect(changed.status == 200 && changed.json?["modules"]?.array?.first?["message"] == "module updated successfully")
            #expect(await server.send("GET", "/crm/v7/Leases?fields=Name", token: repToken).status == 204)
            #expect(await server.send("GET", "/crm/v7/Leases?fields=Name", token: token).status == 403)
            #expect(server.services.catalog.current().module("Leases")?.singularLabel == "Rental")

            let wrong: [(JSONValue, String)] = [
                (
                    ["plural_label": "Rentals", "singular_label": "Rental", "profiles": [["id": .id(org.standard), "_delete": .null]]],
                    "MINIMUM_DATA_NOT_FOUND"
                ),
                (
                    ["plural_label": "Rentals", "singular_label": "Rental", "profiles": [["id": .id(org.standard)]], "api_name": "X"],
                    "NOT_ALLOWED"
                ),
                (["plural_label": "Rentals", "profiles": [["id": .id(org.standard)]]], "MANDATORY_NOT_FOUND"),
                (["plural_label": "Leads", "singular_label": "Rental", "profiles": [["id": .id(org.standard)]]], "DUPLICATE_DATA"),
            ]
            for (body, code) in wrong {
                let answer = await server.send("PUT", "/crm/v7/settings/modules/Leases", ["modules": [body]], token: token)
                #expect(answer.status == 400 && answer.json?["modules"]?.array?.first?["code"]?.string == code)
            }
            #expect(await server.send("PUT", "/crm/v7/settings/modules/Nothing", change, token: token).json?["code"] == "INVALID_MODULE")
        }
    }

    /// U3, errors: each names its key and path, and nothing is left behind.
    @Test(arguments: TestServer.engines)
    func badModulesAreRefused(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let profiles: JSONValue = [["id": .id(org.administrator)]]
            let good: JSONValue = ["plural_label": "Leases", "singular_label": "Lease", "profiles": profiles]
            func with(_ key: String, _ value: JSONValue?) -> JSONValue {
                var body = good
                body[key] = value
                return body
            }
            let cases: [(JSONValue, String, Int, String)] = [
                (with("plural_label", nil), "MANDATORY_NOT_FOUND", 400, "$.modules[0].plural_label"),
                (with("singular_label", ""), "INVALID_DATA", 400, "$.modules[0].singular_label"),
                (with("plural_label", .string(String(repeating: "a", count: 26))), "INVALID_DATA", 400, "$.modules[0].plural_label"),
                (with("plural_label", "A#B"), "INVALID_DATA", 400, "$.modules[0].plural_label"),
                (with("plural_label", "Forecast"), "INVALID_DATA", 400, "$.modules[0].plural_label"),
                (with("plural_label", "leads"), "DUPLICATE_DATA", 400, "$.modules[0].plural_label"),
                (with("profiles", nil), "MANDATORY_NOT_FOUND", 400, "$.modules[0].profiles"),
                (with("profiles", []), "MINIMUM_DATA_NOT_FOUND", 400, "$.modules[0].profiles"),
                (with("profiles", .null), "MINIMUM_DATA_NOT_FOUND", 400, "$.modules[0].profiles"),
                (with("profiles", [["id": "1"]]), "INVALID_DATA", 400, "$.modules[0].profiles[0].id"),
                (with("api_name", "1a"), "INVALID_DATA", 400, "$.modules[0].api_name"),
                (with("api_name", "a__b"), "INVALID_DATA", 400, "$.modules[0].api_name"),
                (with("api_name", "Leads"), "DUPLICATE_DATA", 400, "$.modules[0].api_name"),
                (with("api_name", "settings"), "RESERVED_KEYWORD_NOT_ALLOWED", 403, "$.modules[0].api_name"),
                (with("display_field", [:]), "EXPECTED_FIELD_MISSING", 400, ""),
                (with("display_field", ["data_type": "date"]), "INVALID_DATA", 400, "$.modules[0].display_field.data_type"),
                (
                    with("display_field", ["data_type": "autonumber"]), "DEPENDENT_FIELD_MISSING", 400,
                    "$.modules[0].display_field.auto_number"
                ),
                (
                    with("display_field", ["data_type": "autonumber", "auto_number": [:]]), "DEPENDENT_FIELD_MISSING", 400,
                    "$.modules[0].display_field.auto_number.start_number"
                ),
            ]
            for (body, code, status, path) in cases {
                let answer = await server.send("POST", "/crm/v7/settings/modules", ["modules": [body]], token: token)
                let result = answer.json?["modules"]?.array?.first
                #expect(result?["code"]?.string == code, "\(body.text)")
                #expect(answer.status == status)
                if !path.isEmpty { #expect(result?["details"]?["json_path"]?.string == path) }
            }
            #expect(await server.send("POST", "/crm/v7/settings/modules", ["modules": [good, good]], token: token).status == 400)
            #expect(
                await server.send(
                    "POST", "/crm/v7/settings/modules", ["modules": [good]], token: try await server.token("ZohoCRM.settings.fields.ALL")
                ).status == 401)
            #expect(server.services.catalog.current().module("Leases") == nil)
        }
    }

    @Test(arguments: TestServer.engines)
    func aNumberCanNameTheRecords(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let org = try Organisation(server)
            let display: JSONValue = [
                "field_label": "Lease No", "data_type": "autonumber",
                "auto_number": ["prefix": "L-", "start_number": "1000", "suffix": ""],
            ]
            let made = await server.send(
                "POST", "/crm/v7/settings/modules",
                [
                    "modules": [
                        [
                            "plural_label": "Leases", "singular_label": "Lease", "api_name": "My_Leases",
                            "profiles": [["id": .id(org.administrator)]], "display_field": display,
                        ]
                    ]
                ], token: token)
            #expect(made.status == 200)
            let inserted = await server.send("POST", "/crm/v7/My_Leases", ["data": [["Email": "a@b.example"], [:]]], token: token)
            #expect(inserted.status == 201)
            let page = await server.send("GET", "/crm/v7/My_Leases?fields=Name&sort_by=id&sort_order=asc", token: token)
            #expect(page.json?["data"]?.array?.map { $0["Name"]?.string } == ["L-1000", "L-1001"])
        }
    }
}
