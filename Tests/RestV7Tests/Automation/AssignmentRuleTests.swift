import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Rules that find owners. Contract: assignment-rules, 72; records, 125, 126, 128 and 134; convert-lead, 135.
@Suite struct AssignmentRuleTests {
    /// 72, response example; the entries are our extension.
    @Test(arguments: TestServer.engines)
    func rulesAreListedAsThePageHasThem(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            #expect(await cast.send("GET", AutomationCast.rules).status == 204)
            let id = try await cast.rule(cast.cityRule(fallback: cast.clerk.id))
            let listed = await cast.send("GET", AutomationCast.rules)
            let rule = listed.first("assignment_rules")
            #expect(listed.status == 200 && rule["id"] == .string(id) && rule["name"] == "Web leads" && rule["description"]?.isNull == true)
            #expect(rule["module"]?["api_name"] == "Leads" && rule["module"]?["id"] != nil)
            #expect(rule["default_assignee"] == ["name": "clerk@sales.example", "id": .id(cast.clerk.id)])
            #expect(
                rule["created_by"]?["name"] == "Ada Admin" && rule["created_time"] == rule["modified_time"] && rule["rule_entries"] == nil)
            let single = await cast.send("GET", AutomationCast.rules + "/\(id)?module=Leads").first("assignment_rules")
            let entry = single["rule_entries"]?.array?.first
            #expect(entry?["assignees"]?.array?.first?["source"] == ["name": "Sellers", "id": .id(cast.sales)])
            #expect(entry?["criteria"]?["field"]?["api_name"] == "City" && entry?["skip_unavailable_users"] == false)
            let without = await cast.send("GET", AutomationCast.rules + "/\(id)")
            #expect(without.status == 400 && without.code == "REQUIRED_PARAM_MISSING")
            #expect(await cast.send("GET", AutomationCast.rules + "/\(id)?module=Deals").status == 204)
            #expect(await cast.send("GET", AutomationCast.rules + "?module=Accounts").status == 204)
            #expect(await cast.send("GET", AutomationCast.rules + "?module=Campaigns").code == "INVALID_MODULE")
            let narrow = try await server.token("ZohoCRM.modules.ALL")
            #expect(await cast.send("GET", AutomationCast.rules, token: narrow).status == 401)
        }
    }

    /// The extension: what is wrong is named, and leaves nothing behind.
    @Test(arguments: TestServer.engines)
    func badRulesAreRefused(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            func changed(_ key: String, _ value: JSONValue?) -> JSONValue {
                var rule = cast.cityRule()
                rule[key] = value
                return rule
            }
            func entry(_ key: String, _ value: JSONValue?) -> JSONValue {
                var rule = cast.cityRule()
                var entry = rule["rule_entries"]?.array?.first ?? .null
                entry[key] = value
                rule["rule_entries"] = [entry]
                return rule
            }
            let path = "$.assignment_rules[0]."
            let cases: [(JSONValue, String, String?)] = [
                (changed("name", nil), "MANDATORY_NOT_FOUND", path + "name"),
                (changed("module", nil), "MANDATORY_NOT_FOUND", path + "module"),
                (changed("module", ["api_name": "Campaigns"]), "INVALID_DATA", path + "module"),
                (changed("rule_entries", nil), "EXPECTED_FIELD_MISSING", nil),
                (changed("rule_entries", []), "EXPECTED_FIELD_MISSING", nil),
                (changed("default_assignee", ["id": "12"]), "INVALID_DATA", path + "default_assignee.id"),
                (entry("criteria", nil), "MANDATORY_NOT_FOUND", path + "rule_entries[0].criteria"),
                (
                    entry("criteria", AutomationCast.test("Colour", "equal", "x")), "INVALID_DATA",
                    path + "rule_entries[0].criteria.field"
                ),
                (
                    entry("criteria", AutomationCast.test("City", "resembles", "x")), "INVALID_DATA",
                    path + "rule_entries[0].criteria.comparator"
                ),
                (
                    entry("criteria", AutomationCast.test("City", "equal", .string(String(repeating: "x", count: 256)))), "INVALID_DATA",
                    path + "rule_entries[0].criteria.value"
                ),
                (
                    entry("criteria", AutomationCast.test("City", "in", .array(Array(repeating: "x", count: 101)))), "INVALID_DATA",
                    path + "rule_entries[0].criteria.value"
                ),
                (
                    entry("criteria", AutomationCast.test("City", "in", [["x"]])), "INVALID_DATA", path + "rule_entries[0].criteria.value"
                ),
                (
                    entry("criteria", ["field": ["api_name": "City"], "comparator": ["a": 1], "value": .null]), "INVALID_DATA",
                    path + "rule_entries[0].criteria.comparator"
                ),
                (
                    entry("criteria", ["field": ["api_name": "City", "id": true], "comparator": "equal", "value": "x"]), "INVALID_DATA",
                    path + "rule_entries[0].criteria.field.id"
                ),
                (
                    entry(
                        "criteria",
                        (0..<11).reduce(AutomationCast.test("City", "equal", "x")) { inner, _ in
                            ["group_operator": "and", "group": [inner]]
                        }), "INVALID_DATA", path + "rule_entries[0].criteria" + String(repeating: ".group[0]", count: 10)
                ),
                (entry("assignees", nil), "MANDATORY_NOT_FOUND", path + "rule_entries[0].assignees"),
                (entry("assignees", []), "INVALID_DATA", path + "rule_entries[0].assignees"),
                (
                    entry("assignees", [["type": "users", "source": ["id": "12"]]]), "INVALID_DATA",
                    path + "rule_entries[0].assignees[0].source.id"
                ),
                (entry("id", "12"), "INVALID_DATA", path + "rule_entries[0].id"),
                (entry("skip_unavailable_users", "yes"), "INVALID_DATA", path + "rule_entries[0].skip_unavailable_users"),
            ]
            for (body, code, place) in cases {
                let answer = await cast.make(body)
                let refusal = answer.first("assignment_rules")
                #expect(answer.status == 400 && refusal["code"] == .string(code), "\(answer.text)")
                if let place { #expect(refusal["details"]?["json_path"] == .string(place), "\(answer.text)") }
            }
            #expect(await cast.send("GET", AutomationCast.rules).status == 204)
            _ = try await cast.rule(cast.cityRule())
            #expect(await cast.make(cast.cityRule()).first("assignment_rules")["code"] == "DUPLICATE_DATA")
            let denied = await cast.send(
                "POST", AutomationCast.rules, ["assignment_rules": [cast.cityRule("Rome")]], token: cast.clerk.token)
            #expect(denied.status == 403 && denied.first("assignment_rules")["code"] == "NO_PERMISSION", "\(denied.text)")
        }
    }

    /// 125: `lar_id` gives new records to people in turn; what meets nothing goes to the default, what names its owner keeps it.
    @Test(arguments: TestServer.engines)
    func aRuleGivesNewRecordsToPeopleInTurn(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let rule = try await cast.rule(cast.cityRule(fallback: cast.clerk.id))
            let three = cast.sellers.map(\.id)
            var named = cast.lead("Named")
            named["Owner"] = ["id": .id(three[2])]
            let first = try await cast.owners(
                ofLeads: [cast.lead("A"), cast.lead("B"), cast.lead("C", "Rome"), named, cast.lead("D")], rule: rule)
            #expect(first == [three[0], three[1], cast.clerk.id, three[2], three[2]])
            // The turn is kept between calls.
            #expect(try await cast.owners(ofLeads: [cast.lead("E"), cast.lead("F")], rule: rule) == [three[0], three[1]])
            #expect(try await cast.owners(ofLeads: [cast.lead("G")], rule: nil) == [RecordID(raw: server.administrator.id.raw)])
        }
    }

    /// 126 and 128: changes and upserts find owners as well, and the new values count.
    @Test(arguments: TestServer.engines)
    func changesFindOwnersToo(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let rule = try await cast.rule(cast.cityRule())
            let id = try await server.add("Leads", cast.lead("A", "Rome"), token: cast.token)
            let admin = RecordID(raw: server.administrator.id.raw)
            _ = await cast.send("PUT", "Leads/\(id)", ["data": [["Phone": "1"]], "lar_id": .string(rule)])
            #expect(await cast.owner("Leads", id) == admin)
            let changed = await cast.send("PUT", "Leads", ["data": [["id": .string(id), "City": "Oslo"]], "lar_id": .string(rule)])
            #expect(changed.status == 200)
            #expect(await cast.owner("Leads", id) == cast.sellers[0].id)
            let upserted = await cast.send(
                "POST", "Leads/upsert",
                [
                    "data": [["Last_Name": "B", "Email": "b@x.example", "City": "Oslo"], ["Last_Name": "C", "Email": "b@x.example"]],
                    "lar_id": .string(rule),
                ])
            let ids = upserted.rows.compactMap { $0["details"]?["id"]?.string }
            #expect(upserted.status == 200 && ids.count == 2 && ids[0] == ids[1], "\(upserted.text)")
            #expect(await cast.owner("Leads", ids[0]) == cast.sellers[1].id)
            #expect(try await cast.owners(ofLeads: [cast.lead("Z")], rule: rule) == [cast.sellers[2].id])
        }
    }

    /// 125, lar_id: an unknown, inactive or foreign rule refuses the call, and nothing is written.
    @Test(arguments: TestServer.engines)
    func aRuleThatCannotBeUsedRefusesTheWrite(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let rule = try await cast.rule(cast.cityRule())
            let other = try await cast.rule([
                "name": "Deals", "module": ["api_name": "Deals"], "default_assignee": ["id": .id(cast.clerk.id)],
            ])
            let off = await cast.send("PUT", AutomationCast.rules + "/\(rule)", ["assignment_rules": [["active": false]]])
            #expect(off.status == 200 && off.first("assignment_rules")["message"] == "assignment rule updated successfully")
            for wrong: JSONValue in ["12", .string(other), .string(rule), "abc", true] {
                let answer = await cast.send("POST", "Leads", ["data": [cast.lead("A")], "lar_id": wrong])
                #expect(answer.status == 400 && answer.code == "INVALID_DATA", "\(answer.text)")
                #expect(answer.json?["details"]?["json_path"] == "$.lar_id")
            }
            #expect(await cast.send("GET", "Leads?fields=id").status == 204)
            #expect(await cast.send("POST", "Leads", ["data": [cast.lead("A")], "lar_id": .null]).status == 201)
        }
    }

    /// 134: the change of owner is an entry of its own, by the rule; nothing else says it was automatic.
    @Test(arguments: TestServer.engines)
    func theTimelineNamesTheRule(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let rule = try await cast.rule(cast.cityRule())
            let made = await cast.send("POST", "Leads", ["data": [cast.lead("A")], "lar_id": .string(rule)])
            let id = made.rows.first?["details"]?["id"]?.string ?? ""
            let entries = await cast.send("GET", "Leads/\(id)/__timeline").json?["__timeline"]?.array ?? []
            #expect(
                entries.map { $0["action"] } == ["owner_assigned", "added"]
                    && entries.map { $0["source"] } == ["assignment_rules", "crm_api"])
            #expect(
                entries.first?["automation_details"] == [
                    "type": "assignment_rules", "rule": ["name": "Web leads", "id": .string(rule)],
                ])
            #expect(entries.last?["automation_details"]?.isNull == true)
            #expect(entries.first?["done_by"]?["name"] == "Ada Admin")
            #expect(entries.first?["field_history"]?.array?.first?["_value"] == ["old": "Ada Admin", "new": "one@sales.example"])
            let filter = PercentCoding.encode(#"{"field":{"api_name":"source"},"comparator":"equal","value":"assignment_rules"}"#)
            #expect(await cast.send("GET", "Leads/\(id)/__timeline?filters=" + filter).info["count"] == 1)
            // The rule's name at that time stays, whatever becomes of the rule.
            #expect(await cast.send("DELETE", AutomationCast.rules + "/\(rule)").status == 200)
            let after = await cast.send("GET", "Leads/\(id)/__timeline").json?["__timeline"]?.array ?? []
            #expect(after.first?["automation_details"]?["rule"]?["name"] == "Web leads")
        }
    }

    /// 75 to 78: who is away gets nothing where the entry says so.
    @Test(arguments: TestServer.engines)
    func whoIsAwayIsPassedOverWhereTheEntrySaysSo(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let rule = try await cast.rule(cast.cityRule(skips: true, fallback: cast.clerk.id))
            func leave(_ person: RecordID) async throws {
                let now = server.clock.now().milliseconds
                let times = [now - 1_000, now + 1_200_000].map { JSONValue.string(Instant(milliseconds: $0).iso(offsetMinutes: 0)) }
                let answer = await cast.send(
                    "POST", "settings/users_unavailability",
                    ["users_unavailability": [["from": times[0], "to": times[1], "user": ["id": .id(person)]]]])
                try #require(answer.status == 201, "\(answer.text)")
            }
            let three = cast.sellers.map(\.id)
            try await leave(three[1])
            let leads = ["A", "B", "C"].map { cast.lead($0) }
            #expect(try await cast.owners(ofLeads: leads, rule: rule) == [three[0], three[2], three[0]])
            try await leave(three[0])
            try await leave(three[2])
            #expect(try await cast.owners(ofLeads: [cast.lead("D")], rule: rule) == [cast.clerk.id])
            server.clock.advance(seconds: 1_800)
            #expect(try await cast.owners(ofLeads: [cast.lead("E")], rule: rule) == [three[1]])
        }
    }

    /// Users who are inactive get nothing; a deleted user's heir takes the places in rules (users, 122).
    @Test(arguments: TestServer.engines)
    func whoGoesIsReplacedInRules(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let three = cast.sellers.map(\.id)
            var body = cast.cityRule(fallback: three[0])
            body["rule_entries"] = [
                [
                    "criteria": AutomationCast.test("City", "equal", "Oslo"),
                    "assignees": [["type": "users", "source": ["id": .id(three[0])]]],
                ]
            ]
            let rule = try await cast.rule(body)
            #expect(try await cast.owners(ofLeads: [cast.lead("A"), cast.lead("B")], rule: rule) == [three[0], three[0]])
            _ = await cast.send("PUT", "users/\(three[0])", ["users": [["status": "inactive"]]])
            #expect(try await cast.owners(ofLeads: [cast.lead("C")], rule: rule) == [RecordID(raw: server.administrator.id.raw)])
            let gone = await cast.send(
                "POST", "users/\(three[0])/actions/transfer_and_delete",
                [
                    "transfer_and_delete": [
                        [
                            "id": .id(three[0]),
                            "transfer": ["id": .id(three[1]), "records": false, "assignment": true, "criteria": false],
                        ]
                    ]
                ])
            #expect(gone.status == 200, "\(gone.text)")
            #expect(
                try await cast.owners(ofLeads: [cast.lead("D"), cast.lead("E", "Rome")], rule: rule) == [three[1], three[1]])
        }
    }

    /// user-groups, 48; roles, U25: a group or role that goes leaves the rules that name it.
    @Test(arguments: TestServer.engines)
    func groupsTellWhatNamesThem(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let made = await cast.send(
                "POST", "settings/user_groups",
                ["user_groups": [["name": "Inside", "sources": [["type": "users", "source": ["id": .id(cast.clerk.id)]]]]]])
            let group = made.first("user_groups")["details"]?["id"]?.string ?? ""
            let path = "settings/user_groups/\(group)/actions/associations"
            #expect(await cast.send("GET", path).status == 204)
            var body = cast.cityRule()
            let entry = body["rule_entries"]?.array?.first ?? .null
            var second = entry
            second["criteria"] = AutomationCast.test("City", "equal", "Rome")
            second["assignees"] = [["type": "groups", "source": ["id": .string(group)]]]
            body["rule_entries"] = [entry, second]
            let rule = try await cast.rule(body)
            let account = try await server.add("Accounts", ["Account_Name": "Acme"], token: cast.token)
            let shared = await cast.send(
                "POST", "Accounts/\(account)/actions/share",
                ["share": [["shared_with": ["id": .string(group), "type": "groups"], "type": "private", "permission": "read_only"]]])
            #expect(shared.status == 200, "\(shared.text)")
            let found = await cast.send("GET", path).json?["associations"]?.array ?? []
            #expect(found.map { $0["type"] } == ["assignment_rules", "data_sharing"], "\(found)")
            #expect(found.first?["resource"] == ["name": "Web leads", "id": .string(rule)])
            #expect(
                found.first?["details"]?["module"]?["api_name"] == "Leads" && found.last?["details"]?["module"]?["api_name"] == "Accounts")
            #expect(try await cast.owners(ofLeads: [cast.lead("A", "Rome")], rule: rule) == [cast.clerk.id])
            #expect(await cast.send("DELETE", "settings/user_groups/\(group)").status == 200)
            let admin = RecordID(raw: server.administrator.id.raw)
            #expect(try await cast.owners(ofLeads: [cast.lead("B", "Rome")], rule: rule) == [admin])
            // The users of a deleted role take another, and so does the rule.
            let heir = server.services.catalog.current().documents(.role)[0].id
            #expect(await cast.send("DELETE", "settings/roles/\(cast.sales)?transfer_to_id=\(heir)").status == 200)
            let single = await cast.send("GET", AutomationCast.rules + "/\(rule)?module=Leads").first("assignment_rules")
            #expect(single["rule_entries"]?.array?.first?["assignees"]?.array?.first?["source"]?["id"] == .id(heir))
        }
    }

    /// 135: new records of a conversion find owners by the rule of their module; the lead's owner is not theirs then.
    @Test(arguments: TestServer.engines)
    func conversionsFindOwners(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let rule = try await cast.rule([
                "name": "Contacts", "module": ["api_name": "Contacts"], "default_assignee": ["id": .id(cast.clerk.id)],
            ])
            let leads = try await cast.rule(cast.cityRule())
            let lead = try await server.add("Leads", cast.lead("Kim"), token: cast.token)
            let path = "Leads/\(lead)/actions/convert"
            for (body, code) in [
                (["lar_id": .string(leads)], "INVALID_DATA"), (["lar_id": "12"], "INVALID_DATA"),
                (["lar_id": .string(rule), "assign_to": ["id": .id(cast.clerk.id)]], "AMBIGUITY_DURING_PROCESSING"),
            ] as [(JSONValue, String)] {
                let refused = await cast.send("POST", path, ["data": [body]])
                #expect(refused.status == 400 && refused.codes == [code], "\(refused.text)")
            }
            let done = await cast.send("POST", path, ["data": [["lar_id": .string(rule)]]])
            let made = done.rows.first?["details"]
            #expect(done.status == 200, "\(done.text)")
            #expect(await cast.owner("Contacts", made?["Contacts"]?["id"]?.string ?? "") == cast.clerk.id)
            #expect(await cast.owner("Accounts", made?["Accounts"]?["id"]?.string ?? "") == RecordID(raw: server.administrator.id.raw))
        }
    }

    /// global-picklists, U32: rules whose criteria name an option.
    @Test(arguments: TestServer.engines)
    func optionsTellWhatNamesThem(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let cast = try await AutomationCast(server)
            let made = await cast.send(
                "POST", "settings/global_picklists",
                [
                    "global_picklists": [
                        ["display_label": "Tier", "pick_list_values": [["display_value": "Gold"], ["display_value": "Tin"]]]
                    ]
                ])
            let list = made.first("global_picklists")["details"]?["id"]?.string ?? ""
            let fields = await cast.organisation.makeFields(
                "Leads", [["field_label": "Tier", "data_type": "picklist", "global_picklist": ["id": .string(list)]]], cast.token)
            try #require(fields.status < 300, "\(fields.text)")
            let options =
                await cast.send("GET", "settings/global_picklists/\(list)").first("global_picklists")["pick_list_values"]?.array ?? []
            func id(_ name: String) -> String { options.first { $0["display_value"] == .string(name) }?["id"]?.string ?? "" }
            func uses(_ name: String) async -> TestServer.Answer {
                await cast.send(
                    "GET", "settings/global_picklists/\(list)/actions/pick_list_values_associations?picklist_value_id=\(id(name))")
            }
            #expect(await uses("Gold").status == 204)
            var body = cast.cityRule()
            var entry = body["rule_entries"]?.array?.first ?? .null
            entry["criteria"] = [
                "group_operator": "and",
                "group": [AutomationCast.test("Tier", "equal", "Gold"), AutomationCast.test("City", "equal", "Tin")],
            ]
            body["rule_entries"] = [entry]
            let rule = try await cast.rule(body)
            let found = await uses("Gold").first("pick_list_values_associations")
            #expect(found["type"] == "assignment_rule" && found["resources"]?.array?.first?["id"] == .string(rule), "\(found)")
            #expect(await uses("Tin").status == 204)
        }
    }
}
