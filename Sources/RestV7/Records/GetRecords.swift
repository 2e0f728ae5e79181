import CRMCore
import HTTPShell
import Metadata
import Wire

/// Lists the records of a module. Contract: records, 124.
enum GetRecords: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}", entry: "124", also: ["142", "148", "154", "236", "169"], scope: .modules(["READ"]))

    struct Input: EndpointInput {
        let query: Query
        let page: PageRequest
        let since: Instant?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let module = try request.module(context)
            // Who is no administrator reads notes through their records (notes, 236).
            if module.apiName == "Notes", !context.isAdministrator { throw Rejection(.notSupported, status: 403, .resourcePathIndex(0)) }
            let fields = try RecordPage.fields(request.query("fields"), module)
            let notesFirst = module.apiName == "Notes"
            page = try PageRequest(
                request, context, defaultOrder: .init(field: "id", descending: !notesFirst), sortedBy: PageRequest.sortFields(of: module))
            since = try request.instant(header: "If-Modified-Since")
            var filter = try ListFilter(request, module, context).condition
            if let since { filter = filter.and(ListFilter.modified(after: since, module)) }
            query = Query(
                module, fields: fields, filter: filter, order: page.order, page: page.start, limit: page.perPage,
                constants: RecordPage.systemKeys(request.query("fields"), module))
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await RecordPage.answer(input.query, input.page, notModifiedWhenEmpty: input.since != nil, context)
    }
}
