import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Mails and what happens to their records. Contract: `endpoints/emails.md`, 225 and 228; `merge.md`, §6 and §10.
@Suite struct EmailRecordsTests {
    /// emails, 225 and 228.
    @Test(arguments: TestServer.engines) func aMailFromElsewhereStandsWithTwoRecords(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let deal = try await bench.bench.add("Deals", ["Deal_Name": "D", "Stage": "Qualification"])
            let contact = try await bench.bench.add("Contacts", ["Last_Name": "Kim"])
            let linked: JSONValue = ["linked_record": ["id": .string(contact), "module": ["api_name": "Contacts"]]]
            let made = await bench.associated("Deals/\(deal)", "<1@x.example>", linked)
            #expect(made.status == 201 && bench.result(made, "Emails")["message"] == "Your mail has been added successfully")
            let id = try bench.messageID(made, "Emails")
            let again = await bench.associated("Deals/\(deal)", "<1@x.example>")
            #expect(again.status == 400 && bench.result(again, "Emails")["code"] == "DUPLICATE_DATA")
            #expect(await bench.associated("Contacts/\(contact)", "<1@x.example>").status == 400, "the contact shows it already")
            let row = try #require(await bench.mails(of: "Deals/\(deal)").first)
            #expect(row["sent"] == false && row["time"]?.string?.hasPrefix("2026-01-0") == true)
            #expect(row["linked_record"]?["id"] == .string(contact) && row["linked_record"]?["name"] == "Kim", "\(row)")
            #expect(await bench.mails(of: "Contacts/\(contact)").first?["linked_record"]?["id"] == .string(deal))
            #expect(await bench.mails(of: "Deals/\(deal)", "?type=user_emails").count == 1)
            #expect(await bench.mails(of: "Deals/\(deal)", "?type=sent_from_crm").isEmpty)
            let ana = try await bench.server.addUser("Ana")
            #expect(await bench.mails(of: "Deals/\(deal)", "?type=user_emails&owner_id=\(ana.id.raw)").isEmpty)
            #expect(
                await bench.associated("Deals/\(deal)", "<2@x.example>", ["owner": ["id": .string(String(ana.id.raw))]]).status == 201)
            #expect(await bench.mails(of: "Deals/\(deal)", "?type=user_emails&owner_id=\(ana.id.raw)").count == 1)
            let shared = await bench.send("GET", "Deals/\(deal)/__emails_sharing_details")
            #expect(shared.json?.first("__emails_sharing_details")?["share_from_users"]?.array?.count == 2, "\(shared.text)")
            for bad in [
                ["subject": .null], ["date_time": "yesterday"], ["sent": "yes"], ["owner": ["id": "12"]],
                ["linked_record": ["id": "12", "module": ["api_name": "Contacts"]]],
                ["linked_record": ["id": .string(contact), "module": ["api_name": "Tags"]]], ["attachments": [["id": "no file"]]],
            ] as [JSONValue] {
                #expect(await bench.associated("Deals/\(deal)", "<3@x.example>", bad).status == 400, "\(bad)")
            }
            let reader = try await bench.server.token(of: ana, "ZohoCRM.modules.READ")
            let path = "/crm/v7/Deals/\(deal)/actions/associate_email"
            #expect(await bench.server.send("POST", path, [:], token: reader).status == 401)
            // A reply is in the conversation of what it answers.
            let reply = await bench.mail("Deals/\(deal)", more: ["in_reply_to": ["message_id": .string(id)]])
            let postman = Postman()
            await bench.server.deliver(postman)
            #expect(postman.mails.first?.answers == .named("<1@x.example>"))
            func thread(_ id: String) async -> JSONValue? {
                await bench.send("GET", "Deals/\(deal)/Emails/\(id)").json?.first("Emails")?["thread_id"]
            }
            let replyThread = await thread(try bench.messageID(reply))
            let firstThread = await thread(id)
            #expect(replyThread == firstThread && firstThread != nil)
        }
    }

    @Test(arguments: TestServer.engines) func mailsGoToTheBinAndBackAndEndWithTheirRecord(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add("Leads", ["Last_Name": "Kim"])
            let contact = try await bench.bench.add("Contacts", ["Last_Name": "Kim"])
            let file = try await bench.upload("a.txt", [1])
            #expect(await bench.associated("Leads/\(lead)", "1", ["attachments": [["id": .string(file)]]]).status == 201)
            let linked: JSONValue = ["linked_record": ["id": .string(contact), "module": ["api_name": "Contacts"]]]
            #expect(await bench.associated("Leads/\(lead)", "2", linked).status == 201)
            #expect(await bench.send("DELETE", "Leads/\(lead)").status == 200)
            #expect(await bench.send("GET", "Leads/\(lead)/Emails").status == 400)
            #expect(await bench.send("POST", "settings/recycle_bin/actions/restore?ids=\(lead)").status == 200)
            #expect(await bench.mails(of: "Leads/\(lead)").count == 2)
            #expect(await bench.send("DELETE", "Leads/\(lead)").status == 200)
            #expect(await bench.send("DELETE", "settings/recycle_bin/\(lead)").status == 200)
            #expect(await bench.mails(of: "Contacts/\(contact)").first?["linked_record"] == .null, "the other record keeps its own")
            let left = try await bench.server.services.database.run(.read) { tx in
                try tx.first("SELECT (SELECT count(*) FROM sys_email), (SELECT count(*) FROM sys_field_file)") {
                    [$0.integer(0), $0.integer(1)]
                }
            }
            #expect(left == [1, 0])
        }
    }

    /// merge, §6 and §10.
    @Test(arguments: TestServer.engines) func aMergeTakesMailsAlongAndAnUndoGivesThemBack(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let records = RecordBench(server: bench.server, token: bench.token)
            let master = try await records.add("Contacts", ["Last_Name": "Kim", "Email": "kim@acme.example"])
            let child = try await records.add("Contacts", ["Last_Name": "Kym", "Email": "kym@acme.example"])
            let deal = try await records.add("Deals", ["Deal_Name": "D", "Stage": "Qualification"])
            _ = try bench.messageID(await bench.mail("Contacts/\(child)"))
            _ = try bench.messageID(await bench.mail("Contacts/\(master)"))
            let linked: JSONValue = ["linked_record": ["id": .string(child), "module": ["api_name": "Contacts"]]]
            #expect(await bench.associated("Deals/\(deal)", "1", linked).status == 201)
            let before = try await records.dump()
            let merged = await records.merge("Contacts", master, [(child, [])])
            #expect(merged.status < 300 && merged.text.contains("\"Emails\":2"), "\(merged.text)")
            #expect(await bench.mails(of: "Contacts/\(master)").count == 3)
            #expect(await bench.mails(of: "Deals/\(deal)").first?["linked_record"]?["id"] == .string(master))
            // The mail that waited goes, with its new record.
            let postman = Postman()
            await bench.server.deliver(postman)
            #expect(postman.mails.count == 2)
            #expect(try await ConsistencyCheck.run(bench.server.services) == [])
            #expect(await records.undo("Contacts", master, merged).status == 200)
            #expect(try await records.dump().differences(from: before) == [])
            #expect(await bench.mails(of: "Contacts/\(child)").count == 2)
        }
    }

    /// convert-lead, 135: what hangs on the lead goes to the contact.
    @Test(arguments: TestServer.engines) func mailsOfALeadAreTheContactsAfterwards(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add("Leads", ["Last_Name": "Kim", "Company": "Acme", "Email": "kim@acme.example"])
            _ = try bench.messageID(await bench.mail("Leads/\(lead)"))
            let done = await bench.send("POST", "Leads/\(lead)/actions/convert", ["data": [[:]]])
            let contact = try #require(done.json?.first("data")?["details"]?["Contacts"]?["id"]?.string, "\(done.text)")
            #expect(await bench.mails(of: "Contacts/\(contact)").count == 1)
            #expect(await bench.mails(of: "Leads/\(lead)").isEmpty)
            #expect(bench.result(await bench.mail("Leads/\(lead)"))["code"] == "CONVERTED_RECORD")
        }
    }
}
