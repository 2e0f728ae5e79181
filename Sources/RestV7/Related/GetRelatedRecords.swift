import CRMCore
import HTTPShell
import Metadata
import Wire

/// The rows of a related list. Contract: related-records, 161; notes, 236.
enum GetRelatedRecords: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/{related_list}", entry: "161", also: ["175"],
        scope: .modules(["READ"]))

    enum Input: EndpointInput {
        case rows(RelatedRows)
        case grouped(GroupedActivities)
        case invitees(InviteesList)

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            if let list = try GroupedActivities(request, context) {
                self = .grouped(list)
            } else if let list = try InviteesList(request, context) {
                self = .invitees(list)
            } else {
                self = .rows(try RelatedRows(try RelatedPath(request, context), request, context))
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        switch input {
        case .rows(let rows): try await rows.answer(context)
        case .grouped(let list): try await list.answer(context)
        case .invitees(let list): try await list.answer(context)
        }
    }
}

/// What is asked of a related list of one module.
struct RelatedRows: Sendable {
    private let path: RelatedPath
    private let query: Query
    private let page: PageRequest
    private let since: Instant?

    init(_ path: RelatedPath, _ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        self.path = path
        if path.listed.apiName == "Notes" { try context.requireScope(["READ"], on: path.listed) }
        let fields = try RecordPage.fields(request.query("fields"), path.listed)
        // Notes come oldest first, everything else newest first.
        page = try PageRequest(
            request, context, defaultOrder: .init(field: "id", descending: path.listed.apiName != "Notes"),
            sortedBy: PageRequest.sortFields(of: path.listed))
        since = try request.instant(header: "If-Modified-Since")
        var filter = path.condition(context.now)
        if let ids = request.query("ids"), !ids.isEmpty { filter = filter.and(.ids(try ParsedRequest.ids(ids, "ids", limit: 100))) }
        filter = filter.and(try ListFilter.converted(request.query("converted"), path.listed))
        if let since { filter = filter.and(ListFilter.modified(after: since, path.listed)) }
        // A row of an activities list says which of the three modules it is of.
        let own: [JSONValue.Member] =
            ["Tasks", "Events", "Calls"].contains(path.listed.apiName) ? [.init("$module", .string(path.listed.apiName))] : []
        var query = Query(
            path.listed, fields: fields, filter: filter, order: page.order, page: page.start, limit: page.perPage,
            constants: RecordPage.systemKeys(request.query("fields"), path.listed) + own)
        query.link = path.linkValues((request.query("fields") ?? "").split(separator: ","), context)
        self.query = query
    }

    func answer(_ context: RequestContext) async throws -> Reply {
        try await path.requireRecord(context)
        return try await RecordPage.answer(query, page, notModifiedWhenEmpty: since != nil, context)
    }
}

/// One row of a related list, whole. Contract: related-records, 161.
enum GetRelatedRecord: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/{module}/{id}/{related_list}/{related_id}", entry: "161", scope: .modules(["READ"]))

    struct Input: EndpointInput {
        let path: RelatedPath
        let query: Query
        let id: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try self.init(try RelatedPath(request, context), request, context)
        }

        init(_ path: RelatedPath, _ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            self.path = path
            if path.listed.apiName == "Notes" { try context.requireScope(["READ"], on: path.listed) }
            id = try request.recordID("related_id", index: 3)
            var query = Query(path.listed, fields: nil, filter: path.condition(context.now), limit: 1)
            query.link = path.linkValues(nil, context)
            self.query = query
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.path.requireRecord(context)
        return try await RecordPage.single(input.query, input.id, context) ?? .nothing
    }
}
