import CRMCore
import HTTPShell
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// From the request line to an endpoint, and what is refused on the way. Contract: common, §1, §2, §4, §6.
@Suite struct DispatchTests {
    private static let extra: [any Endpoint.Type] = [
        ModuleProbe.self, RecordProbe.self, RelatedProbe.self, SearchProbe.self, CountProbe.self, RolesProbe.self, EchoProbe.self,
        DeleteProbe.self,
        FailingProbe.self, BusyProbe.self, NothingProbe.self, SettingsProbe.self,
    ]

    private func with(_ body: (TestServer, _ token: String) async throws -> Void) async throws {
        var options = Shell.Options()
        options.bodyLimit = 1000
        try await TestServer.with(.sqlite, extra: Self.extra, options: options) { server in
            try await body(server, try await server.token())
        }
    }

    @Test func wordsBeatParameters() async throws {
        try await with { server, token in
            let cases: [(String, String)] = [
                ("/probe/v7/Leads", "module Leads"), ("/probe/v7/Leads/12", "record Leads 12"),
                ("/probe/v7/Leads/search", "search Leads"), ("/probe/v7/Leads/actions/count", "count Leads"),
                ("/probe/v7/Contacts/roles", "roles"), ("/probe/v7/Contacts/12", "record Contacts 12"),
                ("/probe/v7/Contacts", "module Contacts"), ("//probe/v7/Leads/12", "record Leads 12"),
                ("/probe/v7/Leads/a%2Fb%20c", "record Leads a/b c"), ("/probe/v7/Leads/a+b", "record Leads a+b"),
                ("/probe/v7/Leads?x=1&", "module Leads"), ("/probe/v7/Leads/12/Notes", "related Leads 12 Notes"),
            ]
            for (path, expected) in cases {
                #expect(await server.send("GET", path, token: token).json?["saw"]?.string == expected, "\(path)")
            }
        }
    }

    /// §1: unknown path 404 INVALID_URL_PATTERN; reserved words are no modules.
    @Test func unknownPathsAreNotFound() async throws {
        let paths = [
            "/", "/nowhere", "/crm/v7", "/probe/v7/settings/nope", "/probe/v7/settings/nope/x", "/probe/v7/Leads/", "/probe/v7/Leads//x",
            "/probe/v7/Leads/actions/nope", "/probe/v7/Leads/12/Notes/1/2", "/probe/v7/%FF", "/crm/v7/coql/x", "/crm/v7/__nothing",
        ]
        try await with { server, token in
            for path in paths {
                let answer = await server.send("GET", path, token: token)
                #expect(answer.status == 404, "\(path)")
                #expect(answer.json?["code"] == "INVALID_URL_PATTERN", "\(path)")
                #expect(answer.json?["status"] == "error")
                #expect(answer.json?["details"] == [:])
            }
        }
    }

    /// §1: known path, wrong method: 400 INVALID_REQUEST_METHOD, before the token is looked at.
    @Test func wrongMethodsAreRefused() async throws {
        try await with { server, _ in
            for method in ["POST", "HEAD", "OPTIONS", "PATCH", "BREW"] {
                for path in ["/probe/v7/Leads", "/probe/v7/Leads/search", "/probe/v7/Contacts/roles", "/health"] {
                    let answer = await server.send(method, path)
                    #expect(answer.status == 400, "\(method) \(path)")
                    #expect(answer.json?["code"] == "INVALID_REQUEST_METHOD")
                }
            }
        }
    }

    /// A reserved word keeps its place against the parameter whatever the method.
    @Test func aReservedWordIsNoRecord() async throws {
        try await with { server, token in
            #expect(await server.send("DELETE", "/probe/v7/Leads/12", token: token).json?["saw"] == "related Leads 12 -")
            #expect(await server.send("DELETE", "/probe/v7/Leads/search", token: token).json?["code"] == "INVALID_REQUEST_METHOD")
        }
    }

