import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Portal users follow their record. Contract: `merge.md` §6; convert-lead, 138.
@Suite struct PortalLifeTests {
    private func merge(_ bench: PortalBench, _ master: String, _ children: [String], _ query: String = "?verbose=true") async
        -> TestServer.Answer
    {
        await bench.caller.send("POST", "Contacts/\(master)/actions/merge\(query)", RecordBench.body(children.map { ($0, []) }))
    }

    private func undo(_ bench: PortalBench, _ master: String, _ merged: TestServer.Answer) async -> TestServer.Answer {
        let journal = merged.json?["merge"]?.array?.first?["details"]?["journal_id"] ?? .null
        return await bench.caller.send("POST", "Contacts/\(master)/actions/unmerge", ["journal_id": journal])
    }

    private func rows(_ server: TestServer) async throws -> [String] {
        try await server.services.database.run(.read) { tx in
            try tx.rows("SELECT record_id, email_key, active, status_reason FROM sys_portal_user ORDER BY record_id") {
                "\($0.integer(0) ?? 0) \($0.text(1) ?? "-") \($0.integer(2) ?? 0) \($0.text(3) ?? "")"
            }
        }
    }

    /// A master and two children, both invited.
    private func family(_ bench: PortalBench, _ type: String) async throws -> (String, String, String) {
        let master = try await bench.contact("Master")
        let first = try await bench.contact("First")
        let second = try await bench.contact("Second")
        for id in [first, second] { _ = await bench.invite(id, type) }
        return (master, first, second)
    }

