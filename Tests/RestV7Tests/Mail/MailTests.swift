import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Mails that tell of writes. Contract: `endpoints/change-owner.md`, 218, `notify`; `endpoints/meeting-cancel.md`, 183,
/// `send_cancelling_mail`; `endpoints/convert-lead.md`, 135, `notify_lead_owner` and `notify_new_entity_owner`.
@Suite struct MailTests {
    private static let scopes = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.change_owner.ALL"

    private static func deliver(_ server: TestServer, _ postman: Postman) async {
        await JobWorker(server.services.mailing(through: postman)).drain()
    }

    private static func mails(_ server: TestServer, _ token: String, _ query: String = "") async -> [JSONValue] {
        await server.send("GET", "/crm/v7/__mails\(query)", token: token).json?["mails"]?.array ?? []
    }

    private static func give(_ server: TestServer, _ ids: [String], to user: User, _ token: String, notify: JSONValue = true) async
        -> TestServer.Answer
    {
        let body: JSONValue = [
            "ids": .array(ids.map(JSONValue.string)), "owner": ["id": .string(String(user.id.raw))], "notify": notify,
        ]
        return await server.send("POST", "/crm/v7/Leads/actions/change_owner", body, token: token)
    }

    /// change-owner, 218.
    @Test(arguments: TestServer.engines) func aNewOwnerIsToldOfWhatIsNewToHim(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let ana = try await server.addUser("Ana")
            let token = try await server.token(Self.scopes)
            let kim = try await server.add("Leads", ["Last_Name": "Kim\u{2028}Bcc: x@y.example"], token: token)
            let ito = try await server.add("Leads", ["Last_Name": "Ito"], token: token)
            #expect(await Self.give(server, [kim], to: ana, token, notify: false).status == 200)
            #expect(await Self.mails(server, token).isEmpty, "nobody asked")
            #expect(await Self.give(server, [kim], to: ana, token).status == 200)
            #expect(await Self.mails(server, token).isEmpty, "it was Ana's already")
            #expect(await Self.give(server, [kim, ito, "12"], to: ana, token).status == 207)
            let waiting = await Self.mails(server, token, "?state=waiting")
            #expect(waiting.count == 1 && waiting.first?["sent_time"] == .null && waiting.first?["attempts"] == 0)

            let postman = Postman()
            await Self.deliver(server, postman)
            let mail = try #require(postman.mails.first)
            #expect(postman.receivers == ["ana@tributary.test"])
            #expect(mail.subject == "You own Lead Ito (\(ito))")
            #expect(mail.text == "\(server.administrator.fullName) made you the owner of:\n\n- Lead Ito (\(ito))\n")
            let sent = await Self.mails(server, token)
            #expect(sent.count == 1 && sent.first?["state"] == "sent" && sent.first?["to"] == "ana@tributary.test")
            #expect(sent.first?["sent_time"]?.string != nil && sent.first?["subject"] == .string(mail.subject))
            await Self.deliver(server, postman)
            #expect(postman.mails.count == 1, "once")

            let path = "/crm/v7/Leads/\(kim)/actions/change_owner"
            let admin: JSONValue = ["id": .string(String(server.administrator.id.raw))]
            #expect(await server.send("POST", path, ["owner": admin, "notify": true], token: token).status == 200)
            await Self.deliver(server, postman)
            #expect(postman.mails.last?.subject == "You own Lead Kim Bcc: x@y.example (\(kim))", "names break no lines")
            #expect(await server.send("POST", path, ["owner": admin, "notify": "yes"], token: token).json?["code"] == "INVALID_DATA")
        }
    }

    @Test(arguments: TestServer.engines) func nobodyIsToldOfWhatHeMayNotSee(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let ana = try await server.addUser("Ana")
            let token = try await server.token(Self.scopes)
            let kim = try await server.add("Leads", ["Last_Name": "Kim"], token: token)
            try await server.services.changeMetadata { scope in
                guard let profile = scope.catalog.documents(.profile).first(where: { $0.id == ana.profile }) else { return }
                var body = profile.body
                let names = (body["permissions"]?.array ?? []).filter { $0 != "Crm_Implied_View_Leads" }
                body["permissions"] = .array(names)
                try scope.replace(profile.id, body: body)
            }
            #expect(await Self.give(server, [kim], to: ana, token).status == 200)
            #expect(await Self.mails(server, token).isEmpty)
        }
    }

    @Test(arguments: TestServer.engines) func whatIsRefusedTellsNobody(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let ana = try await server.addUser("Ana")
            let gone = try await server.addUser("Gone", active: false)
            let token = try await server.token(Self.scopes)
            let kim = try await server.add("Leads", ["Last_Name": "Kim"], token: token)
            #expect(await Self.give(server, ["12"], to: ana, token).status == 400)
            #expect(await Self.give(server, [kim], to: gone, token).status == 400)
            let order: JSONValue = ["data": [["notify_lead_owner": true, "notify_new_entity_owner": true, "Deals": ["Deal_Name": "D"]]]]
            #expect(await server.send("POST", "/crm/v7/Leads/\(kim)/actions/convert", order, token: token).status == 400)
            #expect(await Self.mails(server, token).isEmpty)
            // A write that is undone as a whole takes its mails with it.
            let catalog = server.services.catalog.current()
            let access = try AccessPolicy.of(server.administrator.id, catalog)
            let (leads, id) = (try #require(catalog.module("Leads")), try #require(RecordID(kim)))
            let records = server.services.records
            await #expect(throws: Rejection.self) {
                try await server.services.write(catalog, access, .changeOwner) { scope in
                    _ = try OwnerChange(to: ana, telling: true).apply(to: [id], of: leads, records, scope)
                    throw Rejection(.internalError)
                }
            }
            #expect(await Self.mails(server, token).isEmpty)
            #expect(await server.send("GET", "/crm/v7/__jobs?kind=mail", token: token).status == 204)
        }
    }

    /// meeting-cancel, 183.
    @Test(arguments: TestServer.engines) func participantsAreToldThatAMeetingIsOff(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let ana = try await server.addUser("Ana", profile: "Administrator")
            let bob = try await server.addUser("Bob", profile: "Administrator")
            let kim = try await server.add("Contacts", ["Last_Name": "Kim", "Email": "kim@acme.example"], token: token)
            let silent = try await server.add("Contacts", ["Last_Name": "Silent"], token: token)
            let people: JSONValue = [
                ["type": "contact", "participant": .string(kim)], ["type": "contact", "participant": .string(silent)],
                ["type": "user", "participant": .string(String(ana.id.raw))], ["type": "user", "participant": .string(String(bob.id.raw))],
                ["type": "email", "participant": "guest@acme.example"], ["type": "email", "participant": "KIM@acme.example"],
            ]
            let event: JSONValue = [
                "Event_Title": "Fair", "Start_DateTime": "2090-01-01T10:00:00Z", "End_DateTime": "2090-01-01T11:00:00Z",
                "Participants": people,
            ]
            let quiet = try await server.add("Events", event, token: token)
            let loud = try await server.add("Events", event, token: token)
            try await server.services.changeMetadata { scope in
                var body = bob.body
                body["status"] = "inactive"
                try scope.replace(RecordID(raw: bob.id.raw), body: body)
            }
            func cancel(_ id: String, _ telling: JSONValue) async -> Int {
                await server.send(
                    "POST", "/crm/v7/Events/\(id)/actions/cancel", ["data": [["send_cancelling_mail": telling]]], token: token
                ).status
            }
            #expect(await cancel(quiet, false) == 200)
            #expect(await Self.mails(server, token).isEmpty)
            #expect(await cancel(loud, true) == 200)
            #expect(await cancel(loud, true) == 400, "it is off already")
            let postman = Postman()
            await Self.deliver(server, postman)
            #expect(postman.receivers == ["ana@tributary.test", "guest@acme.example", "kim@acme.example"], "each once; no inactive user")
            let mail = try #require(postman.mails.first)
            #expect(
                mail.subject == "Cancelled: Fair" && mail.text.contains("\(server.administrator.fullName) cancelled the meeting Fair on 20")
            )
        }
    }

    /// convert-lead, 135.
    @Test(arguments: TestServer.engines) func ownersAreToldOfAConversion(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let ana = try await server.addUser("Ana", profile: "Administrator")
            let token = try await server.token(Self.scopes)
            let owner: JSONValue = ["id": .string(String(ana.id.raw))]
            func convert(_ values: JSONValue) async throws -> String {
                let lead = try await server.add("Leads", ["Last_Name": "Kim", "Company": "Acme", "Owner": owner], token: token)
                let done = await server.send("POST", "/crm/v7/Leads/\(lead)/actions/convert", ["data": [values]], token: token)
                #expect(done.status == 200, "\(done.text)")
                return lead
            }
            _ = try await convert(["assign_to": .string(String(server.administrator.id.raw))])
            #expect(await Self.mails(server, token).isEmpty)
            let lead = try await convert([
                "notify_lead_owner": true, "notify_new_entity_owner": true, "assign_to": .string(String(server.administrator.id.raw)),
                "Deals": ["Deal_Name": "Big", "Closing_Date": "2030-06-30", "Stage": "Qualification", "Pipeline": "Standard (Standard)"],
            ])
            let postman = Postman()
            await Self.deliver(server, postman)
            let told = try #require(postman.mails.first { $0.recipient.text == ana.email })
            #expect(
                told.subject == "Lead Kim (\(lead)) was converted" && told.text.contains("- Contact Kim (")
                    && told.text.contains("- Deal Big ("))
            let new = try #require(postman.mails.first { $0.recipient.text == server.administrator.email })
            #expect(postman.mails.count == 2 && new.text.contains("- Deal Big ("))
            #expect(!new.text.contains("Account Acme"), "the account was there before")
        }
    }

    @Test(arguments: TestServer.engines) func withoutAMailServerMailsAreKept(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let ana = try await server.addUser("Ana")
            let token = try await server.token(Self.scopes)
            let kim = try await server.add("Leads", ["Last_Name": "Kim"], token: token)
            #expect(await Self.give(server, [kim], to: ana, token).status == 200)
            await server.drain()
            let kept = await Self.mails(server, token)
            #expect(kept.count == 1 && kept.first?["state"] == "kept" && kept.first?["error"] == .null && kept.first?["attempts"] == 0)
            #expect(kept.first?["content"]?.string?.contains("- Lead Kim (\(kim))") == true)
            let postman = Postman()
            await Self.deliver(server, postman)
            #expect(postman.mails.isEmpty, "what was kept is old news")
            server.clock.advance(seconds: 31 * 86_400)
            try await JobSweep(server.services).sweep()
            #expect(await Self.mails(server, try await server.token(Self.scopes)).isEmpty, "swept with the jobs")
        }
    }

    @Test(arguments: TestServer.engines) func whatDoesNotGoIsTriedAgainUntilItIsGivenUp(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let people: JSONValue = .array(
                ["never", "later", "fine"].map { ["type": "email", "participant": .string("\($0)@acme.example")] })
            let id = try await server.add(
                "Events",
                [
                    "Event_Title": "Fair", "Start_DateTime": "2090-01-01T10:00:00Z", "End_DateTime": "2090-01-01T11:00:00Z",
                    "Participants": people,
                ], token: token)
            let cancelled = await server.send(
                "POST", "/crm/v7/Events/\(id)/actions/cancel", ["data": [["send_cancelling_mail": true]]], token: token)
            #expect(cancelled.status == 200, "\(cancelled.text)")
            @Sendable func states() async throws -> [String: String] {
                let token = try await server.token(Self.scopes)
                return
                    Dictionary(
                        await Self.mails(server, token).map { ($0["to"]?.string ?? "", $0["state"]?.string ?? "") },
                        uniquingKeysWith: { a, _ in a })
            }
            let away = Postman { _ in .unreachable("away") }
            await Self.deliver(server, away)
            #expect(try await states().values.allSatisfy { $0 == "waiting" })
            #expect(
                await Self.mails(server, token).filter { $0["attempts"] == 1 && $0["error"] == "away" }.count == 1, "the rest was not tried"
            )

            let picky = Postman { mail in
                if mail.recipient.text.hasPrefix("never") { return .refused("no such person") }
                return mail.recipient.text.hasPrefix("later") ? .deferred("try later") : nil
            }
            server.clock.advance(seconds: 3)
            await Self.deliver(server, picky)
            #expect(picky.receivers == ["fine@acme.example"])
            #expect(
                try await states() == ["never@acme.example": "failed", "later@acme.example": "waiting", "fine@acme.example": "sent"])
            let reason = await server.send("GET", "/crm/v7/__jobs?kind=mail&state=waiting", token: token)
            #expect(reason.status == 200, "the job waits, it has not failed: \(reason.text)")
            for _ in 0..<60 {
                server.clock.advance(seconds: 1800)
                await Self.deliver(server, picky)
            }
            #expect(try await states()["later@acme.example"] == "waiting", "a day and a half is no reason to give up")
            for _ in 0..<60 {
                server.clock.advance(seconds: 1800)
                await Self.deliver(server, picky)
            }
            #expect(picky.receivers == ["fine@acme.example"], "what went does not go again")
            #expect(
                await Self.mails(server, try await server.token(Self.scopes), "?state=failed").compactMap { $0["error"]?.string }.sorted()
                    == [
                        "no such person", "try later",
                    ])
        }
    }

    @Test(arguments: TestServer.engines) func theListIsForAdministratorsAndHasPages(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let ana = try await server.addUser("Ana")
            let token = try await server.token(Self.scopes)
            #expect(await server.send("GET", "/crm/v7/__mails", token: token).status == 204)
            for name in ["Kim", "Ito", "Lee"] {
                let id = try await server.add("Leads", ["Last_Name": .string(name)], token: token)
                #expect(await Self.give(server, [id], to: ana, token).status == 200)
            }
            let first = await server.send("GET", "/crm/v7/__mails?per_page=2", token: token)
            #expect(first.json?["info"] == ["per_page": 2, "count": 2, "page": 1, "more_records": true])
            #expect(first.json?["mails"]?.array?.first?["subject"]?.string?.contains("Lee") == true, "newest first")
            #expect(await Self.mails(server, token, "?per_page=2&page=2").count == 1)
            #expect(await Self.mails(server, token, "?state=sent").isEmpty)
            #expect(await server.send("GET", "/crm/v7/__mails?state=x", token: token).json?["code"] == "PATTERN_NOT_MATCHED")
            #expect(await server.send("GET", "/crm/v7/__mails?page=0", token: token).json?["code"] == "INVALID_DATA")
            #expect(await server.send("GET", "/crm/v7/__mails").status == 401)
            let narrow = try await server.token("ZohoCRM.modules.ALL")
            #expect(await server.send("GET", "/crm/v7/__mails", token: narrow).json?["code"] == "OAUTH_SCOPE_MISMATCH")
            #expect(await server.send("GET", "/crm/v7/__mails", token: try await server.token(of: ana)).json?["code"] == "NO_PERMISSION")
        }
    }
}
