import CRMCore
import Metadata
import SQLStore
import Wire

/// A server with short ways to make, merge and look at records, for tests about what a merge does to data.
package struct RecordBench: Sendable {
    package let server: TestServer
    package let token: String

    package static func with(_ engine: Database.Engine, _ body: (RecordBench) async throws -> Void) async throws {
        try await TestServer.with(engine) { server in
            try await body(RecordBench(server: server, token: try await server.token(TestServer.recordScopes)))
        }
    }

    package init(server: TestServer, token: String) {
        self.server = server
        self.token = token
    }

    @discardableResult
    package func send(_ method: String, _ path: String, _ json: JSONValue? = nil, headers: [(String, String)] = []) async
        -> TestServer.Answer
    {
        await server.send(method, "/crm/v7/" + path, json, token: token, headers: headers)
    }

    /// Adds records through the API, a hundred at a time, and returns their ids.
    package func add(_ module: String, _ items: [JSONValue]) async throws -> [String] {
        var ids: [String] = []
        for start in stride(from: 0, to: items.count, by: 100) {
            let answer = await send("POST", module, ["data": .array(Array(items[start..<min(start + 100, items.count)]))])
            let made = (answer.json?["data"]?.array ?? []).compactMap { $0["details"]?["id"]?.string }
            guard answer.status == 201 else { throw BenchFailure(description: "POST \(module): \(answer.text)") }
            ids += made
        }
        return ids
    }

    package func add(_ module: String, _ item: JSONValue) async throws -> String { try await add(module, [item])[0] }

    /// Adds rows of a module that the API does not offer, such as link rows, through the record store.
    package func addRows(_ module: String, _ items: [JSONValue]) async throws -> [RecordID] {
        let services = server.services
        let catalog = services.catalog.current()
        guard let module = catalog.module(module) else { throw BenchFailure(description: "no module \(module)") }
        let access = AccessPolicy.system("rows of a test", for: server.administrator.id)
        return try await services.write(catalog, access, .system) { scope in
            let cursors = items.map { JSONCursor($0) }
            return try services.records.insert(cursors, module, scope).map { try $0.get().id }
        }
    }

    /// The record as `GET` shows it; null when it is not there.
    package func get(_ module: String, _ id: String) async -> JSONValue {
        await send("GET", "\(module)/\(id)").json?["data"]?.array?.first ?? .null
    }

    /// The ids in a related list.
    package func related(_ module: String, _ id: String, _ list: String) async -> Set<String> {
        let answer = await send("GET", "\(module)/\(id)/\(list)?fields=id&per_page=200")
        return Set((answer.json?["data"]?.array ?? []).compactMap { $0["id"]?.string })
    }

    /// A merge body: children with the fields each gives, and fields the master keeps.
    package static func body(_ children: [(String, [String])], master: [String]? = nil) -> JSONValue {
        let data = children.map { id, fields -> JSONValue in
            ["id": .string(id), "_fields": .array(fields.map { ["api_name": .string($0)] })]
        }
        var object: JSONValue = ["data": .array(data)]
        if let master { object["master_record_fields"] = .array(master.map { ["api_name": .string($0)] }) }
        return ["merge": [object]]
    }

    @discardableResult
    package func merge(
        _ module: String, _ master: String, _ children: [(String, [String])], keep: [String]? = nil, query: String = "?verbose=true",
        headers: [(String, String)] = []
    ) async -> TestServer.Answer {
        await send("POST", "\(module)/\(master)/actions/merge\(query)", Self.body(children, master: keep), headers: headers)
    }

    /// Merges, and undoes with the journal of the answer.
    package func undo(_ module: String, _ master: String, _ merged: TestServer.Answer) async -> TestServer.Answer {
        let journal = merged.json?["merge"]?.array?.first?["details"]?["journal_id"] ?? .null
        return await send("POST", "\(module)/\(master)/actions/unmerge", ["journal_id": journal])
    }

    package func drain() async { await JobWorker(server.services).drain() }

    package func dump() async throws -> RecordDump { try await RecordDump.take(server.services) }

    /// Changes a column the API does not let a client write.
    package func set(_ field: String, of module: String, _ id: String, to value: SQLValue) async throws {
        let found = server.services.catalog.current().module(module)
        guard let table = found?.table, let column = found?.field(field)?.columns.first, let id = RecordID(id) else {
            throw BenchFailure(description: field)
        }
        try await server.services.database.run(.write) { tx in
            _ = try tx.execute("UPDATE \(table) SET \(column) = \(value) WHERE id = \(id)")
        }
    }
}

