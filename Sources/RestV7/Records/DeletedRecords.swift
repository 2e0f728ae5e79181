import CRMCore
import HTTPShell
import Metadata
import Wire

/// What was deleted from a module, newest first; merged records are among the permanent ones. Contract: records, 132; merge, §7.
enum DeletedRecords: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/{module}/deleted", entry: "132", scope: .modules(["READ"]), credits: 2)

    struct Input: EndpointInput {
        let module: Module
        let kinds: [Graves.Kind]
        let page: NumberedPage
        let since: Instant?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.module(context)
            switch request.query("type") ?? "all" {
            case "all", "": kinds = [.recycle, .permanent, .merged]
            case "recycle": kinds = [.recycle]
            case "permanent": kinds = [.permanent, .merged]
            default: throw Rejection(.patternNotMatched, .parameter("type"), .supportedValues(["all", "recycle", "permanent"]))
            }
            page = try NumberedPage(request)
            since = try request.instant(header: "If-Modified-Since")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await context.records.deleted(
            from: input.module, input.kinds, since: input.since, skipping: input.page.skipped, limit: input.page.perPage + 1)
        guard !found.isEmpty else { return input.since == nil ? .nothing : .notModified }
        let shown = found.prefix(input.page.perPage)
        return .json([
            "data": .array(shown.map { json($0, context) }),
            "info": input.page.info(shown.count, more: found.count > shown.count),
        ])
    }

    /// People and names are told only while the record can come back.
    private static func json(_ grave: Graves.Listed, _ context: RequestContext) -> JSONValue {
        let recyclable = grave.kind == .recycle
        func user(_ id: Int64?) -> JSONValue {
            guard recyclable, let id, let user = context.catalog.user(UserID(raw: id)) else { return .null }
            return ["name": .string(user.fullName), "id": .string(String(id))]
        }
        return [
            "id": .id(grave.id), "display_name": recyclable ? grave.displayName.map(JSONValue.string) ?? .null : .null,
            "type": recyclable ? "recycle" : "permanent", "deleted_by": user(grave.deletedBy), "created_by": user(grave.createdBy),
            "deleted_time": .string(grave.deletedAt.iso(offsetMinutes: context.zone.offsetMinutes(at: grave.deletedAt))),
        ]
    }
}
