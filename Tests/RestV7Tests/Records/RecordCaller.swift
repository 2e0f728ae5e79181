import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Calls the API as the administrator with every scope the record endpoints ask for, and reads what comes back.
struct RecordCaller {
    static let scopes =
        "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.org.ALL,ZohoCRM.apis.READ,ZohoSearch.securesearch.READ"

    let server: TestServer
    var token: String

    init(_ server: TestServer) async throws {
        self.server = server
        token = try await server.token(Self.scopes)
    }

    @discardableResult
    func send(_ method: String, _ path: String, _ json: JSONValue? = nil, headers: [(String, String)] = []) async -> TestServer.Answer {
        await server.send(method, "/crm/v7/" + path, json, token: token, headers: headers)
    }

    @discardableResult
    func send(_ method: String, _ path: String, text: String) async -> TestServer.Answer {
        await server.send(method, "/crm/v7/" + path, body: Array(text.utf8), token: token)
    }

    /// Adds records that must all be taken, and returns their ids.
    func insert(_ module: String, _ items: [JSONValue]) async throws -> [String] {
        let answer = await send("POST", module, ["data": .array(items)])
        try #require(answer.status == 201, "\(answer.text)")
        return answer.rows.compactMap { $0["details"]?["id"]?.string }
    }

    func record(_ module: String, _ id: String) async -> JSONValue { await send("GET", "\(module)/\(id)").rows.first ?? .null }

    /// The values of one field over a list.
    func column(_ name: String, _ path: String) async -> [JSONValue] { await send("GET", path).rows.map { $0[name] ?? .null } }

    func count(_ module: String) async -> Int64 { await send("GET", "\(module)/actions/count").json?["count"]?.int64 ?? -1 }

    /// The same server, called by someone else.
    func other() async throws -> RecordCaller {
        let admin = server.administrator
        let user = try await server.services.changeMetadata { scope in
            var body = admin.body
            body["full_name"] = "Second Person"
            body["email"] = "second@crm.example"
            let id = scope.ids.next()
            try scope.add([Document(id: id, kind: .user, body: body)])
            return UserID(raw: id.raw)
        }
        var caller = self
        let set = try #require(ScopeSet(Self.scopes))
        caller.token = try await server.shell.tokens.issueAccess(clientID: "test", user: user, scopes: set, lifeSeconds: 3600)
        return caller
    }

    /// Makes standard fields unique, as an administrator could.
    func makeUnique(_ names: [String], of module: String) async throws {
        try await server.services.changeMetadata { scope in
            for name in names {
                guard let field = scope.catalog.module(module)?.field(name) else { continue }
                var body = field.body
                body["unique"] = ["case_sensitive": false]
                try scope.replace(RecordID(raw: field.id.raw), body: body)
            }
        }
    }
}

extension TestServer.Answer {
    /// The elements of `data`.
    var rows: [JSONValue] { json?["data"]?.array ?? [] }
    var codes: [String] { rows.compactMap { $0["code"]?.string } }
    var code: String? { json?["code"]?.string }
    /// What the first item was refused with.
    var refusal: JSONValue { rows.first?["details"] ?? .null }
    var info: JSONValue { json?["info"] ?? .null }
}