    /// §2: the three ways a token can fail.
    @Test func tokensAreChecked() async throws {
        try await with { server, token in
            let missing = await server.send("GET", "/probe/v7/Leads")
            #expect(missing.status == 401)
            #expect(missing.text == #"{"code":"AUTHENTICATION_FAILURE","details":{},"message":"Authentication failed","status":"error"}"#)
            for header in ["Zoho-oauthtoken 1000.x", "Bearer 1000.x"] {
                let unknown = await server.send("GET", "/probe/v7/Leads", headers: [("authorization", header)])
                #expect(unknown.status == 401)
                #expect(unknown.json?["code"] == "INVALID_TOKEN")
            }
            for header in ["Basic \(token)", token, "Zoho-oauthtoken", "Zoho-oauthtoken "] {
                #expect(
                    await server.send("GET", "/probe/v7/Leads", headers: [("authorization", header)]).json?["code"]
                        == "AUTHENTICATION_FAILURE")
            }
            #expect(await server.send("GET", "/probe/v7/Leads", headers: [("AUTHORIZATION", "bearer \(token)")]).status == 200)
        }
    }

    /// §2 and §12.
    @Test func scopesAreChecked() async throws {
        let cases: [(path: String, scope: String, allowed: Bool)] = [
            ("Leads", "ZohoCRM.modules.ALL", true), ("Leads", "zohocrm.MODULES.read", true), ("Leads", "ZohoCRM.modules.leads.READ", true),
            ("Leads", "ZohoCRM.modules.Leads.ALL", true), ("Leads", "ZohoCRM.modules.contacts.ALL", false),
            ("Leads", "ZohoCRM.modules.leads.CREATE", false), ("Leads", "ZohoCRM.modules.WRITE", false),
            ("Leads", "ZohoCRM.settings.ALL", false),
            ("settings/fields", "ZohoCRM.settings.ALL", true), ("settings/fields", "ZohoCRM.settings.fields.READ", true),
            ("settings/fields", "ZohoCRM.settings.fields.ALL", true), ("settings/fields", "ZohoCRM.settings.READ", true),
            ("settings/fields", "ZohoCRM.settings.modules.READ", false), ("settings/fields", "ZohoCRM.modules.ALL", false),
        ]
        try await with { server, _ in
            for (path, scope, allowed) in cases {
                let answer = await server.send("GET", "/probe/v7/\(path)", token: try await server.token(scope))
                #expect(answer.status == (allowed ? 200 : 401), "\(path) \(scope)")
                if !allowed {
                    #expect(answer.json?["code"] == "OAUTH_SCOPE_MISMATCH")
                    #expect(answer.json?["message"] == "invalid oauth scope to access this URL")
                }
            }
        }
    }

    /// §6: malformed or missing JSON.
    @Test func malformedBodiesAreRefused() async throws {
        try await with { server, token in
            for body in ["", "{", "{\"a\":1} x", "nonsense", "{\"a\":\"\u{FFFF}"] {
                let answer = await server.send("POST", "/probe/echo", body: Array(body.utf8), token: token)
                #expect(answer.status == 400, "\(body)")
                #expect(answer.json?["code"] == "UNABLE_TO_PARSE_DATA_TYPE", "\(body)")
            }
            let answer = await server.send("POST", "/probe/echo", body: Array("{\"a\":x}".utf8), token: token)
            #expect(answer.json?["message"]?.string?.contains("5") == true)
        }
    }

    @Test func bodiesNeedNoContentType() async throws {
        try await with { server, token in
            #expect(await server.send("POST", "/probe/echo", ["a": [1, "x"]], token: token).json == ["a": [1, "x"]])
            let typed = await server.send(
                "POST", "/probe/echo", ["a": 1], token: token, headers: [("Content-Type", "application/x-www-form-urlencoded")])
            #expect(typed.json == ["a": 1])
        }
    }

    @Test func bodiesOverTheLimitAreRefused() async throws {
        try await with { server, token in
            let answer = await server.send("POST", "/probe/echo", body: [UInt8](repeating: 32, count: 1001), token: token)
            #expect(answer.status == 413)
            #expect(answer.json?["status"] == "error")
            #expect(answer.json?["details"]?["limit"] == 1000)
            let unread = await server.shell.answer(IncomingRequest(method: "POST", target: "/probe/echo", headers: [], body: .tooLarge))
            #expect(unread.status == 413)
        }
    }

    @Test func requestIDsComeBack() async throws {
        try await with { server, _ in
            #expect(await server.send("GET", "/health", headers: [("X-Request-Id", "abc-1")]).header("x-request-id") == "abc-1")
            let made = await server.send("GET", "/health", headers: [("X-Request-Id", "bad id\n")]).header("x-request-id")
            #expect(made != nil && made != "bad id\n")
        }
    }

    @Test(arguments: TestServer.engines)
    func healthAsksTheDatabase(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let answer = await server.send("GET", "/health")
            #expect(answer.status == 200)
            #expect(answer.json == ["status": "ok"])
        }
    }

    /// Errors of our own are never shown.
    @Test func unexpectedErrorsAreInternal() async throws {
        try await with { server, token in
            let answer = await server.send("GET", "/probe/fail", token: token)
            #expect(answer.status == 500)
            #expect(answer.text == #"{"code":"INTERNAL_ERROR","details":{},"message":"Internal Server Error","status":"error"}"#)
            let busy = await server.send("GET", "/probe/busy", token: token)
            #expect(busy.status == 429)
            #expect(busy.json?["code"] == "TOO_MANY_REQUESTS")
        }
    }

    /// §4: no body and no Content-Type.
    @Test func nothingIsReallyNothing() async throws {
        try await with { server, token in
            let answer = await server.send("GET", "/probe/nothing", token: token)
            #expect(answer.status == 204)
            #expect(answer.body.isEmpty)
            #expect(answer.header("content-type") == nil)
        }
    }

    /// §9: True and False, blanks as plus, unescaped equals signs and a trailing ampersand.
    @Test func queriesAreReadAsTheSDKsWriteThem() async throws {
        try await with { server, token in
            let answer = await server.send("GET", "/probe/v7/Leads?a=x+y%2Bz&b=c=d&empty=&flag&", token: token)
            #expect(answer.json?["query"] == [["a", "x y+z"], ["b", "c=d"], ["empty", ""], ["flag", ""]])
        }
    }
}

