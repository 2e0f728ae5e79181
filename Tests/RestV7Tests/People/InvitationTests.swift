import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Invitations of new users. Contract: `endpoints/users.md`, 115 and 116.
@Suite struct InvitationTests {
    private static func add(_ server: TestServer, _ token: String) async throws -> String {
        let catalog = server.services.catalog.current()
        let profile = try #require(catalog.documents(.profile).first { $0.body["name"] == "Standard" })
        let role = try #require(catalog.documents(.role).first)
        let answer = await server.send(
            "POST", "/crm/v7/users",
            [
                "users": [
                    [
                        "first_name": "Lee", "last_name": "Kim", "email": "lee@acme.example", "role": .id(role.id),
                        "profile": .id(profile.id),
                    ]
                ]
            ], token: token)
        return try #require(answer.json?.first("users")?["details"]?["id"]?.string, "\(answer.text)")
    }

    /// The path of the link in the newest mail.
    private static func link(_ server: TestServer) async throws -> String {
        let postman = Postman()
        await server.deliver(postman)
        let mail = try #require(postman.mails.last)
        let start = try #require(mail.text.firstRange(of: "/invitation/")).lowerBound
        return String(mail.text[start...].prefix { !$0.isWhitespace })
    }

    private static func confirmed(_ server: TestServer, _ id: String, _ token: String) async -> JSONValue? {
        await server.send("GET", "/crm/v7/users/\(id)", token: token).json?.first("users")?["confirm"]
    }

    @Test(arguments: TestServer.engines) func anInvitedUserSetsAPasswordOnce(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let id = try await Self.add(server, token)
            #expect(await Self.confirmed(server, id, token) == false)
            #expect(await server.send("GET", "/crm/v7/users?type=NotConfirmedUsers", token: token).text.contains(id))
            let link = try await Self.link(server)
            let page = await server.send("GET", link)
            #expect(page.status == 200 && page.text.contains("lee@acme.example"))
            #expect(await server.post(link, form: [("password", "short"), ("again", "short")]).status == 400)
            #expect(await server.post(link, form: [("password", "long enough"), ("again", "another one")]).status == 400)
            #expect(await Self.confirmed(server, id, token) == false)
            #expect(await server.post(link, form: [("password", "long enough"), ("again", "long enough")]).status == 200)
            #expect(await Self.confirmed(server, id, token) == true)
            let user = UserID(raw: try #require(Int64(id)))
            #expect(try await server.administration.credentials.verify("long enough", of: user) == .accepted)
            #expect(await server.post(link, form: [("password", "something"), ("again", "something")]).status == 404, "once")
            #expect(await server.send("GET", link).status == 404)
            let again = await server.send("PUT", "/crm/v7/users/\(id)", ["users": [["reinvite": true]]], token: token)
            #expect(again.json?.codes("users") == ["INVALID_REQUEST"], "\(again.text)")
            let held = try await server.services.database.run(.read) { tx in
                try tx.first("SELECT count(*) FROM sys_invitation") { $0.integer(0) }
            }
            #expect(held == 0)
        }
    }

    @Test(arguments: TestServer.engines) func aNewInvitationEndsTheOldAndTimeEndsAll(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let id = try await Self.add(server, token)
            let first = try await Self.link(server)
            let again = await server.send("PUT", "/crm/v7/users", ["users": [["id": .string(id), "reinvite": true]]], token: token)
            #expect(again.status == 200, "\(again.text)")
            let second = try await Self.link(server)
            #expect(await server.send("GET", first).status == 404)
            #expect(await server.send("GET", second).status == 200)
            #expect(await server.send("PUT", "/crm/v7/users/\(id)", ["users": [["email": "kim@acme.example"]]], token: token).status == 200)
            let third = try await Self.link(server)
            #expect(await server.send("GET", second).status == 404, "it went to an address that is no longer his")
            server.clock.advance(seconds: 7 * 86_400 + 1)
            #expect(await server.send("GET", third).status == 404)
            #expect(await server.post(third, form: [("password", "long enough"), ("again", "long enough")]).status == 404)
            let fresh = try await server.token()
            #expect(await server.send("PUT", "/crm/v7/users/\(id)", ["users": [["reinvite": true]]], token: fresh).status == 200)
            let fourth = try await Self.link(server)
            #expect(await server.send("DELETE", "/crm/v7/users/\(id)", token: fresh).status == 200)
            #expect(await server.send("GET", fourth).status == 404, "nobody is invited any more")
        }
    }
}
