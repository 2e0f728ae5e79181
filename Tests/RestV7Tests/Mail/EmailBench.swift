import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// A server with short ways to send and read mails of records.
struct EmailBench: Sendable {
    let server: TestServer
    let token: String
    let bench: RecordBench
    let me: String

    private static let scopes =
        "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.send_mail.ALL,ZohoCRM.files.ALL,ZohoCRM.templates.ALL,ZohoCRM.users.ALL"

    static func with(_ engine: Database.Engine, _ body: (EmailBench) async throws -> Void) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(scopes)
            try await body(
                EmailBench(
                    server: server, token: token, bench: RecordBench(server: server, token: token), me: server.administrator.email))
        }
    }

    /// After so much time, with a new token: they live for an hour.
    func later(seconds: Int64) async throws -> EmailBench {
        server.clock.advance(seconds: seconds)
        let token = try await server.token(Self.scopes)
        return EmailBench(server: server, token: token, bench: RecordBench(server: server, token: token), me: me)
    }

    @discardableResult
    func send(_ method: String, _ path: String, _ json: JSONValue? = nil) async -> TestServer.Answer {
        await bench.send(method, path, json)
    }

    /// A mail from the administrator; `more` comes on top.
    func mail(_ place: String, to: [String] = ["kim@acme.example"], more: JSONValue = [:]) async -> TestServer.Answer {
        var item: JSONValue = [
            "from": ["user_name": "Ada", "email": .string(me)], "to": .array(to.map { ["email": .string($0)] }), "subject": "Hi",
            "content": "<p>Hello</p>",
        ]
        for member in more.members ?? [] { item[member.name] = member.value }
        return await send("POST", "\(place)/actions/send_mail", ["data": [item]])
    }

    func result(_ answer: TestServer.Answer, _ key: String = "data") -> JSONValue { answer.json?.first(key) ?? answer.json ?? .null }

    func messageID(_ answer: TestServer.Answer, _ key: String = "data") throws -> String {
        try #require(result(answer, key)["details"]?["message_id"]?.string, "\(answer.text)")
    }

    func mails(of place: String, _ query: String = "") async -> [JSONValue] {
        await send("GET", "\(place)/Emails\(query)").json?["Emails"]?.array ?? []
    }

    func associated(_ place: String, _ original: String, _ more: JSONValue = [:]) async -> TestServer.Answer {
        var item: JSONValue = [
            "from": ["user_name": "Kim", "email": "kim@acme.example"], "to": [["user_name": "Ada", "email": .string(me)]],
            "subject": "Question", "content": "<p>Why?</p>", "sent": false, "date_time": "2026-01-02T03:04:05+00:00",
            "original_message_id": .string(original),
        ]
        for member in more.members ?? [] { item[member.name] = member.value }
        return await send("POST", "\(place)/actions/associate_email", ["Emails": [item]])
    }

    /// Puts a file into the file system and returns its id.
    func upload(_ name: String, _ bytes: [UInt8]) async throws -> String {
        let spool = server.services.files.spool()
        try await spool.append(bytes)
        let kept = try await server.services.files.keep(spool, named: name)
        return try #require(try await server.services.files.register([kept], owner: server.administrator.id).first?.token)
    }
}
