import CRMCore
import HTTPShell
import Metadata
import Wire

/// The records that still look up one in the recycle bin. Contract: related-records, 164.
enum GetRelatedOfDeleted: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/deleted/{id}/{related_list}", entry: "164", scope: .modules(["READ"]))

    struct Input: EndpointInput {
        let path: RelatedPath
        let query: Query
        let page: PageRequest

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try RelatedPath(request, context, idIndex: 2)
            // Notes and files went with the record; joined records are not looked up by it.
            let lookups = path.list.relations.contains { if case .lookups = $0 { true } else { false } }
            guard lookups, !["Notes", "Attachments"].contains(path.listed.apiName) else { throw RelatedPath.unknownRelation }
            let fields = try RecordPage.fields(request.query("fields"), path.listed)
            page = try PageRequest(request, context)
            var filter = path.condition(context.now, linked: false)
            if let ids = request.query("ids"), !ids.isEmpty { filter = filter.and(.ids(try ParsedRequest.ids(ids, "ids", limit: 100))) }
            query = Query(path.listed, fields: fields, filter: filter, order: page.order, page: page.start, limit: page.perPage)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard try await context.records.isInRecycleBin(input.path.record, of: input.path.module) else { throw Rejection.invalidPathID(2) }
        return try await RecordPage.answer(input.query, input.page, context)
    }
}