private protocol Probe: Endpoint where Input == RequestInput {}

struct RequestInput: EndpointInput {
    let request: ParsedRequest
    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { self.request = request }
}

extension Probe {
    fileprivate static func saw(_ words: String, _ request: ParsedRequest) -> Reply {
        .json(["saw": .string(words), "query": .array(request.query.map { [.string($0.name), .string($0.value)] })])
    }
}

private enum ModuleProbe: Probe {
    static let declaration = Declaration(.get, "/probe/v7/{module}", entry: "", scope: .modules(["READ"]))
    static func respond(_ input: RequestInput, _ context: RequestContext) async throws -> Reply {
        saw("module \(input.request.path["module"] ?? "-")", input.request)
    }
}
private enum RecordProbe: Probe {
    static let declaration = Declaration(.get, "/probe/v7/{module}/{id}", entry: "", scope: .modules(["READ"]))
    static func respond(_ input: RequestInput, _ context: RequestContext) async throws -> Reply {
        saw("record \(input.request.path["module"] ?? "-") \(input.request.path["id"] ?? "-")", input.request)
    }
}
private enum RelatedProbe: Probe {
    static let declaration = Declaration(.get, "/probe/v7/{module}/{record}/{list}", entry: "", scope: .modules(["READ"]))
    static func respond(_ input: RequestInput, _ context: RequestContext) async throws -> Reply {
        let path = input.request.path
        return saw("related \(path["module"] ?? "-") \(path["record"] ?? "-") \(path["list"] ?? "-")", input.request)
    }
}
private enum DeleteProbe: Probe {
    static let declaration = Declaration(.delete, "/probe/v7/{module}/{record}", entry: "", scope: .modules(["DELETE"]))
    static func respond(_ input: RequestInput, _ context: RequestContext) async throws -> Reply {
        try await RelatedProbe.respond(input, context)
    }
}
private enum SearchProbe: Probe {
    static let declaration = Declaration(.get, "/probe/v7/{module}/search", entry: "", scope: .modules(["READ"]))
    static func respond(_ input: RequestInput, _ context: RequestContext) async throws -> Reply {
        saw("search \(input.request.path["module"] ?? "-")", input.request)
    }
}
private enum CountProbe: Probe {
    static let declaration = Declaration(.get, "/probe/v7/{module}/actions/count", entry: "", scope: .modules(["READ"]))
    static func respond(_ input: RequestInput, _ context: RequestContext) async throws -> Reply {
        saw("count \(input.request.path["module"] ?? "-")", input.request)
    }
}
private enum RolesProbe: Probe {
    static let declaration = Declaration(.get, "/probe/v7/Contacts/roles", entry: "", scope: .modules(["READ"]))
    static func respond(_ input: RequestInput, _ context: RequestContext) async throws -> Reply { saw("roles", input.request) }
}
private enum SettingsProbe: Probe {
    static let declaration = Declaration(
        .get, "/probe/v7/settings/fields", entry: "", scope: .fixed(["ZohoCRM.settings.fields.READ", "ZohoCRM.settings.fields.ALL"]))
    static func respond(_ input: RequestInput, _ context: RequestContext) async throws -> Reply { saw("fields", input.request) }
}
private enum EchoProbe: Endpoint {
    static let declaration = Declaration(.post, "/probe/echo", entry: "", scope: .fixed(["ZohoCRM.modules.CREATE"]))
    struct Input: EndpointInput {
        let json: JSONCursor
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { json = try request.json() }
    }
    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply { .json(input.json.value) }
}
private struct SecretError: Error { let password = "do not show" }
private enum FailingProbe: Endpoint {
    static let declaration = Declaration(.get, "/probe/fail", entry: "", scope: .fixed(["ZohoCRM.modules.READ"]))
    typealias Input = NoInput
    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply { throw SecretError() }
}
private enum BusyProbe: Endpoint {
    static let declaration = Declaration(.get, "/probe/busy", entry: "", scope: .fixed(["ZohoCRM.modules.READ"]))
    typealias Input = NoInput
    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply { throw SQLFailure.busy }
}
private enum NothingProbe: Endpoint {
    static let declaration = Declaration(.get, "/probe/nothing", entry: "", scope: .fixed(["ZohoCRM.modules.READ"]))
    typealias Input = NoInput
    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply { .nothing }
}
