import CRMCore
import HTTPShell
import Metadata
import Wire

/// The attachments of a record, newest first. Contract: photos-and-attachments, 194.
enum ListAttachments: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/{module}/{id}/Attachments", entry: "194", scope: AttachmentPath.scope(["READ"]))

    struct Input: EndpointInput {
        let path: AttachmentPath
        let query: Query
        let page: PageRequest
        let systemKeys: [String]
        let since: Instant?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let path = try AttachmentPath(request, context)
            self.path = path
            let text = request.query("fields")
            let fields = try RecordPage.fields(text, path.attachments)
            systemKeys = (text ?? "").split(separator: ",").map { $0.filter { $0 != " " } }.filter { $0.hasPrefix("$") }
            page = try PageRequest(request, context)
            since = try request.instant(header: "If-Modified-Since")
            var filter = path.condition
            if let ids = request.query("ids"), !ids.isEmpty { filter = filter.and(.ids(try ParsedRequest.ids(ids, "ids", limit: 100))) }
            if let since { filter = filter.and(ListFilter.modified(after: since, path.attachments)) }
            query = Query(
                path.attachments, fields: fields, filter: filter, order: page.order, page: page.start, limit: page.perPage,
                constants: systemKeys.filter { ["$editable", "$sharing_permission"].contains($0) }.compactMap { RecordReader.constant($0) })
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.path.requireRecord(context)
        let (records, result) = try await context.records.page(input.query)
        if result.count == 0 { return input.since == nil ? .nothing : .notModified }
        let rows = try JSONValue.parse(records).array ?? []
        let details = try await AttachmentStore.details(
            of: rows.compactMap { $0["id"]?.looseInt64.map(RecordID.init(raw:)) }, context.services)
        let shown = rows.map { row in
            var row = row
            let about = row["id"]?.looseInt64.flatMap { details[RecordID(raw: $0)] }
            for key in input.systemKeys where row[key] == nil { row[key] = value(of: key, about, input.path) }
            return row
        }
        return .json(["data": .array(shown), "info": input.page.info(result, context)])
    }

    /// The keys of `common.md` §11. What tells a link from a file in `$type` and `$attachment_type` is our choice.
    private static func value(of key: String, _ details: AttachmentStore.Details?, _ path: AttachmentPath) -> JSONValue? {
        switch key {
        case "$file_id": details?.token.map(JSONValue.string) ?? .null
        case "$link_url": details?.link.map(JSONValue.string) ?? .null
        case "$se_module": .string(path.carrier.apiName)
        case "$type": details?.link == nil ? "Attachment" : "Link URL"
        case "$attachment_type": details?.link == nil ? 1 : 2
        case "$state": "save"
        default: nil
        }
    }
}
