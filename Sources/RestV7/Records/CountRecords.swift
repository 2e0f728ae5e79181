import CRMCore
import HTTPShell
import Metadata
import Wire

/// Counts records, by a search or a custom view if one is given. Contract: records, 133.
enum CountRecords: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/actions/count", entry: "133",
        scope: .all([.fixed(["ZohoSearch.securesearch.READ"]), .modules(["READ"]), .fixed(["ZohoCRM.settings.layouts.READ"])]))

    struct Input: EndpointInput {
        let query: Query
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let module = try request.module(context)
            let search = try SearchRecords.condition(request, module)
            if search != nil, let view = request.query("cvid"), !view.isEmpty {
                throw Rejection(.ambiguityDuringProcessing, .other("ambiguity_due_to", [["param": "cvid"], ["param": "criteria"]]))
            }
            query = Query(module, fields: [], filter: try ListFilter(request, module, context).condition.and(search ?? .always))
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        .json(["count": .integer(try await context.records.count(input.query))])
    }
}
