import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What the tests of conversions do over and over.
struct ConversionBench {
    static let scopes = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.coql.READ,ZohoSearch.securesearch.READ,ZohoCRM.mass_convert.ALL"

    let server: TestServer
    var token: String

    static func with(_ engine: Database.Engine, _ body: (ConversionBench) async throws -> Void) async throws {
        try await TestServer.with(engine) { server in
            try await body(ConversionBench(server: server, token: try await server.token(scopes)))
        }
    }

    var records: RecordBench { RecordBench(server: server, token: token) }

    @discardableResult
    func send(_ method: String, _ path: String, _ body: JSONValue? = nil) async -> TestServer.Answer {
        await server.send(method, "/crm/v7/" + path, body, token: token)
    }

    func add(_ module: String, _ item: JSONValue) async throws -> String { try await records.add(module, item) }
    func get(_ module: String, _ id: String) async -> JSONValue { await records.get(module, id) }

    func convert(_ lead: String, _ item: JSONValue = [:]) async -> TestServer.Answer {
        await send("POST", "Leads/\(lead)/actions/convert", ["data": [item]])
    }

    /// The ids a conversion answered, by module.
    func made(_ answer: TestServer.Answer, _ module: String) -> String { answer.rows.first?["details"]?[module]?["id"]?.string ?? "" }

    static func deal(_ more: [(String, JSONValue)] = []) -> JSONValue {
        var deal: JSONValue = [
            "Deal_Name": "Acme deal", "Closing_Date": "2030-06-30", "Stage": "Qualification", "Pipeline": "Standard (Standard)",
        ]
        for (key, value) in more { deal[key] = value }
        return deal
    }

    /// Makes a standard field unique, as an administrator could.
    func makeUnique(_ name: String, of module: String) async throws {
        try await RecordCaller(server).makeUnique([name], of: module)
    }
}
