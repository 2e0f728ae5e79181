import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Mails of records. Contract: `endpoints/emails.md`, 229 to 232.
@Suite struct SendMailTests {
    /// emails, 231 and 229.
    @Test(arguments: TestServer.engines) func aMailGoesAndStandsWithItsRecord(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add("Leads", ["Last_Name": "Kim", "Email": "kim@acme.example"])
            let before = await bench.bench.get("Leads", lead)
            #expect(await bench.send("GET", "Leads/\(lead)/Emails").status == 204)
            bench.server.clock.advance(seconds: 60)
            let file = try await bench.upload("Ärger\r\n.txt", Array("abc".utf8))
            let image = try await bench.upload("dot.gif", TinyImage.gif)
            let answer = await bench.mail(
                "Leads/\(lead)", to: ["kim@acme.example", "KIM@acme.example"],
                more: [
                    "subject": "Offer for ${Leads.Last_Name}\r\nBcc: x@evil.example",
                    "cc": [["user_name": "Lee", "email": "lee@acme.example"]],
                    "bcc": [["email": "boss@acme.example"]], "reply_to": ["email": "office@acme.example"],
                    "content": .string("<p>Dear ${!Leads.Last_Name} <img src=\"https://x/crm/viewInLineImage?fileContent=\(image)\"></p>"),
                    "attachments": [["id": .string(file)]],
                ])
            #expect(answer.status == 200, "\(answer.text)")
            let result = bench.result(answer)
            #expect(result["code"] == "SUCCESS" && result["message"] == "Your mail has been sent successfully.")
            let id = try bench.messageID(answer)
            let postman = Postman()
            await bench.server.deliver(postman)
            #expect(postman.receivers == ["boss@acme.example", "kim@acme.example", "lee@acme.example"], "each once")
            for mail in postman.mails {
                #expect(mail.subject == "Offer for Kim  Bcc: x@evil.example" && mail.from?.address.text == bench.me)
                #expect(mail.to.count == 2 && mail.cc.map(\.address.text) == ["lee@acme.example"], "nobody sees the blind copy")
                #expect(mail.html?.contains("<p>Dear Kim <img src=\"cid:") == true && mail.text.contains("Dear Kim"))
                #expect(mail.parts.count == 2 && mail.parts.contains { $0.contentID == nil && $0.bytes == Array("abc".utf8) })
                #expect(mail.replyTo?.address.text == "office@acme.example")
            }
            let row = try #require(await bench.mails(of: "Leads/\(lead)").first)
            #expect(row["message_id"] == .string(id) && row["sent"] == true && row["has_attachment"] == true && row["bcc"] == nil)
            #expect(row["status"] == [["type": "sent"]] && row["source"] == "individual" && row["content"] == nil)
            let whole = try #require(await bench.send("GET", "Leads/\(lead)/Emails/\(id)").json?.first("Emails"))
            #expect(whole["content"]?.string?.contains("Dear Kim") == true && whole["mail_format"] == "html")
            #expect(whole["bcc"] == [["user_name": .null, "email": "boss@acme.example"]])
            #expect(whole["attachments"]?.array?.first?["id"] == .string(file) && whole["attachments"]?.array?.count == 1)
            let user = bench.server.administrator.id.raw
            let download = await bench.send(
                "GET", "Leads/\(lead)/Emails/actions/download_attachments?message_id=\(id)&user_id=\(user)&id=\(file)&name=x")
            #expect(download.status == 200 && download.text == "abc")
            let inline = "Leads/\(lead)/Emails/actions/download_inline_images?message_id=\(id)&user_id=\(user)"
            #expect(await bench.send("GET", "\(inline)&id=\(image)").body == TinyImage.gif)
            #expect(await bench.send("GET", "\(inline)&id=\(file)").json?["code"] == "INVALID_DATA", "that one is attached")
            #expect(await bench.send("GET", inline).json?["code"] == "MANDATORY_NOT_FOUND")
            let after = await bench.bench.get("Leads", lead)
            #expect(after["Last_Activity_Time"] != before["Last_Activity_Time"] && after["Modified_Time"] == before["Modified_Time"])
            let timeline = await bench.send("GET", "Leads/\(lead)/__timeline")
            #expect(timeline.json?.first("__timeline")?["action"] == "sent", "\(timeline.text)")
            #expect(await bench.send("GET", "__mails").json?["mails"]?.array?.count == 3)
        }
    }

    /// emails, 231, errors.
    @Test(arguments: TestServer.engines) func whatMayNotGoDoesNot(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add("Leads", ["Last_Name": "Kim", "Email": "kim@acme.example"])
            let place = "Leads/\(lead)"
            func code(_ answer: TestServer.Answer) -> String { bench.result(answer)["code"]?.string ?? "\(answer.status)" }
            let noSender = await bench.send("POST", "\(place)/actions/send_mail", ["data": [["to": [["email": "a@x.example"]]]]])
            #expect(code(noSender) == "MANDATORY_NOT_FOUND" && noSender.status == 400)
            let noAddress = await bench.mail(place, more: ["from": ["user_name": "Ada"]])
            #expect(bench.result(noAddress)["details"]?["parent_api_name"] == "from", "\(noAddress.text)")
            #expect(code(await bench.mail(place, to: [])) == "MANDATORY_NOT_FOUND")
            #expect(code(await bench.mail(place, more: ["from": ["email": "else@x.example"]])) == "INVALID_DATA")
            #expect(code(await bench.mail(place, more: ["org_email": true])) == "INVALID_DATA", "that address is not the organisation's")
            #expect(code(await bench.mail(place, to: ["no address"])) == "INVALID_DATA")
            #expect(code(await bench.mail(place, to: ["a@x.example\r\nRCPT TO:<b@x.example>"])) == "INVALID_DATA")
            #expect(code(await bench.mail(place, more: ["attachments": [["id": "12"]]])) == "INVALID_DATA")
            #expect(code(await bench.mail(place, more: ["template": ["id": "12"]])) == "INVALID_DATA")
            #expect(code(await bench.mail(place, more: ["in_reply_to": ["message_id": "12"]])) == "INVALID_DATA")
            #expect(code(await bench.mail(place, more: ["consent_email": true])) == "INVALID_DATA")
            #expect(code(await bench.mail(place, more: ["scheduled_time": "2001-01-01T00:00:00Z"])) == "INVALID_DATA")
            #expect(code(await bench.mail("Leads/12")) == "INVALID_DATA")
            #expect(code(await bench.mail("Products/\(lead)")) == "INVALID_MODULE")
            #expect(await bench.send("GET", "\(place)/Emails").status == 204)
            #expect(await bench.send("GET", "__mails").status == 204)
            #expect(await bench.send("GET", "\(place)/Emails?type=x").json?["details"]?["param_name"] == "type")
            #expect(await bench.send("GET", "\(place)/Emails?type=all_contacts_sent_crm_emails").status == 400, "accounts only")
            #expect(await bench.send("GET", "\(place)/Emails?index=x").json?["details"]?["param_name"] == "index")
            #expect(await bench.send("GET", "\(place)/Emails/12").json?["code"] == "INVALID_DATA")
            #expect(await bench.send("GET", "Leads/12/Emails").json?["code"] == "INVALID_DATA")
            let narrow = try await bench.server.token("ZohoCRM.modules.leads.ALL,ZohoCRM.send_mail.contacts.CREATE")
            let path = "/crm/v7/\(place)"
            #expect(await bench.server.send("POST", "\(path)/actions/send_mail", [:], token: narrow).status == 401)
            #expect(await bench.server.send("GET", "\(path)/Emails", token: narrow).status == 401)

            let quiet = try await bench.bench.add("Leads", ["Last_Name": "Q", "Email": "q@acme.example", "Email_Opt_Out": true])
            let optedOut = await bench.mail("Leads/\(quiet)")
            #expect(code(optedOut) == "NO_PERMISSION" && optedOut.status == 403)
            let mute = try await bench.bench.add("Leads", ["Last_Name": "M"])
            #expect(code(await bench.mail("Leads/\(mute)")) == "NOT_ALLOWED")
            let contact = try await bench.bench.add(
                "Contacts", ["Last_Name": "C", "Email": "c@acme.example", "Email_Opt_Out": true])
            let deal = try await bench.bench.add(
                "Deals", ["Deal_Name": "D", "Stage": "Qualification", "Contact_Name": ["id": .string(contact)]])
            #expect(code(await bench.mail("Deals/\(deal)", to: ["C@acme.example"])) == "NOT_ALLOWED")
            let partly = await bench.mail("Deals/\(deal)", to: ["d@acme.example"], more: ["cc": [["email": "c@acme.example"]]])
            #expect(
                bench.result(partly)["details"]?["blocked_email_addresses"] == [["email": "c@acme.example", "reason": "opted out"]],
                "\(partly.text)")
        }
    }

    /// emails, 231, scheduled_time; 229, type.
    @Test(arguments: TestServer.engines) func aScheduledMailWaitsForItsTime(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add("Leads", ["Last_Name": "Kim", "Email": "kim@acme.example"])
            let gone = try await bench.bench.add("Leads", ["Last_Name": "Gone", "Email": "gone@acme.example"])
            let place = "Leads/\(lead)"
            let due = Instant(milliseconds: bench.server.clock.now().milliseconds + 3_600_000).iso(offsetMinutes: 0)
            let answer = await bench.mail(place, more: ["scheduled_time": .string(due)])
            #expect(bench.result(answer)["message"] == "Your mail has been scheduled successfully.")
            _ = try bench.messageID(await bench.mail("Leads/\(gone)", more: ["scheduled_time": .string(due)]))
            let unwilling = try await bench.bench.add("Contacts", ["Last_Name": "No", "Email": "no@acme.example"])
            let deal = try await bench.bench.add(
                "Deals",
                [
                    "Deal_Name": "D", "Closing_Date": "2030-06-30", "Stage": "Qualification", "Pipeline": "Standard (Standard)",
                    "Contact_Name": ["id": .string(unwilling)],
                ])
            _ = try bench.messageID(
                await bench.mail("Deals/\(deal)", to: ["no@acme.example"], more: ["scheduled_time": .string(due)]))
            #expect(
                await bench.send("PUT", "Contacts/\(unwilling)", ["data": [["Email_Opt_Out": true]]]).status == 200, "after it was written")
            let postman = Postman()
            await bench.server.deliver(postman)
            #expect(postman.mails.isEmpty)
            #expect(await bench.mails(of: place, "?type=scheduled_in_crm").first?["status"] == [["type": "scheduled"]])
            #expect(await bench.mails(of: place, "?type=sent_from_crm").isEmpty)
            #expect(await bench.send("GET", "\(place)/__timeline").text.contains("\"sent\"") == false)
            #expect(await bench.send("DELETE", "Leads/\(gone)").status == 200)
            let bench = try await bench.later(seconds: 3601)
            await bench.server.deliver(postman)
            #expect(postman.receivers == ["kim@acme.example"], "nothing goes for a record that is gone, and nothing to who wants none")
            #expect(await bench.mails(of: place, "?type=sent_from_crm").first?["status"] == [["type": "sent"]])
            #expect(await bench.send("GET", "\(place)/__timeline").json?.first("__timeline")?["action"] == "sent")
        }
    }

    /// emails, 231 and 232: what comes back is not sent to again, until it is unblocked.
    @Test(arguments: TestServer.engines) func addressesThatMailsCameBackFromAreBlocked(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let hard = try await bench.bench.add("Leads", ["Last_Name": "H", "Email": "hard@acme.example"])
            let soft = try await bench.bench.add("Leads", ["Last_Name": "S", "Email": "Soft@acme.example"])
            _ = try bench.messageID(await bench.mail("Leads/\(hard)", to: ["hard@acme.example"]))
            _ = try bench.messageID(await bench.mail("Leads/\(soft)", to: ["soft@acme.example"]))
            let picky = Postman { $0.recipient.text.hasPrefix("hard") ? .refused("no such person") : .deferred("full") }
            await bench.server.deliver(picky)
            let bounced = await bench.mails(of: "Leads/\(hard)").first?["status"]?.array?.first
            #expect(bounced?["type"] == "bounced" && bounced?["category"] == "Permanently blocked")
            #expect(bounced?["bounced_reason"] == "no such person" && bounced?["bounced_time"]?.string != nil)
            let bench = try await bench.later(seconds: 49 * 3600)
            await bench.server.deliver(picky)
            #expect(await bench.mails(of: "Leads/\(soft)").first?["status"]?.array?.first?["category"] == "Temporarily blocked")
            let refused = await bench.mail("Leads/\(soft)", to: ["soft@acme.example"])
            #expect(bench.result(refused)["code"] == "NOT_ALLOWED" && refused.text.contains("soft@acme.example"))
            let partly = await bench.mail("Leads/\(soft)", to: ["soft@acme.example", "fine@acme.example"])
            #expect(bench.result(partly)["details"]?["blocked_email_addresses"]?.array?.count == 1, "\(partly.text)")

            func unblock(_ id: String, _ fields: JSONValue = ["Email"]) async -> JSONValue {
                bench.result(await bench.send("POST", "Leads/\(id)/actions/unblock_email", ["unblock_fields": fields]))
            }
            #expect(await unblock(hard)["message"] == "Cannot unblock, Email is blocked permanently")
            #expect(await unblock(soft)["message"] == "Unblocked successfully")
            #expect(await unblock(soft)["message"] == "Email is already unblocked")
            #expect(await unblock(soft, ["Phone"])["code"] == "NOT_ALLOWED")
            #expect(await unblock(soft, [])["code"] == "MANDATORY_NOT_FOUND")
            #expect(await unblock("12")["code"] == "INVALID_DATA")
            _ = try bench.messageID(await bench.mail("Leads/\(soft)", to: ["soft@acme.example"]))
            let many = await bench.send(
                "POST", "Leads/actions/unblock_email", ["unblock_fields": ["Email"], "ids": [.string(soft), .string(hard), "12"]])
            #expect(many.json?.codes("data") == ["NOT_ALLOWED", "NOT_ALLOWED", "INVALID_DATA"])
        }
    }

    /// emails, 229: ten at a time, by index.
    @Test(arguments: TestServer.engines) func theListGoesOnByItsIndex(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add("Leads", ["Last_Name": "Kim", "Email": "kim@acme.example"])
            let place = "Leads/\(lead)"
            for number in 0..<23 {
                // Some at the same moment.
                let answer = await bench.associated(
                    place, "m\(number)", ["subject": .string("S\(number)"), "date_time": .string("2026-01-0\(1 + number / 5)T00:00:00Z")])
                #expect(answer.status == 201, "\(answer.text)")
            }
            var seen: [String] = []
            var indexes = ["0"]
            for page in 0..<3 {
                let answer = await bench.send("GET", "\(place)/Emails?index=\(indexes[page])")
                let info = answer.json?["info"] ?? .null
                seen += (answer.json?["Emails"]?.array ?? []).compactMap { $0["subject"]?.string }
                #expect(info["per_page"] == 10 && info["more_records"] == .bool(page < 2), "\(answer.text)")
                #expect(info["prev_index"] == (page == 0 ? .null : .string(indexes[page - 1])))
                if page < 2 { indexes.append(try #require(info["next_index"]?.string)) } else { #expect(info["next_index"] == .null) }
            }
            #expect(seen.count == 23 && Set(seen).count == 23 && seen.first == "S22")
            let filter = #"{"field":{"api_name":"subject"},"comparator":"equal","value":"S3"}"#
            #expect(await bench.mails(of: place, "?filter=\(PercentCoding.encode(filter))").map { $0["subject"] } == ["S3"])
            #expect(await bench.send("GET", "\(place)/Emails?filter=x").status == 400)
        }
    }

    /// record-locking-configuration, 103: `restricted_communications`.
    @Test(arguments: TestServer.engines) func lockedRecordsMaySendNothing(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add("Leads", ["Last_Name": "Kim", "Email": "kim@acme.example"])
            func configure(_ method: String, _ id: JSONValue?, _ silent: JSONValue) async -> TestServer.Answer {
                var item: JSONValue = ["lock_type": "manual", "restricted_communications": silent]
                if let id { item["id"] = id }
                return await bench.send(
                    method, "settings/record_locking_configurations?module=Leads", ["record_locking_configurations": [item]])
            }
            let made = await configure("POST", nil, .null)
            let id = made.json?.first("record_locking_configurations")?["details"]?["id"]
            let locked = await bench.send(
                "POST", "Leads/\(lead)/Locking_Information__s", ["data": [["Locked_Reason__s": "audit"]]])
            #expect(made.status == 201 && locked.status == 201, "\(made.text) \(locked.text)")
            _ = try bench.messageID(await bench.mail("Leads/\(lead)"))
            #expect(await configure("PUT", id, ["send_mail"]).status == 200)
            let refused = await bench.mail("Leads/\(lead)")
            #expect(bench.result(refused)["code"] == "RECORD_LOCKED" && refused.status == 400, "\(refused.text)")
            #expect(await bench.mails(of: "Leads/\(lead)").count == 1)
            #expect(await configure("PUT", id, ["send_survey"]).status == 200)
            _ = try bench.messageID(await bench.mail("Leads/\(lead)"))
        }
    }

    /// emails, 230.
    @Test(arguments: TestServer.engines) func oneMayWriteAsOneself(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let answer = await bench.send("GET", "settings/emails/actions/from_addresses")
            let admin = bench.server.administrator
            #expect(
                answer.json == [
                    "from_addresses": [
                        [
                            "user_name": .string(admin.fullName), "email": .string(admin.email), "type": "primary", "id": .null,
                            "default": true,
                        ]
                    ]
                ])
            #expect(await bench.send("GET", "settings/emails/actions/from_addresses?user_id=12").status == 400)
        }
    }

    /// docs/mail.md: a text is bounded as it is when its places are filled.
    @Test(arguments: TestServer.engines) func placesDoNotMakeAMailEndless(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add(
                "Leads",
                ["Last_Name": "Kim", "Email": "kim@acme.example", "Description": .string(String(repeating: "x", count: 30_000))])
            let place = "${Leads.Description}"
            for (key, count) in [("content", 100), ("subject", 3)] {
                let answer = await bench.mail(
                    "Leads/\(lead)", more: .object([.init(key, .string(String(repeating: place, count: count)))]))
                let refusal = bench.result(answer)
                #expect(
                    refusal["code"] == "LIMIT_EXCEEDED" && refusal["details"]?["api_name"] == .string(key), "\(answer.text.prefix(300))")
            }
            #expect(await bench.mails(of: "Leads/\(lead)").isEmpty)
            let open = String(repeating: "${", count: 100_000)
            let odd = await bench.mail("Leads/\(lead)", more: ["content": .string(open)])
            #expect(bench.result(odd)["code"] == "SUCCESS", "\(odd.text.prefix(300))")
        }
    }

    /// Who is not active any more sends nothing.
    @Test(arguments: TestServer.engines) func aScheduledMailOfSomebodyInactiveStays(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add("Leads", ["Last_Name": "Kim", "Email": "kim@acme.example"])
            let due = Instant(milliseconds: bench.server.clock.now().milliseconds + 60_000).iso(offsetMinutes: 0)
            _ = try bench.messageID(await bench.mail("Leads/\(lead)", more: ["scheduled_time": .string(due)]))
            let writer = bench.server.administrator.id
            try await bench.server.services.changeMetadata { scope in
                guard var body = scope.catalog.user(writer)?.body else { return }
                body["status"] = "inactive"
                try scope.replace(RecordID(raw: writer.raw), body: body)
            }
            bench.server.clock.advance(seconds: 120)
            let postman = Postman()
            await bench.server.deliver(postman)
            #expect(postman.mails.isEmpty)
        }
    }

    /// docs/encryption.md: mails are kept as they are sent, so they hold nothing that is encrypted.
    @Test(arguments: TestServer.engines) func encryptedValuesStayOutOfMails(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let field: JSONValue = ["field_label": "Passport", "data_type": "text", "length": 40, "crypt": ["mode": "encryption"]]
            #expect(await bench.send("POST", "settings/fields?module=Leads", ["fields": [field]]).status == 201)
            let lead = try await bench.bench.add(
                "Leads", ["Last_Name": "Kim", "Email": "kim@acme.example", "Passport": "Zebra-4711"])
            let answer = await bench.mail(
                "Leads/\(lead)", more: ["subject": "P: ${Leads.Passport}", "content": "${Leads.Passport} of ${Leads.Last_Name}"])
            _ = try bench.messageID(answer)
            let postman = Postman()
            await bench.server.deliver(postman)
            #expect(postman.mails.count == 1 && postman.mails.allSatisfy { !$0.subject.contains("Zebra") })
            let sent = await bench.send("GET", "Leads/\(lead)/Emails/\(try bench.messageID(answer))")
            #expect(sent.text.contains("of Kim") && !sent.text.contains("Zebra"), "\(sent.text)")
        }
    }
}
