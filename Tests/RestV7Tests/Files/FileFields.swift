import CRMCore
import Metadata
import Testing
import TributaryTestKit
import Wire

/// A server whose leads have a field for files and one for images, and what tests do with them.
struct FileFields {
    let server: TestServer
    let token: String

    init(_ server: TestServer) async throws {
        self.server = server
        token = try await server.token("ZohoCRM.modules.ALL,ZohoCRM.files.CREATE,ZohoCRM.files.READ")
        try await server.services.changeMetadata { scope in
            guard let leads = scope.catalog.module("Leads") else { return }
            let fields = [("Papers", "fileupload", 5), ("Paper", "fileupload", 1), ("Pictures", "imageupload", 10)].map {
                name, type, length in
                Document(
                    id: scope.ids.next(), kind: .field, parent: RecordID(raw: leads.id.raw), apiName: name,
                    body: [
                        "api_name": .string(name), "field_label": .string(name), "data_type": .string(type), "length": .integer(length),
                        "custom_field": true, "columns": [],
                    ])
            }
            try scope.add(fields)
        }
    }

    /// The id of an uploaded file, as fields name it.
    func file(_ name: String, _ content: [UInt8]) async throws -> JSONValue {
        let answer = await server.upload("/crm/v7/files", .file(name, content), token: token)
        return try #require(answer.json?["data"]?.array?.first?["details"]?["id"])
    }

    func files(_ names: String...) async throws -> JSONValue {
        var entries: [JSONValue] = []
        for name in names { entries.append(["File_Id__s": try await file(name, Array(name.utf8))]) }
        return .array(entries)
    }

    func create(_ values: JSONValue) async throws -> String {
        var values = values
        if values["Last_Name"] == nil { values["Last_Name"] = "Kim" }
        values["Company"] = "Acme"
        let answer = await server.send("POST", "/crm/v7/Leads", ["data": [values]], token: token)
        return try #require(answer.json?["data"]?.array?.first?["details"]?["id"]?.string, "\(answer.text)")
    }

    func update(_ id: String, _ values: JSONValue) async -> TestServer.Answer {
        await server.send("PUT", "/crm/v7/Leads/\(id)", ["data": [values]], token: token)
    }

    func entries(_ id: String, _ field: String) async -> [JSONValue] {
        await server.send("GET", "/crm/v7/Leads/\(id)", token: token).json?["data"]?.array?.first?[field]?.array ?? []
    }

    func names(_ id: String, _ field: String) async -> [String] { await entries(id, field).compactMap { $0["File_Name__s"]?.string } }

    func id(_ record: String, _ field: String, _ name: String) async throws -> JSONValue {
        try #require(await entries(record, field).first { $0["File_Name__s"]?.string == name }?["id"])
    }

    static func with(_ engine: TestServerEngine, _ body: (FileFields) async throws -> Void) async throws {
        try await TestServer.with(engine) { server in try await body(try await FileFields(server)) }
    }
}
