import CRMCore
import HTTPShell
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// A cadence with a step of each kind, records to enrol, and a clock to put forward.
struct CadenceBench {
    static let settings = "settings/automation/cadences"

    var caller: RecordCaller
    var server: TestServer { caller.server }

    init(_ server: TestServer) async throws { caller = try await RecordCaller(server) }

    static let body: JSONValue = [
        "name": "Follow up", "module": ["api_name": "Contacts"],
        "follow_ups": [
            [
                "type": "email", "delay": ["unit": 0, "period": "days"], "subject": "Hello ${Contacts.Last_Name}",
                "content": "Dear ${!Contacts.Last_Name}, of ${Contacts.Nothing}.",
            ],
            ["type": "task", "delay": ["unit": 1, "period": "days"], "task": ["Subject": "Ring up"]],
            ["type": "call", "delay": ["unit": 2, "period": "hours"], "call": ["Subject": "Talk"]],
        ],
    ]

    func make(_ changes: (inout JSONValue) -> Void = { _ in }) async throws -> String {
        var body = Self.body
        changes(&body)
        let answer = await caller.send("POST", Self.settings, ["cadences": [body]])
        try #require(answer.status == 201, "\(answer.text)")
        return try #require(answer.json?["cadences"]?.array?.first?["details"]?["id"]?.string)
    }

    func enrol(_ ids: [String], _ cadences: [String], _ verb: String = "enrol_in") async -> TestServer.Answer {
        await caller.send(
            "POST", "Contacts/actions/\(verb)_cadences",
            ["cadences_ids": .array(cadences.map(JSONValue.string)), "ids": .array(ids.map(JSONValue.string))])
    }

    func contact(_ name: String) async throws -> String {
        try await caller.insert("Contacts", [["Last_Name": .string(name), "Email": .string("\(name.lowercased())@acme.example")]])[0]
    }

    /// Puts the clock forward, and does what is due.
    mutating func wait(hours: Int64) async throws {
        server.clock.advance(seconds: hours * 3600 + 1)
        await JobWorker(server.services).drain()
        caller.token = try await server.token(RecordCaller.scopes)
    }

    func tasks(_ contact: String) async -> [String] {
        await caller.send("GET", "Contacts/\(contact)/Tasks?fields=Subject").rows.compactMap { $0["Subject"]?.string }
    }

    func mails() async throws -> [JSONValue] {
        let token = try await server.token("ZohoCRM.settings.jobs.READ")
        return await server.send("GET", "/crm/v7/__mails", token: token).json?["mails"]?.array ?? []
    }

    func enrolled() async throws -> [String] {
        try await server.services.database.run(.read) { tx in
            try tx.rows("SELECT record_id, cadence_id, step FROM sys_cadence_record ORDER BY record_id, cadence_id") {
                "\($0.integer(0) ?? 0) \($0.integer(1) ?? 0) \($0.integer(2) ?? 0)"
            }
        }
    }
}