    @Test(arguments: TestServer.engines) func aMastersIdentityWinsInAMerge(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await PortalBench(server)
            let type = try await bench.makeType()
            let (master, first, second) = try await family(bench, type)
            let before = try await rows(server)
            let preview = await merge(bench, master, [first, second], "?dry_run=true")
            #expect(preview.text.contains("Portal_Users") && preview.text.contains("was deactivated"), "\(preview.text)")
            #expect(try await rows(server) == before)
            let merged = await merge(bench, master, [first, second])
            let details = merged.json?["merge"]?.array?.first?["details"] ?? .null
            #expect(details["moved"]?["Portal_Users"] == 1, "\(merged.text)")
            #expect(details["warnings"]?.array?.first?.string?.contains(second) == true, "\(merged.text)")
            let users = await bench.users(type)
            #expect(users.map { $0["personality_id"]?.string } == [master] && users[0]["email"] == "first@acme.example", "\(users)")
            #expect(try await rows(server).contains("\(second) - 0 Merged"))
            let link = bench.link(in: try await bench.mail(to: "second@acme.example"))
            #expect(await server.send("POST", link).status == 404, "the child's link is dead")
            let heir = bench.link(in: try await bench.mail(to: "first@acme.example"))
            #expect(await server.send("GET", heir).status == 200, "the one that moved is not")
            let undone = await undo(bench, master, merged)
            #expect(undone.first("unmerge")["details"]?["moved_back"]?["Portal_Users"] == 1, "\(undone.text)")
            #expect(undone.first("unmerge")["details"]?["kept_rows"] == [], "\(undone.text)")
            #expect(try await rows(server) == before)

            _ = await bench.invite(master, type)
            let own = try await rows(server)
            let again = await merge(bench, master, [first])
            #expect(again.json?["merge"]?.array?.first?["details"]?["warnings"]?.array?.count == 1, "\(again.text)")
            #expect(await bench.users(type).contains { $0["personality_id"]?.string == master && $0["email"] == "master@acme.example" })
            #expect(await undo(bench, master, again).status == 200)
            #expect(try await rows(server) == own)
        }
    }

    /// What an undo could not give back, it names.
    private func expectKept(_ undone: TestServer.Answer, _ child: String, _ moved: JSONValue? = nil) {
        let details = undone.first("unmerge")["details"] ?? .null
        #expect(details["kept_rows"] == [["module": "Contacts", "id": .string(child), "field": "Portal_Users"]], "\(undone.text)")
        #expect(details["moved_back"]?["Portal_Users"] == moved, "\(undone.text)")
    }

    /// What happened since the merge stays.
    @Test(arguments: TestServer.engines) func anUndoLeavesAUserWhoHasChangedSince(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await PortalBench(server)
            let type = try await bench.makeType()
            let master = try await bench.contact("Master")
            let child = try await bench.contact("Child")
            _ = await bench.invite(child, type)
            let merged = await merge(bench, master, [child])
            let link = bench.link(in: try await bench.mail(to: "child@acme.example"))
            #expect(await server.send("POST", link).status == 200)
            expectKept(await undo(bench, master, merged), child)
            let users = await bench.users(type)
            #expect(users.count == 1 && users[0]["personality_id"] == .string(master) && users[0]["confirm"] == true, "\(users)")
        }
    }

    /// What was not touched comes back, whatever became of the others.
    @Test(arguments: TestServer.engines) func anUndoBringsBackEachUserByItself(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await PortalBench(server)
            let type = try await bench.makeType()
            let (master, first, second) = try await family(bench, type)
            let merged = await merge(bench, master, [first, second])
            let heir = bench.link(in: try await bench.mail(to: "first@acme.example"))
            #expect(await server.send("POST", heir).status == 200, "\(merged.text)")
            expectKept(await undo(bench, master, merged), first)
            #expect(try await rows(server) == ["\(master) first@acme.example 1 ", "\(second) second@acme.example 1 "])
            #expect(await server.send("GET", bench.link(in: try await bench.mail(to: "second@acme.example"))).status == 200)

            // An address that somebody else has by now stays theirs; the other child's user is back.
            let target = try await bench.contact("Target")
            let third = try await bench.contact("Third")
            _ = await bench.invite(third, type)
            let again = await merge(bench, target, [third, second])
            let thief = try await bench.contact("Thief", "thief@acme.example")
            await bench.caller.send("PUT", "Contacts/\(thief)", ["data": [["Email": "second@acme.example"]]])
            let invited = await bench.invite(thief, type)
            #expect(invited.status == 200, "\(again.text) \(invited.text)")
            expectKept(await undo(bench, target, again), second, 1)
            let after = try await rows(server)
            #expect(
                Set(after) == [
                    "\(master) first@acme.example 1 ", "\(second) - 0 Merged", "\(third) third@acme.example 1 ",
                    "\(thief) second@acme.example 1 ",
                ])
        }
    }

    @Test(arguments: TestServer.engines) func aUserGoesAndComesBackWithTheRecord(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await PortalBench(server)
            let type = try await bench.makeType()
            let lee = try await bench.contact("Lee")
            let ito = try await bench.contact("Ito")
            for id in [lee, ito] { _ = await bench.invite(id, type) }
            for id in [lee, ito] { await bench.caller.send("DELETE", "Contacts/\(id)") }
            #expect(await bench.names(type) == [])
            let status = await bench.caller.send("PUT", bench.path(type) + "/\(lee)/actions/change_status?active=false")
            #expect(status.json?["change_status"]?.array?.first?["code"] == "INVALID_DATA", "91: in the recycle bin")
            #expect(await server.send("GET", bench.link(in: try await bench.mail(to: "lee@acme.example"))).status == 404)
            await bench.caller.send("POST", "settings/recycle_bin/actions/restore?ids=\(lee)")
            #expect(await bench.names(type) == ["Lee"])
            await bench.caller.send("DELETE", "settings/recycle_bin/\(ito)")
            #expect(try await rows(server).count == 1)
        }
    }

    /// 91: who is active again may still accept.
    @Test(arguments: TestServer.engines) func anInvitationOutlivesAPause(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await PortalBench(server)
            let type = try await bench.makeType()
            let guest = try await bench.contact("Guest")
            _ = await bench.invite(guest, type)
            let link = bench.link(in: try await bench.mail(to: "guest@acme.example"))
            for (active, status) in [(false, 404), (true, 200)] {
                let changed = await bench.caller.send("PUT", bench.path(type) + "/\(guest)/actions/change_status?active=\(active)")
                #expect(changed.status == 200, "\(changed.text)")
                #expect(await server.send("GET", link).status == status)
            }
            #expect(await server.send("POST", link).status == 200)
            #expect(await bench.users(type).first?["confirm"] == true)
        }
    }

    /// convert-lead, 138: portal_user_type; the same in 135.
    @Test(arguments: TestServer.engines) func aConvertedLeadIsInvited(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await PortalBench(server)
            let type = try await bench.makeType()
            let leads = try await bench.caller.insert(
                "Leads",
                [
                    ["Last_Name": "Kim", "Email": "kim@acme.example"], ["Last_Name": "Mute"],
                    ["Last_Name": "Ono", "Email": "ono@acme.example"],
                ])
            let token = try await server.token(RecordCaller.scopes + ",ZohoCRM.mass_convert.ALL")
            func mass(_ portal: JSONValue) async -> TestServer.Answer {
                let body: JSONValue = [
                    "ids": .array(leads.prefix(2).map(JSONValue.string)),
                    "assign_to": ["id": .string(String(server.administrator.id.raw))], "portal_user_type": portal,
                ]
                return await server.send("POST", "/crm/v7/Leads/actions/mass_convert", body, token: token)
            }
            #expect(await mass(["id": "12"]).json?["code"] == "INVALID_DATA")
            let scheduled = await mass(["id": .string(type), "name": "Vendor"])
            #expect(scheduled.json?["code"] == "SCHEDULED", "\(scheduled.text)")
            await JobWorker(server.services).drain()
            #expect(await bench.names(type) == ["Kim"])
            #expect(await bench.caller.record("Leads", leads[1])["$converted"] == true, "without an address too")
            let link = bench.link(in: try await bench.mail(to: "kim@acme.example"))
            #expect(await server.send("POST", link).status == 200)
            let one = await bench.caller.send(
                "POST", "Leads/\(leads[2])/actions/convert", ["data": [["portal_user_type": ["id": .string(type)]]]])
            #expect(one.status == 200, "\(one.text)")
            #expect(await bench.names(type) == ["Kim", "Ono"])
        }
    }

    /// Links in mails lead to the server's own address, whatever a caller calls it.
    @Test(arguments: TestServer.engines) func aLinkLeadsHome(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let bench = try await PortalBench(server)
            let type = try await bench.makeType()
            let contact = try await bench.contact("Guest")
            // Callers in tests call the server crm.example.test.
            #expect(await bench.invite(contact, type).status == 200)
            let mail = try await bench.mail(to: "guest@acme.example").text
            #expect(mail.contains("http://127.0.0.1:8080/portals/") && !mail.contains("crm.example.test"), "\(mail)")
        }
    }
}
