import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Drafts, templates and links to unsubscribe by. Contract: `endpoints/email-drafts.md`, 221 to 224; `endpoints/templates.md`, 73 and 74;
/// `endpoints/unsubscribe-links.md`, 59 to 63.
@Suite struct EmailSettingsTests {
    /// email-drafts, 221 to 224.
    @Test(arguments: TestServer.engines) func draftsAreKeptChangedAndDropped(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add("Leads", ["Last_Name": "Kim"])
            let path = "Leads/\(lead)/__email_drafts"
            #expect(await bench.send("GET", path).status == 204)
            let file = try await bench.upload("a.txt", [1, 2])
            let draft: JSONValue = [
                "from": .string(bench.me), "rich_text": true, "to": [["user_name": "Kim", "email": "kim@acme.example"]], "subject": "S",
                "content": "<p>Text</p>", "attachments": [["id": .string(file), "file_name": "b.txt"]],
                "schedule_details": ["time": "2090-01-01T00:00:00Z"],
            ]
            let made = await bench.send("POST", path, ["__email_drafts": [draft, ["from": .string(bench.me)]]])
            #expect(made.status == 207 && made.json?.codes("__email_drafts") == ["SUCCESS", "MANDATORY_NOT_FOUND"], "\(made.text)")
            let id = try #require(made.json?.first("__email_drafts")?["details"]?["id"]?.string)
            let shown = try #require(await bench.send("GET", "\(path)/\(id)").json?.first("__email_drafts"))
            #expect(shown["id"] == .string(id) && shown["from"] == .string(bench.me) && shown["rich_text"] == true)
            #expect(shown["summary"] == "Text" && shown["cc"] == .null && shown["email_opt_out"] == false)
            #expect(
                shown["attachments"] == [["id": .string(file), "file_name": "b.txt", "file_size": "2", "service_name": "ZFSAttached"]])
            #expect(shown["schedule_details"]?["time"]?.string.flatMap(Instant.init(iso:)) == Instant(iso: "2090-01-01T00:00:00Z"))
            #expect(await bench.mails(of: "Leads/\(lead)").isEmpty, "a draft is no mail")
            #expect(await bench.mails(of: "Leads/\(lead)", "?type=drafts").first?["message_id"] == .string(id))
            let change: JSONValue = ["id": .string(id), "from": .string(bench.me), "rich_text": false, "content": "New"]
            #expect(await bench.send("PUT", path, ["__email_drafts": [change]]).status == 200)
            let changed = try #require(await bench.send("GET", path).json?.first("__email_drafts"))
            #expect(changed["content"] == "New" && changed["rich_text"] == false && changed["attachments"] != .null)
            func code(_ item: JSONValue, _ method: String = "POST", _ place: String = "") async -> String? {
                let answer = await bench.send(method, path + place, ["__email_drafts": [item]])
                return answer.json?.codes("__email_drafts").first ?? answer.json?["code"]?.string
            }
            var late = draft
            late["schedule_details"] = ["time": "2001-01-01T00:00:00Z"]
            #expect(await code(late) == "NOT_ALLOWED")
            var inventory = change
            inventory["inventory_details"] = ["inventory_template": "1"]
            #expect(await code(inventory, "PUT") == "NOT_ALLOWED")
            #expect(await code(draft, "PUT", "/12") == "INVALID_DATA")
            #expect(await bench.send("POST", "Leads/12/__email_drafts", ["__email_drafts": [draft]]).json?["code"] == "INVALID_DATA")
            #expect(await bench.send("DELETE", "\(path)/\(id)").status == 200)
            #expect(await bench.send("DELETE", "\(path)/\(id)").status == 400)
            #expect(await bench.send("GET", path).status == 204)
        }
    }

    /// Who sees the record reads its drafts; their writers and administrators change them, each from an address of their own.
    @Test(arguments: TestServer.engines) func draftsAreTheirWriters(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add("Leads", ["Last_Name": "Kim"])
            let path = "Leads/\(lead)/__email_drafts"
            let ana = try await bench.server.addUser("Ana")
            let hers = RecordBench(server: bench.server, token: try await bench.server.token(of: ana))
            func draft(_ from: String, _ content: String) -> JSONValue {
                ["__email_drafts": [["from": .string(from), "rich_text": true, "content": .string(content)]]]
            }
            let id = await bench.send("POST", path, draft(bench.me, "Mine")).json?.first("__email_drafts")?["details"]?["id"]?.string ?? ""
            for from in ["stranger@acme.example", ana.email] {
                let refused = await bench.send("POST", path, draft(from, "x")).json?.first("__email_drafts")
                #expect(refused?["code"] == "INVALID_DATA" && refused?["details"]?["json_path"] == "$.__email_drafts[0].from", "\(from)")
            }
            let seen = await hers.send("GET", "\(path)/\(id)")
            #expect(seen.json?.first("__email_drafts")?["content"] == "Mine", "\(seen.text)")
            let changed = await hers.send("PUT", "\(path)/\(id)", draft(ana.email, "Hers"))
            #expect(changed.json?.codes("__email_drafts") == ["NO_PERMISSION"], "\(changed.text)")
            let dropped = await hers.send("DELETE", "\(path)/\(id)")
            #expect(dropped.json?.codes("__email_drafts") == ["NO_PERMISSION"], "\(dropped.text)")
            #expect(await bench.send("GET", "\(path)/\(id)").json?.first("__email_drafts")?["content"] == "Mine")
            let own = await hers.send("POST", path, draft(ana.email, "Hers")).json?.first("__email_drafts")?["details"]?["id"]?.string ?? ""
            #expect(await hers.send("PUT", "\(path)/\(own)", draft(ana.email, "Hers again")).status == 200)
            #expect(await bench.send("DELETE", "\(path)/\(own)").status == 200, "an administrator may")
        }
    }

    /// templates, 74; emails, 231: what the call says itself wins.
    @Test(arguments: TestServer.engines) func aTemplateIsFilledWithTheRecord(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let lead = try await bench.bench.add(
                "Leads", ["Last_Name": "<Kim>", "Email": "kim@acme.example", "Company": "Acme"])
            #expect(await bench.send("GET", "settings/email_templates").status == 204)
            let template: JSONValue = [
                "name": "News", "module": ["api_name": "Leads"], "subject": "For ${Leads.Last_Name}",
                "content": "<p>${Leads.Last_Name} of ${!Leads.Company}, ${Leads.Nope}${User.nope}${Leads.Fax}${User.fax}${Else.X}</p>",
            ]
            let made = await bench.send("POST", "settings/email_templates", ["email_templates": [template]])
            let id = try #require(made.json?.first("email_templates")?["details"]?["id"], "\(made.text)")
            let again = await bench.send("POST", "settings/email_templates", ["email_templates": [template]])
            #expect(again.json?.codes("email_templates") == ["DUPLICATE_DATA"])
            let listed = await bench.send("GET", "settings/email_templates?module=Leads&sort_by=name&sort_order=asc")
            #expect(listed.json?.first("email_templates")?["id"] == id && listed.json?["info"]?["count"] == 1, "\(listed.text)")
            #expect(listed.json?.first("email_templates")?["content"] == nil)
            #expect(await bench.send("GET", "settings/email_templates?category=draft").status == 204)
            #expect(await bench.send("GET", "settings/email_templates?sort_by=x").json?["code"] == "PATTERN_NOT_MATCHED")
            #expect(await bench.send("GET", "settings/inventory_templates?module=Leads").json?["code"] == "INVALID_MODULE")
            let filled = await bench.send(
                "POST", "Leads/\(lead)/actions/send_mail",
                [
                    "data": [
                        [
                            "from": ["email": .string(bench.me)], "to": [["email": "kim@acme.example"]], "template": ["id": id],
                            "subject": "Mine",
                        ]
                    ]
                ])
            #expect(filled.status == 200, "\(filled.text)")
            let postman = Postman()
            await bench.server.deliver(postman)
            let mail = try #require(postman.mails.first)
            #expect(
                mail.subject == "Mine" && mail.html == "<p>&lt;Kim&gt; of Acme, ${Leads.Nope}${User.nope}${Else.X}</p>",
                "\(mail.html ?? "")")
            #expect(mail.text == "<Kim> of Acme, ${Leads.Nope}${User.nope}${Else.X}")
            let used = await bench.send("GET", "settings/email_templates").json?.first("email_templates")
            #expect(used?["last_usage_time"]?.string != nil && used?["last_version_statistics"]?["sent"] == 1)
            let place = "settings/email_templates/\(id.string ?? "")"
            #expect(await bench.send("PUT", place, ["email_templates": [["content": "Plain", "editor_mode": "plain_text"]]]).status == 200)
            #expect(await bench.send("GET", place).json?.first("email_templates")?["content"] == "Plain")
            let ana = try await bench.server.addUser("Ana")
            let hers = try await bench.server.token(of: ana, "ZohoCRM.templates.ALL")
            try await bench.server.services.changeMetadata { scope in
                guard let profile = scope.catalog.documents(.profile).first(where: { $0.id == ana.profile }) else { return }
                var body = profile.body
                body["permissions"] = .array(
                    (body["permissions"]?.array ?? []).filter {
                        $0 != "Crm_Implied_Manage_Email_Templates" && $0 != "Crm_Implied_View_Leads"
                    })
                try scope.replace(profile.id, body: body)
            }
            #expect(await bench.server.send("GET", "/crm/v7/settings/email_templates", token: hers).status == 204, "not her module")
            #expect(await bench.server.send("DELETE", "/crm/v7/\(place)", token: hers).status == 403)
            #expect(await bench.send("DELETE", place).status == 200)
            #expect(await bench.send("GET", place).status == 204)
        }
    }

    /// unsubscribe-links, 59 to 63, and what comes of them.
    @Test(arguments: TestServer.engines) func aReceiverUnsubscribes(_ engine: Database.Engine) async throws {
        try await EmailBench.with(engine) { bench in
            let path = "settings/unsubscribe_links"
            #expect(await bench.send("GET", path).status == 204)
            func make(_ item: JSONValue) async -> JSONValue {
                let answer = await bench.send("POST", path, ["unsubscribe_links": [item]])
                return answer.json?.first("unsubscribe_links") ?? answer.json ?? .null
            }
            let link: JSONValue = [
                "name": "News", "page_type": "standard", "standard_page_message": "<b>Really?</b>",
                "submission_action_type": "redirect", "submission_redirect_url": "https://acme.example/bye",
            ]
            let id = try #require(await make(link)["details"]?["id"])
            #expect(await make(link)["code"] == "DUPLICATE_DATA")
            #expect(
                await make(["name": "A", "page_type": "custom", "submission_action_type": "redirect"])["code"] == "DEPENDENT_FIELD_MISSING")
            #expect(await make(["name": "A", "page_type": "standard"])["code"] == "MANDATORY_NOT_FOUND")
            var bad = link
            bad["name"] = "B"
            bad["submission_redirect_url"] = "javascript:alert(1)"
            #expect(await make(bad)["code"] == "INVALID_DATA")
            #expect(await bench.send("DELETE", "\(path)/12").status == 400)
            let shown = await bench.send("GET", "\(path)/\(id.string ?? "")")
            #expect(shown.json?.first("unsubscribe_links")?["submission_redirect_url"] == "https://acme.example/bye", "\(shown.text)")

            let lead = try await bench.bench.add("Leads", ["Last_Name": "Kim", "Email": "kim@acme.example"])
            let contact = try await bench.bench.add("Contacts", ["Last_Name": "Lee", "Email": "lee@acme.example"])
            let deal = try await bench.bench.add(
                "Deals", ["Deal_Name": "D", "Stage": "Qualification", "Contact_Name": ["id": .string(contact)]])
            let text: JSONValue = ["content": "<a href=\"${Unsubscribe_Link.News}\">Stop</a>"]
            _ = try bench.messageID(await bench.mail("Leads/\(lead)", more: text))
            _ = try bench.messageID(await bench.mail("Deals/\(deal)", to: ["lee@acme.example"], more: text))
            let postman = Postman()
            await bench.server.deliver(postman)
            for (mail, (module, record)) in zip(postman.mails, [("Leads", lead), ("Contacts", contact)]) {
                let link = try #require(mail.unsubscribe)
                #expect(mail.html?.contains("href=\"\(link)?link=") == true, "\(mail.html ?? "")")
                let place = try #require(link.firstRange(of: "/unsubscribe/")).lowerBound
                let page = await bench.server.send("GET", String(link[place...]) + "?link=\(id.string ?? "")")
                #expect(page.status == 200 && page.text.contains("Really?") && !page.text.contains("<b>"))
                #expect(await bench.bench.get(module, record)["Email_Opt_Out"] == false, "looking changes nothing")
                let done = await bench.server.send("POST", String(link[place...]) + "?link=\(id.string ?? "")")
                #expect(done.status == 302 && done.header("Location") == "https://acme.example/bye")
                let after = await bench.bench.get(module, record)
                #expect(after["Email_Opt_Out"] == true && after["Unsubscribed_Time"]?.string != nil, "\(module)")
                let forged = String(link[place...]).replacing("/unsubscribe/", with: "/unsubscribe/1")
                #expect(await bench.server.send("POST", forged).status == 404)
            }
            #expect(bench.result(await bench.mail("Leads/\(lead)"))["code"] == "NO_PERMISSION")
            #expect(bench.result(await bench.mail("Deals/\(deal)", to: ["lee@acme.example"]))["code"] == "NOT_ALLOWED")
            #expect(await bench.send("GET", "settings/unsubscribe_link/actions/associations").status == 204)
            #expect(await bench.send("DELETE", "\(path)/\(id.string ?? "")").status == 200)
        }
    }
}
