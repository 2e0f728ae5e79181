import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// A server with a token and short words for what tests of rows do over and over.
struct RowBench {
    let server: TestServer
    let token: String

    static func with(_ engine: Database.Engine, _ body: (RowBench) async throws -> Void) async throws {
        try await TestServer.with(engine) { server in
            let scopes = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoSearch.securesearch.READ"
            try await body(RowBench(server: server, token: try await server.token(scopes)))
        }
    }

    func send(_ method: String, _ path: String, _ body: JSONValue? = nil, headers: [(String, String)] = []) async -> TestServer.Answer {
        await server.send(method, "/crm/v7/\(path)", body, token: token, headers: headers)
    }

    /// Adds one record and returns its id.
    func add(_ module: String, _ item: JSONValue) async throws -> String {
        let answer = await send("POST", module, ["data": [item]])
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(answer.json?["data"]?.array?.first?["details"]?["id"]?.string)
    }

    func change(_ module: String, _ id: String, _ item: JSONValue) async -> TestServer.Answer {
        await send("PUT", "\(module)/\(id)", ["data": [item]])
    }

    func record(_ module: String, _ id: String) async -> JSONValue {
        await send("GET", "\(module)/\(id)").json?["data"]?.array?.first ?? .null
    }

    /// The first result of a write.
    func result(_ answer: TestServer.Answer) -> JSONValue { answer.json?["data"]?.array?.first ?? .null }

    /// A subform `Languages` on a module, as settings would make it.
    func addLanguages(to module: String) async throws {
        let owner = try #require(server.services.catalog.current().module(module)).id.raw
        try await server.services.changeMetadata { scope in
            let rows = scope.ids.next()
            func field(_ name: String, _ dataType: String, _ more: [(String, JSONValue)] = []) -> Document {
                var body: JSONValue = [
                    "api_name": .string(name), "field_label": .string(name), "data_type": .string(dataType), "custom_field": true,
                    "columns": name == "id" ? ["id"] : [.string(name.lowercased())],
                ]
                for (key, value) in more { body[key] = value }
                return Document(id: scope.ids.next(), kind: .field, parent: rows, apiName: name, body: body)
            }
            var subform = field("Languages", "subform", [("subform", ["module": ["api_name": "Languages"]]), ("columns", [])])
            subform = Document(id: subform.id, kind: .field, parent: RecordID(raw: owner), apiName: "Languages", body: subform.body)
            try scope.add(
                [
                    Document(
                        id: rows, kind: .module, apiName: "Languages",
                        body: ["generated_type": "subform", "table": "m_languages", "api_name": "Languages"]),
                    field("id", "bigint"),
                    field("Parent_Id", "lookup", [("lookup", ["module": ["api_name": .string(module)]]), ("system_mandatory", true)]),
                    field("Language", "text", [("system_mandatory", true), ("length", 50)]), field("Proficiency", "text"),
                    field("Created_Time", "datetime"), field("Modified_Time", "datetime"), subform,
                ])
        }
    }
}

extension RowBench {
    /// A field whose values may stand for ids, as settings would make it.
    func addExternalField(_ name: String, to module: String) async throws {
        let owner = try #require(server.services.catalog.current().module(module)).id.raw
        try await server.services.changeMetadata { scope in
            let body: JSONValue = [
                "api_name": .string(name), "field_label": .string(name), "data_type": "text", "length": 100, "custom_field": true,
                "columns": [.string("c_" + name.lowercased())], "external": ["type": "org", "show": true],
            ]
            try scope.add([Document(id: scope.ids.next(), kind: .field, parent: RecordID(raw: owner), apiName: name, body: body)])
        }
    }
}