package struct BenchFailure: Error, CustomStringConvertible {
    package let description: String
    package init(description: String) { self.description = description }
}

extension TestServer {
    package static let recordScopes = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoSearch.securesearch.READ"
}

extension RecordBench {
    /// A field of a custom module, as a document holds it.
    package struct CustomField: Sendable {
        let name: String
        let body: JSONValue

        package static func text(_ name: String, unique: Bool = false) -> CustomField {
            var body: JSONValue = ["data_type": "text", "length": 120, "custom_field": true, "columns": [.string(name.lowercased())]]
            if unique { body["unique"] = ["casesensitive": false] }
            return CustomField(name: name, body: body)
        }

        package static func lookup(_ name: String, to module: String, side: Bool = false) -> CustomField {
            var body: JSONValue = [
                "data_type": "lookup", "custom_field": true, "columns": [.string(name.lowercased())],
                "lookup": ["module": ["api_name": .string(module)]],
            ]
            if side { body["link_side"] = true }
            return CustomField(name: name, body: body)
        }

        /// A lookup into any module.
        package static func anyLookup(_ name: String) -> CustomField {
            CustomField(
                name: name,
                body: [
                    "data_type": "lookup", "custom_field": true,
                    "columns": [.string(name.lowercased()), .string(name.lowercased() + "_m")],
                    "lookup": ["module": ["api_name": "se_module"]],
                ])
        }
    }

    /// Makes a module with a name, the standard times and authors, and the fields given.
    package func addModule(_ apiName: String, type: String = "custom", _ fields: [CustomField]) async throws {
        let table = JSONValue.string("c_" + apiName.lowercased())
        try await server.services.changeMetadata { scope in
            let module = scope.ids.next()
            var documents = [
                Document(
                    id: module, kind: .module, apiName: apiName,
                    body: [
                        "api_name": .string(apiName), "module_name": .string(apiName), "singular_label": .string(apiName),
                        "generated_type": .string(type), "table": table,
                    ])
            ]
            func add(_ name: String, _ body: JSONValue) {
                var body = body
                body["api_name"] = .string(name)
                documents.append(Document(id: scope.ids.next(), kind: .field, parent: module, apiName: name, body: body))
            }
            let fixed: JSONValue = ["web_update": false, "api_create": false, "web_create": false, "api_update": false]
            add("id", ["data_type": "bigint", "columns": ["id"], "operation_type": fixed])
            add("Name", ["data_type": "text", "length": 120, "columns": ["name"], "display_field": true])
            add("Owner", ["data_type": "ownerlookup", "columns": ["owner"]])
            for (name, type) in [
                ("Created_Time", "datetime"), ("Modified_Time", "datetime"), ("Created_By", "ownerlookup"), ("Modified_By", "ownerlookup"),
            ] {
                add(name, ["data_type": .string(type), "columns": [.string(name.lowercased())], "operation_type": fixed])
            }
            for field in fields { add(field.name, field.body) }
            if type == "custom" {
                try ModulePermissions(suffix: apiName).grant(to: Set(scope.catalog.documents(.profile).map(\.id)), scope)
            }
            try scope.add(documents)
        }
    }

    /// Adds fields to a module that is there.
    package func addFields(_ module: String, _ fields: [CustomField]) async throws {
        try await server.services.changeMetadata { scope in
            guard let module = scope.catalog.module(module) else { throw BenchFailure(description: "no module \(module)") }
            let documents = fields.map { field -> Document in
                var body = field.body
                body["api_name"] = .string(field.name)
                return Document(id: scope.ids.next(), kind: .field, parent: RecordID(raw: module.id.raw), apiName: field.name, body: body)
            }
            try scope.add(documents)
        }
    }
}
