import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Portals, their user types and users. Contract: portals, 79 to 92.
@Suite struct PortalTests {
    /// 79, 80, 81.
    @Test(arguments: TestServer.engines) func portalsAreMadeAndRenamed(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let caller = try await RecordCaller(server)
            #expect(await caller.send("GET", "settings/portals").status == 204)
            let made = await caller.send("POST", "settings/portals", ["portals": [["name": "clientdesk"]]])
            #expect(
                made.json == [
                    "portals": [
                        [
                            "code": "SUCCESS", "details": ["name": "clientdesk"], "message": "Portal created successfully with given name.",
                            "status": "success",
                        ]
                    ]
                ])
            for (body, code) in [
                (["name": "ClientDesk"], "ALREADY_USED"), (["name": "a b"], "PATTERN_NOT_MATCHED"), ([:], "MANDATORY_NOT_FOUND"),
                (["name": 5], "INVALID_DATA"),
            ] as [(JSONValue, String)] {
                let answer = await caller.send("POST", "settings/portals", ["portals": [body]])
                #expect(answer.status == 400 && answer.json?["portals"]?.array?.first?["code"]?.string == code, "\(answer.text)")
            }
            let renamed = await caller.send("PUT", "settings/portals/clientdesk", ["portals": [["name": "desk2"]]])
            #expect(renamed.json?["portals"]?.array?.first?["message"] == "Portal renamed successfully with given name.")
            let one = await caller.send("GET", "settings/portals/desk2").json?["portals"]?.array?.first ?? .null
            #expect(one["name"] == "desk2" && one["active"] == true && one["zaid"]?.string != nil)
            #expect(one["created_by"]?["id"] == .string(String(server.administrator.id.raw)))
            #expect(await caller.send("GET", "settings/portals/clientdesk").status == 204)
            #expect(await caller.send("PUT", "settings/portals/nope", ["portals": [["name": "x"]]]).code == "INVALID_DATA")
            #expect(
                await server.send("GET", "/crm/v7/settings/portals", token: try await server.token("ZohoCRM.modules.ALL")).status == 401)
        }
    }

    /// 82 to 85.
    @Test(arguments: TestServer.engines) func userTypesSayWhatIsSeen(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await PortalBench(server)
            let path = "settings/portals/clientdesk/user_type"
            #expect(await bench.caller.send("GET", path).status == 204)
            #expect(await bench.caller.send("GET", "settings/portals/nope/user_type").code == "INVALID_DATA")
            func first(_ change: @escaping (inout JSONValue) -> Void) -> (inout JSONValue) -> Void {
                { body in
                    var modules = body["modules"]?.array ?? []
                    change(&modules[0])
                    body["modules"] = .array(modules)
                }
            }
            let catalog = server.services.catalog.current()
            let contacts = try #require(catalog.module("Contacts"))
            let account = try #require(contacts.field("Account_Name"))
            let name = try #require(contacts.field("Last_Name"))
            let bad: [((inout JSONValue) -> Void, String)] = [
                ({ $0["name"] = nil }, "REQUIRED_PARAM_MISSING"), ({ $0["name"] = " \u{00A0}" }, "REQUIRED_PARAM_MISSING"),
                ({ $0["modules"] = [] }, "REQUIRED_PARAM_MISSING"),
                ({ $0["personality_module"] = ["api_name": "Tasks"] }, "NOT_ACTIVE_PERSONALITY_MODULE"),
                (first { $0["layouts"] = .null }, "DEPENDENT_FIELD_MISSING"),
                (first { $0["permissions"] = ["view": false] }, "INVALID_DATA"),
                (first { $0["views"] = ["id": "12", "type": "custom_view"] }, "INVALID_DATA"),
                (first { $0["views"] = ["type": "custom_view"] }, "DEPENDENT_FIELD_MISSING"),
                (first { $0["filters"] = [["id": .string(String(account.id.raw))]] }, "INVALID_DATA"),
                (first { $0["fields"] = [["id": "12"]] }, "INVALID_DATA"),
                (first { $0["fields"] = [["id": .string(String(name.id.raw)), "read_only": true]] }, "INVALID_DATA"),
                (first { $0["shared_type"] = "secret" }, "INVALID_DATA"), (first { $0["id"] = "12" }, "INVALID_MODULE"),
            ]
            for (index, (change, code)) in bad.enumerated() {
                let answer = await bench.caller.send("POST", path, bench.typeBody("Bad", change))
                #expect(answer.json?["user_type"]?.array?.first?["code"]?.string == code, "\(index): \(answer.text)")
            }
            #expect(await bench.caller.send("GET", path).status == 204)
            let type = try await bench.makeType()
            let shown = await bench.caller.send("GET", "\(path)/\(type)").json?["user_type"]?.array?.first ?? .null
            #expect(shown["name"] == "Vendor" && shown["default"] == true && shown["no_of_users"] == 0)
            #expect(shown["personality_module"]?["api_name"] == "Contacts")
            let module = shown["modules"]?.array?.first ?? .null
            #expect(module["api_name"] == "Contacts" && module["fields"]?.array?.first?["api_name"] == "Email")
            #expect(module["permissions"]?["view"] == true && module["permissions"]?["edit"] == false)
            #expect(module["views"]?["type"] == "custom_view" && module["layouts"]?.array?.first?["name"]?.string != nil)
            func put(_ body: JSONValue) async -> TestServer.Answer {
                await bench.caller.send("PUT", "\(path)/\(type)", ["user_type": [body]])
            }
            #expect(await put(["name": "Partner", "active": false]).status == 200)
            let id = JSONValue.string(String(contacts.id.raw))
            let removed = await put(["modules": [["id": id, "_delete": true]]])
            #expect(removed.json?["user_type"]?.array?.first?["code"] == "CANNOT_REMOVE", "\(removed.text)")
            #expect(await put(["modules": [["id": id, "layouts": []]]]).json?["user_type"]?.array?.first?["code"] == "CANNOT_REMOVE")
            let email = JSONValue.string(String(contacts.field("Email")?.id.raw ?? 0))
            #expect(await put(["modules": [["id": id, "fields": [["id": email, "_delete": true]]]]]).status == 200)
            let now = await bench.caller.send("GET", "\(path)/\(type)").json?["user_type"]?.array?.first ?? .null
            #expect(now["name"] == "Partner" && now["active"] == false && now["modules"]?.array?.first?["fields"] == [])
            for number in 2...5 { _ = try await bench.makeType("T\(number)") }
            let over = await bench.caller.send("POST", path, bench.typeBody("T6"))
            #expect(over.json?["user_type"]?.array?.first?["code"] == "LICENSE_LIMIT_EXCEEDED")
            let gone = await bench.caller.send("DELETE", "\(path)/\(type)")
            #expect(gone.json?["user_type"]?.array?.first?["message"] == "Portal user type deleted successfully.", "\(gone.text)")
            #expect(await bench.caller.send("GET", "\(path)/\(type)").status == 204)
        }
    }

    /// 86 and 90: the invited contact gets a mail with a link, and is confirmed by it.
    @Test(arguments: TestServer.engines) func anInvitationGoesOutByMailAndIsAccepted(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await PortalBench(server)
            let type = try await bench.makeType()
            let lee = try await bench.contact("Lee")
            let done = await bench.invite(lee, type)
            #expect(
                done.json == [
                    "portal_invite": [
                        [
                            "code": "SUCCESS", "details": ["record_id": .string(lee)],
                            "message": "An Invite has been sent to the personality.",
                            "status": "success",
                        ]
                    ]
                ], "\(done.text)")
            let user = await bench.users(type).first ?? .null
            #expect(user["personality_id"] == .string(lee) && user["confirm"] == false && user["active"] == true)
            #expect(user["email"] == "lee@acme.example" && user["module"] == "Contacts" && user["status_reason__s"] == .null)
            let mail = try await bench.mail(to: "lee@acme.example")
            #expect(mail["subject"] == "You are invited to clientdesk")
            let link = bench.link(in: mail)
            #expect(link.hasPrefix("/portals/clientdesk/invitations/"), "\(mail)")
            let page = await server.send("GET", link)
            #expect(page.status == 200 && page.text.contains("You are invited"))
            #expect(await bench.users(type).first?["confirm"] == false, "looking is not accepting")
            #expect(await server.send("POST", link).status == 200)
            #expect(await bench.users(type).first?["confirm"] == true)
            #expect(await server.send("GET", link + "0").status == 404)
            #expect(await server.send("POST", "/portals/other/invitations/1").status == 404)

            let again = await bench.invite(lee, type)
            #expect(again.status == 400 && again.json?["portal_invite"]?.array?.first?["code"] == "CANNOT_PROCESS")
            #expect(await bench.invite(lee, type, "reinvite").json?["portal_invite"]?.array?.first?["code"] == "CANNOT_PROCESS", "accepted")
            let twin = try await bench.contact("Twin", "LEE@acme.example")
            #expect(await bench.invite(twin, type).json?["portal_invite"]?.array?.first?["code"] == "DUPLICATE_DATA")
            let mute = try await bench.caller.insert("Contacts", [["Last_Name": "Mute"]])[0]
            #expect(await bench.invite(mute, type).json?["portal_invite"]?.array?.first?["code"] == "INVALID_DATA")
            let insider = try await bench.contact("Insider", server.administrator.email)
            #expect(await bench.invite(insider, type).json?["portal_invite"]?.array?.first?["code"] == "INVALID_DATA")
            #expect(await bench.invite("12", type).json?["portal_invite"]?.array?.first?["code"] == "INVALID_DATA")
            #expect(await bench.invite(mute, "12").code == "INVALID_DATA")
            #expect(await bench.invite(mute, type, "odd").code == "INVALID_DATA")
            #expect(await bench.invite(mute, type, "invite", "&language=xx").code == "INVALID_DATA")
            #expect(await bench.caller.send("POST", "Contacts/\(mute)/actions/portal_invite?type=invite").code == "REQUIRED_PARAM_MISSING")
            #expect(
                await bench.caller.send("POST", "Contacts/\(mute)/actions/portal_invite?user_type_id=\(type)").code
                    == "REQUIRED_PARAM_MISSING")
            #expect(await bench.names(type) == ["Lee"])

            let ito = try await bench.contact("Ito")
            #expect(await bench.invite(ito, type).status == 200)
            let old = bench.link(in: try await bench.mail(to: "ito@acme.example"))
            #expect(await bench.invite(ito, type, "reinvite").status == 200)
            #expect(await server.send("GET", old).status == 404, "the new link replaces it")
            let new = bench.link(in: try await bench.mail(to: "ito@acme.example"))
            server.clock.advance(seconds: 15 * 86_400)
            #expect(await server.send("POST", new).status == 404, "it was good for two weeks")
        }
    }

    /// 89 to 92.
    @Test(arguments: TestServer.engines) func usersAreListedMovedAndTakenOut(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await PortalBench(server)
            let vendor = try await bench.makeType()
            let client = try await bench.makeType("Client")
            var ids: [String] = []
            for name in ["A", "B", "C"] {
                let id = try await bench.contact(name)
                ids.append(id)
                #expect(await bench.invite(id, vendor).status == 200)
            }
            let all = await bench.caller.send("GET", bench.path(vendor) + "?type=AllUsers&per_page=2")
            #expect(all.info == ["per_page": 2, "count": 2, "page": 1, "more_records": true, "total_count": 3], "\(all.text)")
            #expect(await bench.caller.send("GET", bench.path(client) + "?type=AllUsers").status == 204)
            #expect(await bench.caller.send("GET", bench.path(client)).code == "REQUIRED_PARAM_MISSING")
            #expect(await bench.caller.send("GET", bench.path(client) + "?type=Odd").code == "PATTERN_NOT_MATCHED")

            func status(_ id: String, _ active: String) async -> TestServer.Answer {
                await bench.caller.send("PUT", bench.path(vendor) + "/\(id)/actions/change_status?active=\(active)")
            }
            let off = await status(ids[0], "false")
            #expect(off.json?["change_status"]?.array?.first?["message"] == "Status of the user changed successfully.", "\(off.text)")
            #expect(await status(ids[0], "False").json?["change_status"]?.array?.first?["code"] == "ALREADY_ACTIVATED")
            #expect(await status("12", "true").json?["change_status"]?.array?.first?["code"] == "INVALID_DATA")
            #expect(
                await bench.caller.send("PUT", bench.path(vendor) + "/\(ids[0])/actions/change_status").code == "REQUIRED_PARAM_MISSING")
            #expect(await bench.names(vendor, "DeactiveUsers") == ["A"])
            #expect(await bench.names(vendor, "ActiveUsers") == ["B", "C"])
            #expect(await bench.names(vendor, "ConfirmedUsers") == [])
            #expect(await bench.names(vendor, "NotConfirmedUsers") == ["A", "B", "C"])
            let filter = "{\"field\":{\"api_name\":\"status_reason__s\"},\"comparator\":\"equal\",\"value\":\"Deactivated\"}"
            #expect(await bench.names(vendor, "AllUsers", "&filters=\(PercentCoding.encode(filter))") == ["A"])
            let rest = filter.replacing("equal", with: "not_equal")
            #expect(await bench.names(vendor, "AllUsers", "&filters=\(PercentCoding.encode(rest))") == ["B", "C"])

            let transfer = bench.path(vendor) + "/action/transfer"
            let moved = await bench.caller.send("POST", "\(transfer)?transfer_to=\(client)&personality_ids=\(ids[1]),12")
            #expect(moved.status == 207, "\(moved.text)")
            #expect(moved.json?["users"]?.array?.map { $0["code"]?.string } == ["SUCCESS", "INVALID_DATA"])
            #expect(await bench.caller.send("POST", "\(transfer)?transfer_to=12&personality_ids=\(ids[1])").code == "INVALID_DATA")
            #expect(await bench.caller.send("POST", "\(transfer)?personality_ids=\(ids[1])").code == "REQUIRED_PARAM_MISSING")
            #expect(await bench.caller.send("POST", "\(transfer)?transfer_to=\(client)").code == "REQUIRED_PARAM_MISSING")
            #expect(await bench.names(client) == ["B"])
            #expect(await bench.names(vendor) == ["A", "C"])
            let kept = await bench.caller.send("DELETE", "settings/portals/clientdesk/user_type/\(client)")
            #expect(kept.json?["user_type"]?.array?.first?["code"] == "INVALID_DATA", "it has a user")

            let gone = await bench.caller.send("DELETE", bench.path(vendor) + "?personality_ids=\(ids[0]),\(ids[1])")
            #expect(gone.json?["users"]?.array?.map { $0["code"]?.string } == ["SUCCESS", "INVALID_DATA"], "\(gone.text)")
            #expect(await bench.names(vendor) == ["C"])
            #expect(await bench.invite(ids[0], client).status == 200, "and may be invited again")
            let many = (ids + (1...500).map(String.init)).joined(separator: ",")
            let job = await bench.caller.send("DELETE", bench.path(vendor) + "?personality_ids=\(many)")
            #expect(job.json?["users"]?.array?.first?["code"] == "SCHEDULED", "\(job.text)")
            await JobWorker(server.services).drain()
            #expect(await bench.names(vendor) == [])
            #expect(await bench.names(client) == ["A", "B"])
        }
    }

    /// 87 and 88.
    @Test(arguments: TestServer.engines) func manyAreInvitedByAJob(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await PortalBench(server)
            let type = try await bench.makeType()
            let lee = try await bench.contact("Lee")
            let twin = try await bench.contact("Twin", "lee@acme.example")
            func item(_ id: String, _ kind: String = "invite") -> JSONValue {
                ["id": .string(id), "user_type_id": .string(type), "type": .string(kind), "language": "en_US"]
            }
            func post(_ items: [JSONValue]) async -> TestServer.Answer {
                await bench.caller.send("POST", "Contacts/actions/portal_invite", ["portal_invite": [["data": .array(items)]]])
            }
            #expect(await bench.caller.send("GET", "Contacts/actions/portal_invite").status == 204)
            let scheduled = await post([item(lee), item(twin), item("12")])
            let result = scheduled.json?["portal_invite"]?.array?.first ?? .null
            #expect(scheduled.status == 200 && result["code"] == "SCHEDULED", "\(scheduled.text)")
            let job = result["details"]?["job_id"]?.string ?? ""
            let early = await bench.caller.send("GET", "Contacts/actions/portal_invite?job_id=\(job)").json?["portal_invite"]?.array?.first
            #expect(early?["status"] == "in_progress" && early?["data"] == .null)
            await JobWorker(server.services).drain()
            let late = await bench.caller.send("GET", "Contacts/actions/portal_invite").json?["portal_invite"]?.array?.first ?? .null
            #expect(late["status"] == "completed" && late["job_id"] == .string(job))
            #expect(late["data"]?.array?.map { $0["code"]?.string } == ["SUCCESS", "DUPLICATE_DATA", "INVALID_DATA"], "\(late)")
            #expect(late["data"]?.array?.first?["details"] == ["id": .string(lee)])
            #expect(await bench.names(type) == ["Lee"])
            #expect(await bench.caller.send("GET", "Contacts/actions/portal_invite?job_id=12").status == 204)
            #expect(await bench.caller.send("GET", "Leads/actions/portal_invite?job_id=\(job)").status == 204)
            for (bad, code) in [
                ([:], "MANDATORY_NOT_FOUND"), (["id": "1", "user_type_id": "12", "type": "invite"], "INVALID_DATA"),
                (item("1", "x"), "INVALID_DATA"),
            ]
                as [(JSONValue, String)]
            {
                #expect(await post([bad]).code == code, "\(bad.text)")
            }
        }
    }
}
