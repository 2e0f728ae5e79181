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
        let page: Int
        let perPage: Int
        let since: Instant?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.module(context)
            switch request.query("type") ?? "all" {
            case "all", "": kinds = [.recycle, .permanent, .merged]
            case "recycle": kinds = [.recycle]
            case "permanent": kinds = [.permanent, .merged]
            default: throw Rejection(.patternNotMatched, .parameter("type"), .supportedValues(["all", "recycle", "permanent"]))
            }
            page = try request.positive("page") ?? 1
            perPage = min(try request.positive("per_page") ?? 200, 200)
            since = try request.instant(header: "If-Modified-Since")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await context.records.deleted(
            from: input.module, input.kinds, since: input.since, skipping: (input.page - 1) * input.perPage, limit: input.perPage + 1)
        guard !found.isEmpty else { return input.since == nil ? .nothing : .notModified }
        let shown = found.prefix(input.perPage)
        return .json([
            "data": .array(shown.map { json($0, context) }),
            "info": [
                "per_page": .integer(input.perPage), "count": .integer(shown.count), "page": .integer(input.page),
                "more_records": .bool(found.count > input.perPage),
            ],
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
