import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Locks on records and how modules lock theirs. Contract: `endpoints/record-locking.md`, 165 to 168;
/// `endpoints/record-locking-configuration.md`, 102 to 105; `merge.md`, rule 14.
@Suite struct LockingTests {
    private static let settings = "/crm/v7/settings/record_locking_configurations"
    private static let scopes = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.change_owner.ALL"

    private func configure(_ server: TestServer, _ body: JSONValue, _ token: String) async -> String {
        let answer = await server.send("POST", Self.settings + "?module=Leads", ["record_locking_configurations": [body]], token: token)
        #expect(answer.status == 201, "\(answer.text)")
        return answer.json?.first("record_locking_configurations")?["details"]?["id"]?.string ?? ""
    }

    private func status(_ server: TestServer, _ id: String, _ token: String) async -> [JSONValue?] {
        let record = await server.record("Leads", id, token: token)
        return [record?["Locked__s"], record?["$locked_for_me"]]
    }

    @Test(arguments: TestServer.engines) func aLockedRecordRefusesWhatItsConfigurationForbids(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let ana = try await server.addUser("Ana")
            let lead = try await server.add("Leads", ["Last_Name": "Kim", "City": "Oslo"], token: token)
            let other = try await server.add("Leads", ["Last_Name": "Lee"], token: token)
            let path = "/crm/v7/Leads/\(lead)/Locking_Information__s"
            let why: JSONValue = ["data": [["Locked_Reason__s": "audit"]]]
            #expect(await server.send("POST", path, why, token: token).json?["code"] == "NOT_ALLOWED")
            #expect(await server.send("GET", path + "?fields=Owner", token: token).json?["code"] == "NOT_ALLOWED")
            let standard = server.services.catalog.current().documents(.profile).first { $0.body["name"] == "Standard" }
            let configuration = await configure(
                server,
                [
                    "lock_type": "manual", "restricted_actions": ["delete", "tags", "change_owner"],
                    "excluded_fields": [["api_name": "Description"]],
                    "locked_for": "all_profiles_except_excluded_profiles",
                    "lock_excluded_profiles": [["id": standard.map { .id($0.id) } ?? .null]],
                ], token)

            let locked = await server.send("POST", path, why, token: token)
            #expect(locked.status == 201 && locked.json?.first("data")?["message"] == "record added", "\(locked.text)")
            let lock = locked.json?.first("data")?["details"]?["id"]?.string ?? ""
            #expect(await status(server, lead, token) == [true, true])
            #expect(await status(server, lead, try await server.token(of: ana)) == [true, false], "her profile is excluded")
            let again = await server.send("POST", path, why, token: token)
            #expect(again.status == 403 && again.json?["code"] == "NOT_ALLOWED")

            let listed = await server.send("GET", path + "?fields=Locked_Reason__s,Lock_Source__s,Locked_For__s", token: token)
            let row = listed.json?.first("data")
            #expect(
                row?["id"] == .string(lock) && row?["Locked_Reason__s"] == "audit" && row?["Lock_Source__s"] == "Manual"
                    && row?["Locked_By__s"] == nil)
            #expect(row?["Locked_For__s"]?["name"] == "Kim" && listed.json?["info"]?["count"] == 1)
            let single = await server.send("GET", "\(path)/\(lock)", token: token)
            #expect(
                single.json?.first("data")?["Record_Locking_Configuration_Id__s"] == .string(configuration) && single.json?["info"] == nil)
            #expect(await server.send("GET", path, token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(await server.send("GET", "\(path)/12", token: token).json?["code"] == "INVALID_DATA")

            let refused: [(String, String, JSONValue?)] = [
                ("PUT", "/crm/v7/Leads/\(lead)", ["data": [["City": "Rome"]]]),
                ("PUT", "/crm/v7/Leads/\(lead)", ["data": [["Description": "x", "City": "Rome"]]]),
                ("PUT", "/crm/v7/Leads/\(lead)", ["data": [["Tag": [["name": "t"]]]]]),
                ("POST", "/crm/v7/Leads/upsert", ["data": [["id": .string(lead), "Last_Name": "Kim", "City": "Rome"]]]),
                ("DELETE", "/crm/v7/Leads/\(lead)", nil),
                ("POST", "/crm/v7/Leads/\(lead)/actions/add_tags", ["tags": [["name": "t"]]]),
                ("POST", "/crm/v7/Leads/\(lead)/actions/change_owner", ["owner": ["id": .string(String(ana.id.raw))]]),
            ]
            for (method, path, body) in refused {
                let answer = await server.send(method, path, body, token: token)
                #expect(answer.status == 400 && answer.json?.first("data")?["code"] == "RECORD_LOCKED", "\(method) \(path): \(answer.text)")
                #expect(answer.json?.first("data")?["message"] == "record is locked")
            }
            #expect(await server.record("Leads", lead, token: token)?["City"] == "Oslo")
            #expect(await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["Description": "may be"]]], token: token).status == 200)
            #expect(
                await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["City": "Rome"]]], token: try await server.token(of: ana))
                    .status == 200)
            for (master, child) in [(lead, other), (other, lead)] {
                let merge = await server.send(
                    "POST", "/crm/v7/Leads/\(master)/actions/merge", ["merge": [["data": [["id": .string(child)]]]]], token: token)
                #expect(merge.status == 400 && merge.text.contains("Record is not allowed for merging"), "\(merge.text)")
            }

            let changed = await server.send("PUT", "\(path)/\(lock)", ["data": [["Locked_Reason__s": "second audit"]]], token: token)
            #expect(changed.json?.first("data")?["message"] == "relation updated")
            #expect(await server.send("GET", "\(path)/\(lock)", token: token).json?.first("data")?["Locked_Reason__s"] == "second audit")
            #expect(await server.send("PUT", "\(path)/\(lock)", ["data": [[:]]], token: token).json?["code"] == "MANDATORY_NOT_FOUND")
            let few = try await server.token("ZohoCRM.modules.leads.ALL")
            for method in ["GET", "PUT", "DELETE"] { #expect(await server.send(method, "\(path)/\(lock)", why, token: few).status == 401) }
            let free = await server.send("DELETE", "\(path)/\(lock)", token: token)
            #expect(free.json?.first("data")?["message"] == "relation removed")
            #expect(await status(server, lead, token) == [false, false])
            #expect(await server.send("GET", path + "?fields=Owner", token: token).status == 204)
            #expect(await server.send("PUT", "/crm/v7/Leads/\(lead)", ["data": [["City": "Bonn"]]], token: token).status == 200)
            #expect(
                await server.send("POST", "/crm/v7/Campaigns/1/Locking_Information__s", why, token: token).json?["code"] == "INVALID_MODULE"
            )
            #expect(await server.send("POST", "/crm/v7/Leads/12/Locking_Information__s", why, token: token).json?["code"] == "INVALID_DATA")
        }
    }

    /// `docs/merge-rules.md`, undo: what a lock forbids to edit, no undo edits.
    @Test(arguments: TestServer.engines) func aLockedSurvivorStaysAsItIs(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let ana = try await server.addUser("Ana")
            let master = try await server.add("Leads", ["Last_Name": "Kim"], token: token)
            let child = try await server.add("Leads", ["Last_Name": "Lee"], token: token)
            let standard = server.services.catalog.current().documents(.profile).first { $0.body["name"] == "Standard" }
            _ = await configure(
                server,
                [
                    "lock_type": "manual", "locked_for": "all_profiles_except_excluded_profiles",
                    "lock_excluded_profiles": [["id": standard.map { .id($0.id) } ?? .null]],
                ], token)
            let merged = await server.send(
                "POST", "/crm/v7/Leads/\(master)/actions/merge?verbose=true", ["merge": [["data": [["id": .string(child)]]]]], token: token)
            let journal: JSONValue = ["journal_id": merged.first("merge")["details"]?["journal_id"] ?? .null]
            let path = "/crm/v7/Leads/\(master)/Locking_Information__s"
            #expect(await server.send("POST", path, ["data": [["Locked_Reason__s": "audit"]]], token: token).status == 201)
            let before = try await RecordDump.take(server.services)
            let undo = "/crm/v7/Leads/\(master)/actions/unmerge"
            let refused = await server.send("POST", undo, journal, token: token)
            #expect(refused.status == 400 && refused.json?["code"] == "RECORD_LOCKED", "\(refused.text)")
            #expect(try await RecordDump.take(server.services).differences(from: before).isEmpty)
            let excluded = await server.send("POST", undo, journal, token: try await server.token(of: ana))
            #expect(excluded.status == 200, "her profile is excluded: \(excluded.text)")
            #expect(await server.record("Leads", child, token: token)?["Last_Name"] == "Lee")
        }
    }

    @Test(arguments: TestServer.engines) func rulesLockWhatMatchesAndFreeWhatNoLongerDoes(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let old = try await server.add("Leads", ["Last_Name": "Old", "City": "Oslo"], token: token)
            let rule: JSONValue = [
                "name": "Oslo", "lock_existing_records": true,
                "criteria": ["field": ["api_name": "City"], "comparator": "equal", "value": "Oslo"],
            ]
            let configuration = await configure(
                server, ["lock_type": "automatic", "locking_rules": [rule], "excluded_fields": [["api_name": "City"]]], token)
            let new = try await server.add("Leads", ["Last_Name": "New", "City": "oslo"], token: token)
            let free = try await server.add("Leads", ["Last_Name": "Free", "City": "Rome"], token: token)
            #expect(await status(server, new, token) == [true, true])
            #expect(await status(server, free, token) == [false, false])
            #expect(await status(server, old, token) == [false, false])
            await server.drain()
            #expect(await status(server, old, token) == [true, true])

            let path = "/crm/v7/Leads/\(new)/Locking_Information__s"
            let row = await server.send("GET", path + "?fields=Lock_Source__s,Locked_By__s,Record_Locking_Rule_Id__s", token: token).json?
                .first("data")
            #expect(
                row?["Lock_Source__s"] == "Automatic" && row?["Locked_By__s"] == .null && row?["Record_Locking_Rule_Id__s"]?.string != nil)
            let byHand = await server.send("DELETE", "\(path)/\(row?["id"]?.string ?? "")", token: token)
            #expect(byHand.status == 403 && byHand.json?["code"] == "NOT_ALLOWED")
            #expect(
                await server.send(
                    "POST", "/crm/v7/Leads/\(free)/Locking_Information__s", ["data": [["Locked_Reason__s": "x"]]], token: token
                ).status == 403)
            await server.send("PUT", "/crm/v7/Leads/\(new)", ["data": [["City": "Bonn"]]], token: token)
            #expect(await status(server, new, token) == [false, false])
            await server.send("PUT", "/crm/v7/Leads/\(free)", ["data": [["City": "Oslo"]]], token: token)
            #expect(await status(server, free, token) == [true, true])

            #expect(await server.send("DELETE", Self.settings + "/12?module=Leads", token: token).status == 400)
            let gone = await server.send("DELETE", Self.settings + "/\(configuration)?module=Leads", token: token)
            #expect(gone.json?.first("record_locking_configurations")?["message"] == "record locking configuration deleted")
            await server.drain()
            for id in [old, free] { #expect(await status(server, id, token) == [false, false]) }
            #expect(await server.send("GET", Self.settings + "?module=Leads", token: token).status == 204)
        }
    }

    @Test(arguments: TestServer.engines) func configurationsAreCheckedAndChanged(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let path = Self.settings + "?module=Leads"
            let leaf: JSONValue = ["field": ["api_name": "City"], "comparator": "equal", "value": "Oslo"]
            let other = server.services.catalog.current().module("Leads")?.field("Company")?.id.raw ?? 0
            let bad: [(JSONValue, String)] = [
                ([:], "MANDATORY_NOT_FOUND"), (["lock_type": "never"], "INVALID_DATA"),
                (["lock_type": "automatic"], "DEPENDENT_FIELD_MISSING"),
                (["lock_type": "manual", "locked_for": "all_profiles_except_excluded_profiles"], "DEPENDENT_FIELD_MISSING"),
                (["lock_type": "manual", "excluded_fields": [["api_name": "Nope"]]], "INVALID_DATA"),
                (
                    ["lock_type": "manual", "excluded_fields": [["api_name": "City", "id": .string(String(other))]]],
                    "AMBIGUITY_DURING_PROCESSING"
                ),
                (["lock_type": "manual", "restricted_actions": ["sing"]], "INVALID_DATA"),
                (["lock_type": "manual", "restricted_custom_buttons": [["id": "1"]]], "INVALID_DATA"),
                (["lock_type": "both", "locking_rules": [["criteria": leaf]]], "MANDATORY_NOT_FOUND"),
                (
                    [
                        "lock_type": "both",
                        "locking_rules": [["name": "r", "criteria": ["field": [:], "comparator": "equal", "value": "x"]]],
                    ], "EXPECTED_FIELD_MISSING"
                ),
                (
                    [
                        "lock_type": "both",
                        "locking_rules": [
                            ["name": "r", "criteria": ["field": ["api_name": "City"], "comparator": "sounds", "value": "x"]]
                        ],
                    ], "NOT_SUPPORTED"
                ),
                (
                    ["lock_type": "both", "locking_rules": [["name": "r", "criteria": leaf], ["name": "r2", "criteria": leaf]]],
                    "DUPLICATE_DATA"
                ),
                (
                    [
                        "lock_type": "both",
                        "locking_rules": .array(
                            (0..<11).map {
                                [
                                    "name": .string("r\($0)"),
                                    "criteria": ["field": ["api_name": "City"], "comparator": "equal", "value": .string("c\($0)")],
                                ]
                            }),
                    ], "LIMIT_EXCEEDED"
                ),
            ]
            for (body, code) in bad {
                let answer = await server.send("POST", path, ["record_locking_configurations": [body]], token: token)
                #expect(
                    answer.status == 400 && answer.json?.first("record_locking_configurations")?["code"]?.string == code,
                    "\(body.text.prefix(90)): \(answer.text)")
            }
            #expect(await server.send("GET", path, token: token).status == 204)
            let id = await configure(server, ["lock_type": "both", "locking_rules": [["name": "r", "criteria": leaf]]], token)
            let shown = await server.send("GET", path + "&feature_type=record_locking", token: token).json?.first(
                "record_locking_configurations")
            #expect(
                shown?["restricted_actions"] == ["update"] && shown?["locked_for"] == "all_profiles"
                    && shown?["lock_for_portal_users"] == true)
            #expect(shown?["created_by"]?["name"] == .string(server.administrator.fullName) && shown?["system_defined"] == false)
            let rule = shown?["locking_rules"]?.array?.first
            #expect(rule?["criteria"]?["field"]?["api_name"] == "City" && rule?["criteria"]?["field"]?["id"]?.string != nil)
            let second = await server.send("POST", path, ["record_locking_configurations": [["lock_type": "manual"]]], token: token)
            #expect(second.json?.first("record_locking_configurations")?["code"] == "LIMIT_EXCEEDED")

            let drop: JSONValue = [
                "lock_type": "manual", "locking_rules": [["id": rule?["id"] ?? .null, "_delete": true]], "restricted_actions": ["delete"],
            ]
            let changed = await server.send(
                "PUT", Self.settings + "/\(id)?module=Leads", ["record_locking_configurations": [drop]], token: token)
            #expect(
                changed.json?.first("record_locking_configurations")?["message"] == "record locking configuration updated successfully",
                "\(changed.text)")
            let after = await server.send("GET", path, token: token).json?.first("record_locking_configurations")
            #expect(
                after?["locking_rules"] == .null && after?["restricted_actions"] == ["update", "delete"] && after?["lock_type"] == "manual")
            #expect(
                await server.send("PUT", path, ["record_locking_configurations": [["lock_type": "manual"]]], token: token).json?["code"]
                    == "MANDATORY_NOT_FOUND")
            let unknown = await server.send(
                "PUT", path, ["record_locking_configurations": [["id": "12", "lock_type": "manual"]]], token: token)
            #expect(unknown.json?.first("record_locking_configurations")?["code"] == "INVALID_DATA")

            #expect(await server.send("GET", Self.settings, token: token).json?["code"] == "REQUIRED_PARAM_MISSING")
            #expect(await server.send("GET", Self.settings + "?module=Nope", token: token).json?["code"] == "INVALID_MODULE")
            #expect(await server.send("GET", Self.settings + "?module=Campaigns", token: token).json?["code"] == "NOT_SUPPORTED")
            let reader = try await server.token("ZohoCRM.settings.record_locking_configurations.READ")
            #expect(await server.send("GET", path, token: reader).status == 200)
            for method in ["POST", "PUT"] { #expect(await server.send(method, path, [:], token: reader).status == 401) }
        }
    }

    /// 103: tasks are locked when they are closed, and by nothing else.
    @Test(arguments: TestServer.engines) func tasksAreLockedByTheirClosedStatusOnly(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token("ZohoCRM.modules.ALL,ZohoCRM.settings.ALL")
            func add(_ field: String, _ comparator: String, _ value: JSONValue) async -> TestServer.Answer {
                let criteria: JSONValue = ["field": ["api_name": .string(field)], "comparator": .string(comparator), "value": value]
                let rule: JSONValue = ["name": "Done", "criteria": criteria]
                return await server.send(
                    "POST", "/crm/v7/settings/record_locking_configurations?module=Tasks",
                    ["record_locking_configurations": [["lock_type": "automatic", "locking_rules": [rule]]]], token: token)
            }
            for (field, comparator, value) in [
                ("Priority", "equal", "High"), ("Status", "equal", "Deferred"), ("Status", "not_equal", "Completed"),
            ] as [(String, String, JSONValue)] {
                let refused = await add(field, comparator, value)
                #expect(refused.status == 400 && refused.text.contains("NOT_SUPPORTED"), "\(refused.text)")
            }
            #expect(await add("Status", "equal", "Completed").status == 201)
            let task = try await server.add("Tasks", ["Subject": "Call", "Status": "Completed"], token: token)
            let change = await server.send("PUT", "/crm/v7/Tasks/\(task)", ["data": [["Subject": "Again"]]], token: token)
            #expect(change.text.contains("RECORD_LOCKED"), "\(change.text)")
        }
    }
}
