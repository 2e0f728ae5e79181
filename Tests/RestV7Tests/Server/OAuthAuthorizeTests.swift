import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// GET /oauth/v2/auth with its pages. Contract: common, §3.
@Suite struct OAuthAuthorizeTests {
    private static let back = "https://app.example.test/back?keep=1"
    private static let password = "correct horse"

    /// A browser: it keeps cookies and fills in forms.
    private final class Browser {
        let server: TestServer
        var cookies: [String: String] = [:]

        init(_ server: TestServer) { self.server = server }

        func get(_ path: String) async -> TestServer.Answer { keep(await server.send("GET", path, headers: cookie)) }

        func submit(_ page: TestServer.Answer, _ entries: [(String, String)]) async -> TestServer.Answer {
            keep(await server.post("/oauth/v2/auth", form: Self.hiddenFields(page.text) + entries, headers: cookie))
        }

        private var cookie: [(String, String)] { [("Cookie", cookies.map { "\($0)=\($1)" }.joined(separator: "; "))] }

        private func keep(_ answer: TestServer.Answer) -> TestServer.Answer {
            for (name, value) in answer.headers where name == "Set-Cookie" {
                let pair = value.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
                cookies[String(pair[0])] = pair.count > 1 ? String(pair[1]) : nil
            }
            return answer
        }

        static func hiddenFields(_ html: String) -> [(String, String)] {
            html.matches(of: /<input type=hidden name="([^"]*)" value="([^"]*)">/).map { match in
                (String(match.1), String(match.2).replacing("&amp;", with: "&"))
            }
        }
    }

    private func with(
        _ engine: Database.Engine, _ body: (TestServer, Browser, Client, _ secret: String) async throws -> Void
    ) async throws {
        try await TestServer.with(engine) { server in
            let made = try await server.administration.clients.create(name: "App <b>", redirectURIs: [Self.back])
            try await server.administration.credentials.setPassword(Self.password, of: server.administrator.id)
            try await body(server, Browser(server), made.client, made.secret)
        }
    }

    private func link(_ client: Client, redirect: String = back, type: String = "code", scope: String = "ZohoCRM.modules.ALL") -> String {
        "/oauth/v2/auth?response_type=\(type)&client_id=\(client.clientID)&scope=\(scope)&access_type=offline&prompt=consent"
            + "&state=a%26b&redirect_uri=\(PercentCoding.encode(redirect))"
    }

    private func signIn(_ browser: Browser, _ path: String) async -> TestServer.Answer {
        let page = await browser.get(path)
        let email = browser.server.administrator.email
        let answer = await browser.submit(page, [("step", "sign_in"), ("email", email.uppercased()), ("password", Self.password)])
        return await browser.get(answer.header("location") ?? "")
    }

