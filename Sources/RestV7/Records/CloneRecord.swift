import CRMCore
import HTTPShell
import Metadata
import Wire

/// Adds a copy of a record. Contract: records, 129.
enum CloneRecord: Endpoint {
    static let declaration = Declaration(.post, "/crm/v7/{module}/{id}/actions/clone", entry: "129", scope: .modules(["CREATE"]))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        /// Empty when nothing is to be different.
        let item: JSONCursor

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.filledModule(context)
            id = try request.recordID()
            let body = request.body.isEmpty ? JSONCursor([:]) : try request.json()
            _ = try body.object()
            let given = body.optional("data").flatMap { $0.value.isNull ? nil : $0 }
            let path = JSONPath().appending("data").appending(0)
            item = given == nil ? JSONCursor([:], at: path) : try body.items("data", limit: 1)[0]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcome = try await context.services.write(context.catalog, context.access, .api) { scope in
            try context.services.records.clone(input.id, of: input.module, overriding: input.item, scope)
        }
        return .items("data", [outcome.map(RecordAnswers(context: context).added)], success: 201)
    }
}

/// The rich-text fields of a record, uncut. Contract: records, 130.
enum GetFullData: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/{module}/{id}/actions/fetch_full_data", entry: "130", scope: .modules(["READ"]))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        let fields: [Field]

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.module(context)
            id = try request.recordID()
            let rich = module.fields.filter { $0.body["textarea"]?["type"] == "rich_text" }
            let names = request.query("fields").flatMap { $0.isEmpty ? nil : $0.split(separator: ",").map(String.init) }
            fields = names.map { names in rich.filter { names.contains($0.apiName) } } ?? rich
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard
            let found = try await RecordPage.single(Query(input.module, fields: input.fields, limit: 1), input.id, context)
        else {
            throw Rejection.invalidPathID(1)
        }
        return input.fields.isEmpty ? .nothing : found
    }
}
