import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the calls that tag records take: tags, and records in the path, the body or, from older clients, the query.
struct TagRecordsInput: Sendable {
    /// Most records of one call (tags, 54).
    static let limit = 500

    let module: Module
    let ids: [RecordID]
    let assignment: TagAssignment
    /// Whether the path names the record; then there are no counts in the answer.
    let single: Bool

    init(_ request: ParsedRequest, _ context: RequestContext, removing: Bool) throws(Rejection) {
        module = try request.module(context)
        let body = request.body.isEmpty ? JSONCursor([:]) : try request.json()
        single = request.path["id"] != nil
        ids = single ? [try request.recordID()] : try Self.ids(request, body)
        let tags = try Self.tags(request, body)
        assignment = TagAssignment(removing ? .remove : try Self.overWrites(request, body) ? .replace : .add, tags)
    }

    private static func ids(_ request: ParsedRequest, _ body: JSONCursor) throws(Rejection) -> [RecordID] {
        if body.optional("ids") == nil, request.query("ids") != nil { return try request.ids("ids", limit: limit) }
        var ids: [RecordID] = []
        for id in try body.items("ids", limit: limit) { ids.append(try id.recordID()) }
        return ids
    }

    private static func tags(_ request: ParsedRequest, _ body: JSONCursor) throws(Rejection) -> [TagAssignment.Named] {
        var tags: [TagAssignment.Named] = []
        if body.optional("tags") == nil, let names = request.query("tag_names"), !names.isEmpty {
            for name in names.split(separator: ",") {
                let path = JSONPath().appending("tag_names")
                tags.append(.init(id: nil, name: try Tag.name(JSONCursor(.string(String(name)), at: path)), color: nil, path: path))
            }
            return tags
        }
        for tag in try body.items("tags") {
            _ = try tag.object()
            let color = try Tag.color(tag.optional("color_code"))
            if let id = tag.optional("id"), !id.value.isNull {
                tags.append(.init(id: try id.recordID(), name: nil, color: nil, path: tag.path))
            } else {
                tags.append(.init(id: nil, name: try Tag.name(try tag.required("name")), color: color, path: tag.path))
            }
        }
        return tags
    }

    private static func overWrites(_ request: ParsedRequest, _ body: JSONCursor) throws(Rejection) -> Bool {
        if let flag = body.optional("over_write"), !flag.value.isNull { return try flag.bool() }
        switch request.query("over_write")?.lowercased() {
        case nil, "", "false": return false
        case "true": return true
        default: throw Rejection(.patternNotMatched, .parameter("over_write"), .supportedValues(["true", "false"]))
        }
    }

    func run(_ context: RequestContext, counting: Bool) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try assignment.apply(to: ids, of: module, scope)
        }
        let answers = TagAnswers(context: context)
        let results = zip(ids, outcomes).map { id, outcome in
            outcome.map { JSONValue.success("tags updated successfully", details: ["id": .id(id), "tags": .array($0.map(answers.short))]) }
        }
        if single { return .items("data", results) }
        let succeeded = outcomes.filter { (try? $0.get()) != nil }.count
        let locked = outcomes.filter { if case .failure(let rejection) = $0 { rejection.code == .recordLocked } else { false } }.count
        var extra: [JSONValue.Member] = [.init("locked_count", .string(String(locked)))]
        if counting { extra = [.init("wf_scheduler", false), .init("success_count", .string(String(succeeded)))] + extra }
        return .items("data", results, extra: extra)
    }
}

/// Puts tags on records. Contract: tags, 54.
enum AddTags: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/actions/add_tags", entry: "54", scope: .modules(["WRITE", "CREATE"]), upTo: 50)

    /// Up to 50 for 500 records (common, §13).
    static func load(_ input: Input) -> CallLoad { .records(input.tagging.ids.count) }

    struct Input: EndpointInput {
        let tagging: TagRecordsInput
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            tagging = try .init(request, context, removing: false)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.tagging.run(context, counting: true)
    }
}

/// Puts tags on the record of the path. Contract: tags, 54.
enum AddTagsToRecord: SameWork {
    typealias Work = AddTags
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/add_tags", entry: "54", scope: .modules(["WRITE", "CREATE"]))
}

/// Takes tags off records. Contract: tags, 55.
enum RemoveTags: Endpoint {
    static let declaration = Declaration(.post, "/crm/v7/{module}/actions/remove_tags", entry: "55", scope: .modules(["WRITE"]))

    struct Input: EndpointInput {
        let tagging: TagRecordsInput
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            tagging = try .init(request, context, removing: true)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.tagging.run(context, counting: false)
    }
}

/// Takes tags off the record of the path. Contract: tags, 55.
enum RemoveTagsFromRecord: SameWork {
    typealias Work = RemoveTags
    static let declaration = Declaration(.post, "/crm/v7/{module}/{id}/actions/remove_tags", entry: "55", scope: .modules(["WRITE"]))
}
