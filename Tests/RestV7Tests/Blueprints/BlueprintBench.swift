import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// A blueprint over the status of leads, and short ways to go through it.
struct BlueprintBench {
    static let settings = "settings/automation/blueprints"

    let caller: RecordCaller
    var server: TestServer { caller.server }
    let layout: JSONValue

    init(_ server: TestServer) async throws {
        caller = try await RecordCaller(server)
        let catalog = server.services.catalog.current()
        let leads = try #require(catalog.module("Leads"))
        let found = try #require(catalog.documents(.layout).first { $0.parent?.raw == leads.id.raw })
        layout = ["id": .id(found.id)]
    }

    /// Not Contacted → Attempted to Contact → Contacted, where it ends.
    func body(_ changes: (inout JSONValue) -> Void = { _ in }) -> JSONValue {
        var body: JSONValue = [
            "name": "Nurture", "module": ["api_name": "Leads"], "layout": layout, "field": ["api_name": "Lead_Status"],
            "criteria": ["field": ["api_name": "Company"], "comparator": "equal", "value": "Acme"],
            "transitions": [
                [
                    "name": "Call", "from": ["Not Contacted"], "to": "Attempted to Contact",
                    "fields": [
                        ["api_name": "Phone", "mandatory": true],
                        [
                            "api_name": "No_of_Employees", "message": "a firm has people",
                            "criteria": ["field": ["api_name": "No_of_Employees"], "comparator": "greater_than", "value": 0],
                        ],
                    ], "notes": ["mandatory": true],
                    "actions": [
                        ["type": "field_update", "field": ["api_name": "Rating"], "value": "Active"],
                        ["type": "task", "task": ["Subject": "Call again", "Due_Date": "2030-01-02"]],
                    ],
                ],
                [
                    "name": "Reach", "from": ["Attempted to Contact"], "to": "Contacted",
                    "criteria": ["field": ["api_name": "City"], "comparator": "equal", "value": "Bergen"],
                    "criteria_message": "only in Bergen",
                    "checklists": [["title": "Before", "items": ["read", "write"], "mandatory": true]], "attachments": ["mandatory": false],
                ],
            ],
        ]
        changes(&body)
        return ["blueprints": [body]]
    }

    @discardableResult
    func make(_ changes: (inout JSONValue) -> Void = { _ in }) async throws -> String {
        let answer = await caller.send("POST", Self.settings, body(changes))
        try #require(answer.status == 201, "\(answer.text)")
        return try #require(answer.json?["blueprints"]?.array?.first?["details"]?["id"]?.string)
    }

    func lead(_ more: JSONValue = [:]) async throws -> String {
        var item: JSONValue = ["Last_Name": "Kim", "Company": "Acme", "Lead_Status": "Not Contacted"]
        for member in more.members ?? [] { item[member.name] = member.value }
        return try await caller.insert("Leads", [item])[0]
    }

    func path(_ lead: String) -> String { "Leads/\(lead)/actions/blueprint" }

    func shown(_ lead: String) async -> JSONValue { await caller.send("GET", path(lead)).json?["blueprint"] ?? .null }

    func transition(_ name: String, of lead: String) async -> JSONValue {
        (await shown(lead)["transitions"]?.array ?? []).first { $0["name"]?.string == name } ?? .null
    }

    func take(_ name: String, _ lead: String, _ data: JSONValue = .null) async -> TestServer.Answer {
        let id = await transition(name, of: lead)["id"] ?? .null
        return await caller.send("PUT", path(lead), ["blueprint": [["transition_id": id, "data": data]]])
    }
}
