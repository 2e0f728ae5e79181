import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Tags of modules and on records. Contract: `endpoints/tags.md`, 49 to 58.
@Suite struct TagsTests {
    private func make(_ server: TestServer, _ names: [String], token: String) async throws -> [String] {
        let answer = await server.send(
            "POST", "/crm/v7/settings/tags?module=Leads", ["tags": .array(names.map { ["name": .string($0)] })], token: token)
        #expect(answer.status == 201, "\(answer.text)")
        return (answer.json?["tags"]?.array ?? []).compactMap { $0["details"]?["id"]?.string }
    }

    private func tags(_ server: TestServer, _ id: String, _ token: String) async -> [String] {
        (await server.record("Leads", id, token: token)?["Tag"]?.array ?? []).compactMap { $0["name"]?.string }
    }

    /// 49 to 52.
    @Test(arguments: TestServer.engines) func tagsAreMadeListedChangedAndDeleted(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let path = "/crm/v7/settings/tags?module=Leads"
            let made = await server.send("POST", path, ["tags": [["name": "Hot", "color_code": "#57B1FD"]]], token: token)
            #expect(made.status == 201)
            let result = made.json?.first("tags")
            #expect(
                result?["code"] == "SUCCESS" && result?["message"] == "tags created successfully"
                    && result?["details"]?["color_code"] == "#57B1FD")
            #expect(result?["details"]?["created_by"]?["name"] == .string(server.administrator.fullName))
            let id = result?["details"]?["id"]?.string ?? ""

