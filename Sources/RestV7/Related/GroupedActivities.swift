import CRMCore
import HTTPShell
import Metadata
import Wire

/// A related list that gathers others, such as all open activities of a record (related-records, 161; `related_lists.json`, "grouped").
struct GroupedActivities: Sendable {
    /// Older names of the two views.
    private static let aliases = [
        "activities": "Activities_Chronological_View", "activities_history": "Activities_Chronological_View_History",
        "open_activities": "Activities_Chronological_View", "closed_activities": "Activities_Chronological_View_History",
    ]

    let paths: [RelatedPath]
    let queries: [Query]
    let page: PageRequest
    let since: Instant?

    /// `nil` when the list gathers none.
    init?(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        let name = request.path["related_list"] ?? ""
        let module = try request.module(context)
        let known = context.catalog.relatedList(Self.aliases[name.lowercased()] ?? name, of: module.id)
        guard let list = known, list.body["type"]?.string == "grouped" else { return nil }
        let record = try request.recordID()
        var paths: [RelatedPath] = []
        for member in list.body["parent_related_lists"]?.array ?? [] {
            guard let name = member["api_name"]?.string else { continue }
            paths.append(try RelatedPath(module, record, name, context.catalog))
        }
        guard !paths.isEmpty else { throw RelatedPath.unknownRelation }
        self.paths = paths
        page = try PageRequest(request, context)
        since = try request.instant(header: "If-Modified-Since")
        guard let text = request.query("fields"), !text.isEmpty else { throw .missingParameter("fields") }
        var queries: [Query] = []
        for path in paths { queries.append(try Self.query(path, text, page, since, request, context)) }
        self.queries = queries
    }

    private static func query(
        _ path: RelatedPath, _ fields: String, _ page: PageRequest, _ since: Instant?, _ request: ParsedRequest, _ context: RequestContext
    ) throws(Rejection) -> Query {
        let own = path.listed.apiName
        // `Calls.Subject` is the subject of calls, `Subject` that of all.
        let names = fields.split(separator: ",").map { String($0.filter { $0 != " " }) }.compactMap { name -> String? in
            let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
            return parts.count < 2 ? name : parts[0] == own ? parts[1] : nil
        }
        var filter = path.condition(context.now)
        if let ids = request.query("ids"), !ids.isEmpty { filter = filter.and(.ids(try ParsedRequest.ids(ids, "ids", limit: 100))) }
        if let since { filter = filter.and(ListFilter.modified(after: since, path.listed)) }
        let text = names.joined(separator: ",")
        return Query(
            path.listed, fields: text.isEmpty ? [] : try RecordPage.fields(text, path.listed), filter: filter, order: page.order,
            page: page.start,
            limit: page.perPage,
            constants: RecordPage.systemKeys(text, path.listed) + [.init("$module", .string(own))])
    }

    func answer(_ context: RequestContext) async throws -> Reply {
        try await paths[0].requireRecord(context)
        let (records, result) = try await context.records.page(united: queries)
        return RecordPage.answer(records, result, page, notModifiedWhenEmpty: since != nil, context)
    }
}

/// Whom an event invites, as a list (`related_lists.json`, Events). There are fifty at most, so it has one page.
struct InviteesList: Sendable {
    private let module: Module
    private let record: RecordID
    private let fields: Set<String>

    init?(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        let module = try request.module(context)
        guard module.apiName == "Events", request.path["related_list"]?.lowercased() == "invitees" else { return nil }
        self.module = module
        record = try request.recordID()
        guard let text = request.query("fields"), !text.isEmpty else { throw .missingParameter("fields") }
        fields = Set(text.split(separator: ",").map { String($0.filter { $0 != " " }) })
    }

    func answer(_ context: RequestContext) async throws -> Reply {
        guard let invitees = try await context.records.invitees(of: record, in: module) else { throw Rejection.invalidPathID(1) }
        if invitees.isEmpty { return .nothing }
        let rows = invitees.map { invitee in
            JSONValue.object((invitee.members ?? []).filter { fields.contains($0.name) || $0.name == "participant" })
        }
        let info: JSONValue = ["per_page": 200, "count": .integer(rows.count), "page": 1, "more_records": false]
        return .json(["data": .array(rows), "info": info])
    }
}