    private func query(of location: String) -> [String: String] {
        let pairs = PercentCoding.pairs(location.drop { $0 != "?" }.dropFirst())
        return Dictionary(pairs.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// §3: sign-in, consent, 302 with code, location, accounts-server and state; and the code works.
    @Test(arguments: TestServer.engines)
    func signingInAndAllowingGivesACode(_ engine: Database.Engine) async throws {
        try await with(engine) { server, browser, client, secret in
            let consent = await signIn(browser, link(client, scope: "ZohoCRM.modules.leads.READ,ZohoCRM.settings.ALL"))
            #expect(consent.status == 200)
            #expect(consent.header("content-type") == "text/html;charset=utf-8")
            #expect(consent.text.contains("ZohoCRM.modules.leads.READ"))
            #expect(consent.text.contains("App &lt;b&gt;"))
            #expect(!consent.text.contains("App <b>"))
            let answer = await browser.submit(consent, [("step", "allow")])
            #expect(answer.status == 302)
            let location = try #require(answer.header("location"))
            #expect(location.hasPrefix(Self.back + "&code="))
            let values = query(of: location)
            #expect(values["state"] == "a&b")
            #expect(values["location"] == "us")
            #expect(values["accounts-server"] == "http://crm.example.test")
            let tokens = await server.post(
                "/oauth/v2/token",
                form: [
                    ("grant_type", "authorization_code"), ("client_id", client.clientID), ("client_secret", secret),
                    ("redirect_uri", Self.back), ("code", values["code"] ?? ""),
                ])
            #expect(tokens.json?["refresh_token"] != nil)
            #expect(tokens.json?["scope"] == "ZohoCRM.modules.leads.READ ZohoCRM.settings.ALL")
        }
    }

    @Test(arguments: TestServer.engines)
    func refusingTellsTheClient(_ engine: Database.Engine) async throws {
        try await with(engine) { _, browser, client, _ in
            let answer = await browser.submit(await signIn(browser, link(client)), [("step", "deny")])
            #expect(answer.status == 302)
            #expect(answer.header("location") == Self.back + "&error=access_denied&state=a%26b")
        }
    }

    /// A redirect that is not exactly a registered one, or an unknown client, must never be followed.
    @Test(arguments: TestServer.engines)
    func unregisteredRedirectsEndOnAPage(_ engine: Database.Engine) async throws {
        try await with(engine) { server, browser, client, _ in
            for redirect in ["https://app.example.test/back", "https://app.example.test/back?keep=1&x", "https://evil.example.test", ""] {
                let answer = await browser.get(link(client, redirect: redirect))
                #expect(answer.status == 400)
                #expect(answer.header("location") == nil)
            }
            let unknown = await browser.get("/oauth/v2/auth?response_type=code&client_id=x&redirect_uri=\(PercentCoding.encode(Self.back))")
            #expect(unknown.status == 400)
            #expect(unknown.header("location") == nil)
        }
    }

    @Test(arguments: TestServer.engines)
    func badScopesAndTypesGoBackToTheClient(_ engine: Database.Engine) async throws {
        try await with(engine) { _, browser, client, _ in
            #expect(
                query(of: await browser.get(link(client, type: "token")).header("location") ?? "")["error"] == "unsupported_response_type")
            #expect(query(of: await browser.get(link(client, scope: "x")).header("location") ?? "")["error"] == "invalid_scope")
        }
    }

    @Test(arguments: TestServer.engines)
    func formsFromElsewhereAreRefused(_ engine: Database.Engine) async throws {
        try await with(engine) { server, browser, client, _ in
            let consent = await signIn(browser, link(client))
            let fields = Browser.hiddenFields(consent.text).filter { $0.0 != "seal" }
            let session = [("Cookie", "tributary_session=\(browser.cookies["tributary_session"] ?? "")")]
            let withoutSeal = await server.post("/oauth/v2/auth", form: fields + [("step", "allow")], headers: session)
            #expect(withoutSeal.status == 403)
            let withoutCookie = await server.post("/oauth/v2/auth", form: Browser.hiddenFields(consent.text) + [("step", "allow")])
            #expect(withoutCookie.status == 403)
            let stranger = Browser(server)
            let page = await stranger.get(link(client))
            stranger.cookies = [:]
            let email = server.administrator.email
            #expect(await stranger.submit(page, [("step", "sign_in"), ("email", email), ("password", Self.password)]).status == 403)
        }
    }

    @Test(arguments: TestServer.engines)
    func wrongPasswordsAreRefusedAndThenRest(_ engine: Database.Engine) async throws {
        try await with(engine) { server, browser, client, _ in
            let page = await browser.get(link(client))
            let email = server.administrator.email
            for _ in 0..<10 {
                let answer = await browser.submit(page, [("step", "sign_in"), ("email", email), ("password", "wrong")])
                #expect(answer.status == 200)
                #expect(answer.text.contains("Wrong e-mail address or password"))
            }
            let resting = await browser.submit(page, [("step", "sign_in"), ("email", email), ("password", Self.password)])
            #expect(resting.text.contains("Too many wrong passwords"))
            let nobody = await browser.submit(page, [("step", "sign_in"), ("email", "x@example.test"), ("password", "wrong")])
            #expect(nobody.text.contains("Wrong e-mail address or password"))
        }
    }

    @Test(arguments: TestServer.engines)
    func aSessionIsNoToken(_ engine: Database.Engine) async throws {
        try await with(engine) { server, browser, client, _ in
            _ = await signIn(browser, link(client))
            let session = try #require(browser.cookies["tributary_session"])
            #expect(try await server.shell.tokens.grant(for: session) == nil)
        }
    }

    @Test(arguments: TestServer.engines)
    func aNewPasswordEndsSessionsAndSigningOutEndsOne(_ engine: Database.Engine) async throws {
        try await with(engine) { server, browser, client, _ in
            let consent = await signIn(browser, link(client))
            let session = browser.cookies["tributary_session"]
            let out = await browser.submit(consent, [("step", "sign_out")])
            #expect(out.status == 302)
            browser.cookies["tributary_session"] = session
            #expect(await browser.get(link(client)).text.contains("Sign in"))

            _ = await signIn(browser, link(client))
            _ = try await server.administration.perform(.password(email: server.administrator.email, password: nil))
            #expect(await browser.get(link(client)).text.contains("<h1>Sign in</h1>"))
        }
    }
}