            let cases: [(JSONValue, String)] = [
                (["name": "hot", "color_code": "#57B1FD"], "DUPLICATE_DATA"), (["name": "Hot"], "MAPPING_MISMATCH"),
                ([:], "MANDATORY_NOT_FOUND"),
                (["name": "a,b"], "INVALID_DATA"), (["name": "x", "color_code": "#000000"], "INVALID_DATA"),
                (["name": .string(String(repeating: "x", count: 26))], "INVALID_DATA"),
            ]
            for (item, code) in cases {
                let answer = await server.send("POST", path, ["tags": [item]], token: token)
                #expect(answer.status == 400 && answer.json?.first("tags")?["code"]?.string == code, "\(item): \(answer.text)")
            }
            #expect(
                await server.send("POST", "/crm/v7/settings/tags", ["tags": [["name": "x"]]], token: token).json?["code"]
                    == "REQUIRED_PARAM_MISSING")
            #expect(await server.send("GET", "/crm/v7/settings/tags?module=Nope", token: token).json?["code"] == "INVALID_MODULE")

            let mixed = await server.send("POST", path, ["tags": [["name": "a,b"], ["name": "Cold"]]], token: token)
            #expect(mixed.status == 207 && mixed.json?.codes("tags") == ["INVALID_DATA", "SUCCESS"])

            let listed = await server.send("GET", path + "&my_tags=True", token: token)
            #expect(listed.json?["info"] == ["count": 2, "allowed_count": 100])
            #expect(listed.json?["tags"]?.array?.map { $0["name"] } == ["Hot", "Cold"])

            let lead = try await server.add("Leads", ["Last_Name": "Kim", "Tag": [["name": "HOT"]]], token: token)
            #expect(await tags(server, lead, token) == ["Hot"])
            let changed = await server.send("PUT", "/crm/v7/settings/tags/\(id)?module=Leads", ["tags": [["name": "Warm"]]], token: token)
            #expect(changed.status == 200 && changed.json?.first("tags")?["details"]?["color_code"] == .null)
            #expect(await tags(server, lead, token) == ["Warm"])
            let list: JSONValue = ["tags": [["name": "x"], ["id": "12"], ["id": .string(id), "name": "Cold"]]]
            #expect(
                await server.send("PUT", path, list, token: token).json?.codes("tags") == [
                    "MANDATORY_NOT_FOUND", "INVALID_DATA", "DUPLICATE_DATA",
                ])

            let gone = await server.send("DELETE", "/crm/v7/settings/tags/\(id)", token: token)
            #expect(
                gone.json == [
                    "tags": [
                        "code": "SUCCESS", "details": ["id": .string(id)], "message": "tags deleted successfully", "status": "success",
                    ]
                ])
            #expect(await tags(server, lead, token) == [])
            #expect(await server.send("DELETE", "/crm/v7/settings/tags/\(id)", token: token).json?["code"] == "INVALID_DATA")

            let narrow = try await server.token("ZohoCRM.settings.tags.READ")
            #expect(await server.send("GET", path, token: narrow).status == 200)
            for method in ["POST", "PUT"] {
                #expect(await server.send(method, path, ["tags": [["name": "n"]]], token: narrow).status == 401)
            }
            #expect(await server.send("GET", path).status == 401)
        }
    }

    /// 54, 55: add, replace and take off, in the path and in lists; what is refused stays as it was.
    @Test(arguments: TestServer.engines) func recordsAreTaggedOneByOneAndInLists(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let one = try await server.add("Leads", ["Last_Name": "One"], token: token)
            let two = try await server.add("Leads", ["Last_Name": "Two"], token: token)
            let added = await server.send(
                "POST", "/crm/v7/Leads/\(one)/actions/add_tags", ["tags": [["name": "Hot", "color_code": "#63C57E"]]], token: token)
            #expect(added.status == 200)
            let shown = added.json?.first("data")?["details"]?["tags"]?.array?.first
            #expect(shown?["name"] == "Hot" && shown?["color_code"] == "#63C57E" && added.json?["success_count"] == nil)

            let list = await server.send(
                "POST", "/crm/v7/Leads/actions/add_tags",
                ["tags": [["name": "hot"], ["name": "New"]], "ids": [.string(one), .string(two), "99"]], token: token)
            #expect(list.status == 207 && list.json?.codes("data") == ["SUCCESS", "SUCCESS", "INVALID_DATA"])
            #expect(list.json?["success_count"] == "2" && list.json?["locked_count"] == "0")
            #expect(await tags(server, one, token) == ["Hot", "New"])

            let over = await server.send(
                "POST", "/crm/v7/Leads/actions/add_tags", ["tags": [["name": "Only"]], "ids": [.string(two)], "over_write": true],
                token: token)
            #expect(over.json?.first("data")?["message"] == "tags updated successfully")
            #expect(await tags(server, two, token) == ["Only"])

            let many = JSONValue.array((0..<10).map { ["name": .string("t\($0)")] })
            let refused = await server.send("POST", "/crm/v7/Leads/\(one)/actions/add_tags", ["tags": many], token: token)
            #expect(refused.status == 400 && refused.json?.first("data")?["code"] == "LIMIT_EXCEEDED")
            #expect(await tags(server, one, token) == ["Hot", "New"])

            let removed = await server.send(
                "POST", "/crm/v7/Leads/actions/remove_tags", ["tags": [["name": "Hot"]], "ids": [.string(one)]], token: token)
            #expect(
                removed.json?.first("data")?["details"]?["tags"]?.array?.map { $0["name"] } == ["New"]
                    && removed.json?["locked_count"] == "0")
            #expect(
                await server.send("POST", "/crm/v7/Leads/\(one)/actions/remove_tags", ["tags": [["id": "12"]]], token: token).json?["code"]
                    == "INVALID_DATA")
            let byQuery = await server.send(
                "POST", "/crm/v7/Leads/actions/add_tags?ids=\(one)&tag_names=Old&over_write=false", token: token)
            #expect(byQuery.status == 200)
            #expect(await tags(server, one, token) == ["New", "Old"])
            #expect(
                await server.send("POST", "/crm/v7/Leads/actions/add_tags?ids=\(one)&tag_names=Old&over_write=maybe", token: token).json?[
                    "code"] == "PATTERN_NOT_MATCHED")
            #expect(
                await server.send("POST", "/crm/v7/Leads/actions/add_tags", ["tags": [["name": "x"]]], token: token).json?["code"]
                    == "MANDATORY_NOT_FOUND")
            let reader = try await server.token("ZohoCRM.modules.leads.READ")
            #expect(
                await server.send("POST", "/crm/v7/Leads/\(one)/actions/add_tags", ["tags": [["name": "x"]]], token: reader).status == 401)
        }
    }

    /// 53, 56, 57, 58, and the hundred tags of a module.
    @Test(arguments: TestServer.engines) func tagsAreMergedCountedAndDeletedInBulk(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let made = try await make(server, ["A", "B", "C"], token: token)
            let both = try await server.add("Leads", ["Last_Name": "Both", "Tag": [["name": "A"], ["name": "B"]]], token: token)
            let onlyB = try await server.add("Leads", ["Last_Name": "B", "Tag": [["name": "B"]]], token: token)
            let merged = await server.send(
                "POST", "/crm/v7/settings/tags/\(made[0])/actions/merge", ["tags": [["conflict_id": .string(made[1])]]], token: token)
            #expect(merged.status == 200 && merged.json?.first("tags")?["message"] == "tags merged successfully")
            for lead in [both, onlyB] { #expect(await tags(server, lead, token) == ["A"]) }
            for conflict in [made[0], made[1], "77"] {
                let answer = await server.send(
                    "POST", "/crm/v7/settings/tags/\(made[0])/actions/merge", ["tags": [["conflict_id": .string(conflict)]]], token: token)
                #expect(answer.json?["code"] == "INVALID_DATA")
            }
            #expect(
                await server.send("POST", "/crm/v7/settings/tags/\(made[0])/actions/merge", ["tags": [[:]]], token: token).json?["code"]
                    == "MANDATORY_NOT_FOUND")

            let count = "/crm/v7/settings/tags/\(made[0])/actions/records_count"
            #expect(await server.send("GET", count + "?module=Leads", token: token).json == ["count": "2"])
            await server.send("DELETE", "/crm/v7/Leads/\(onlyB)", token: token)
            #expect(await server.send("GET", count + "?module=Leads", token: token).json == ["count": "1"])
            #expect(await server.send("GET", count + "?module=Contacts", token: token).json?["code"] == "INVALID_DATA")
            #expect(await server.send("GET", count, token: token).json?["code"] == "REQUIRED_PARAM_MISSING")

            let full = await server.send(
                "POST", "/crm/v7/settings/tags?module=Leads", ["tags": .array((0..<99).map { ["name": .string("t\($0)")] })], token: token)
            #expect(full.json?.codes("tags").filter { $0 == "LIMIT_EXCEEDED" }.count == 1)
            let extra = await server.send("POST", "/crm/v7/Leads/\(both)/actions/add_tags", ["tags": [["name": "one more"]]], token: token)
            #expect(extra.json?["code"] == "LIMIT_EXCEEDED")

            let path = "/crm/v7/settings/tags/actions/mass_delete"
            let asked = await server.send(
                "POST", path,
                ["mass_delete": [["module": ["api_name": "Leads"], "tags": [["id": .string(made[0])], ["id": .string(made[2])]]]]],
                token: token)
            #expect(asked.status == 202 && asked.json?["code"] == "SCHEDULED" && asked.json?["message"] == "tags scheduled successfully")
            let job = asked.json?["details"]?["job_id"]?.string ?? ""
            #expect(await server.send("GET", path + "?job_id=\(job)", token: token).json?.first("mass_delete")?["status"] == "SCHEDULED")
            await server.drain()
            let done: JSONValue = ["job_id": .string(job), "total_count": 2, "failed_count": 0, "deleted_count": 2, "status": "COMPLETED"]
            #expect(await server.send("GET", path + "?job_id=\(job)", token: token).json == ["mass_delete": [done]])
            // Killed before it was noted as done, it runs again, and counts nothing twice.
            try await server.services.database.run(.write) { tx in
                try tx.execute("UPDATE sys_job SET state = 'waiting' WHERE id = \(.id(RecordID(job) ?? RecordID(raw: 0)))")
            }
            await server.drain()
            #expect(await server.send("GET", path + "?job_id=\(job)", token: token).json == ["mass_delete": [done]])
            #expect(await tags(server, both, token) == [])
            #expect(await server.send("GET", path, token: token).status == 401)
            #expect(await server.send("GET", path + "?job_id=1", token: token).json?["code"] == "INVALID_DATA")
            let contacts = server.services.catalog.current().module("Contacts")?.id.raw ?? 0
            let disagreeing: JSONValue = ["api_name": "Leads", "id": .string(String(contacts))]
            let bad: [(JSONValue, String)] = [
                (["module": disagreeing, "tags": [["id": "1"]]], "AMBIGUITY_DURING_PROCESSING"),
                (["tags": [["id": "1"]]], "MANDATORY_NOT_FOUND"),
                (["module": ["api_name": "Leads"], "tags": [["id": .string(made[0])]]], "INVALID_DATA"),
                (["module": ["api_name": "Leads"], "tags": .array((0..<201).map { _ in ["id": "1"] })], "INVALID_DATA"),
            ]
            for (item, code) in bad {
                #expect(await server.send("POST", path, ["mass_delete": [item]], token: token).json?["code"]?.string == code)
            }
        }
    }
}
