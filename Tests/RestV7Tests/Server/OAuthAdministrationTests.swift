import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What the command line asks of a server.
@Suite struct OAuthAdministrationTests {
    @Test(arguments: [
        AdminRequest.createClient(name: "a", redirectURIs: ["https://x.test/"]),
        .grant(clientID: "1", scope: "a.b", user: nil, minutes: 3), .token(scope: "a.b", user: "x@y.test", minutes: 60),
        .password(email: "x@y.test", password: nil), .password(email: "x@y.test", password: "p"),
    ])
    func requestsTravelAsJSON(_ request: AdminRequest) throws {
        #expect(AdminRequest(try JSONValue.parse(request.json.encoded())) == request)
        #expect(AdminRequest(["command": "shut down"]) == nil)
    }

    /// §3: self-client codes live 3 to 10 minutes and give a refresh token.
    @Test(arguments: TestServer.engines)
    func aGrantedCodeIsExchangedWithoutABrowser(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let client = try await server.administration.perform(.createClient(name: "Script", redirectURIs: []))
            let id = try #require(client["client_id"]?.string)
            let secret = try #require(client["client_secret"]?.string)
            let grant = try await server.administration.perform(.grant(clientID: id, scope: "ZohoCRM.modules.ALL", user: nil, minutes: 10))
            server.clock.advance(seconds: 590)
            let tokens = await server.post(
                "/oauth/v2/token",
                form: [
                    ("grant_type", "authorization_code"), ("client_id", id), ("client_secret", secret),
                    ("code", grant["code"]?.string ?? ""),
                ])
            #expect(tokens.json?["refresh_token"] != nil)
        }
    }

    @Test(arguments: TestServer.engines)
    func mistakesAreNamed(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let mistakes: [AdminRequest] = [
                .createClient(name: "", redirectURIs: []), .createClient(name: "a", redirectURIs: ["javascript://x"]),
                .grant(clientID: "nobody", scope: "a.b", user: nil, minutes: 5), .token(scope: "bad", user: nil, minutes: 5),
                .token(scope: "a.b", user: "nobody@example.test", minutes: 5), .token(scope: "a.b", user: nil, minutes: 0),
                .token(scope: "ZohoCRM.nonsense.ALL", user: nil, minutes: 5),
                .password(email: "nobody@example.test", password: nil),
                .password(email: server.administrator.email, password: "short"),
            ]
            for mistake in mistakes {
                await #expect(throws: AdminFailure.self) { try await server.administration.perform(mistake) }
            }
        }
    }
}
