import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the calls on a record's shares have in common.
private enum SharePath {
    static func module(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> Module {
        let module = try request.module(context)
        guard RecordShares.supports(module) else { throw .invalidModule() }
        return module
    }
}

/// Reads the shares of a body.
private struct ShareReader {
    let context: RequestContext

    func read(_ body: JSONCursor) throws(Rejection) -> [(RecordShare, JSONPath)] {
        for key in ["notify_shared_members", "notify_on_completion", "notify"] {
            if let flag = body.optional(key), !flag.value.isNull { _ = try flag.bool() }
        }
        let items = try body.items("share")
        var shares: [(RecordShare, JSONPath)] = []
        for item in items { shares.append((try share(item), item.path)) }
        if shares.count > 1, shares.contains(where: { $0.0.target == .everybody }) {
            let places = items.map { ["api_name": "type", "json_path": .string($0.path.appending("type").description)] as JSONValue }
            throw Rejection(.ambiguityDuringProcessing, .other("ambiguity_due_to", .array(places)))
        }
        return shares
    }

    private func share(_ item: JSONCursor) throws(Rejection) -> RecordShare {
        let type = try choice(try item.required("type"), ["private", "public"])
        var permission = RecordShare.Permission.fullAccess
        if let given = item.optional("permission"), !given.value.isNull {
            permission = RecordShare.Permission(rawValue: try choice(given, RecordShare.Permission.allCases.map(\.rawValue))) ?? permission
        }
        var withRelated = false
        if let flag = item.optional("share_related_records"), !flag.value.isNull { withRelated = try flag.bool() }
        let (target, id) = type == "public" ? (.everybody, RecordID(raw: 0)) : try target(try item.required("shared_with"))
        return RecordShare(target, id, permission, withRelated: withRelated, by: context.access.user, at: context.now)
    }

    private func choice(_ input: JSONCursor, _ allowed: [String]) throws(Rejection) -> String {
        let text = try input.string()
        guard allowed.contains(text) else { throw .unsupported(allowed, at: input.path) }
        return text
    }

    /// An active and confirmed user, a group or a role.
    private func target(_ input: JSONCursor) throws(Rejection) -> (RecordShare.Target, RecordID) {
        let type = RecordShare.Target(rawValue: try choice(try input.required("type"), ["users", "groups", "roles"])) ?? .users
        let given = try input.required("id")
        let id = try given.recordID()
        let there =
            switch type {
            case .users: context.catalog.user(UserID(raw: id.raw)).map { $0.active && $0.body["confirm"]?.bool == true } ?? false
            case .roles: context.catalog.documents(.role).contains { $0.id == id }
            case .groups: context.catalog.documents("user_group").contains { $0.id == id }
            case .everybody: false
            }
        guard there else { throw .invalid(at: given.path) }
        return (type, id)
    }
}

/// With whom a record is shared. Contract: share, 211.
enum GetShares: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/actions/share", entry: "211", scope: .area("ZohoCRM.share", ["READ"]))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        let user: RecordID?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try SharePath.module(request, context)
            id = try request.recordID()
            if let view = request.query("view"), !view.isEmpty, view != "summary" {
                throw Rejection(.patternNotMatched, .parameter("view"), .supportedValues(["summary"]))
            }
            user = try request.query("sharedTo").flatMap { $0.isEmpty ? nil : $0 }.map { text throws(Rejection) in
                guard let id = RecordID(text) else { throw .invalidParameter("sharedTo") }
                return id
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let found = try await context.records.shares(of: input.id, in: input.module) else { throw RecordShares.unknown }
        let wanted = found.shares.filter { share in input.user.map { share.target == .users && share.targetID == $0 } ?? true }
        // Oldest first, alone before with related records, then by what is allowed.
        let sorted = wanted.sorted {
            ($0.sharedAt, $0.withRelated ? 1 : 0, $1.permission) < ($1.sharedAt, $1.withRelated ? 1 : 0, $0.permission)
        }
        guard !sorted.isEmpty else { return .nothing }
        let through: JSONValue = [
            "module": ["name": .string(input.module.apiName), "id": .string(String(input.module.id.raw))],
            "name": found.name.map(JSONValue.string) ?? .null,
            "id": .id(input.id),
        ]
        return .json(["share": .array(sorted.map { shown($0, through, inFull: found.inFull, context) }), "shareable_user": []])
    }

    private static func shown(_ share: RecordShare, _ through: JSONValue, inFull: Bool, _ context: RequestContext) -> JSONValue {
        var with: JSONValue = .null
        switch share.target {
        case .users:
            let user = context.catalog.user(UserID(raw: share.targetID.raw))
            with = [
                "name": user.map { .string($0.fullName) } ?? .null, "id": .id(share.targetID), "type": "users", "zuid": .id(share.targetID),
            ]
        case .roles, .groups:
            let kind: Document.Kind = share.target == .roles ? .role : "user_group"
            let name = context.catalog.documents(kind).first { $0.id == share.targetID }?.body["name"] ?? .null
            with = ["name": name, "id": .id(share.targetID), "type": .string(share.target.rawValue)]
        case .everybody: break
        }
        var by = context.shownUser(share.sharedBy)
        if let id = share.sharedBy, !by.isNull { by["zuid"] = .string(String(id)) }
        var answer: JSONValue = [
            "shared_with": with, "share_related_records": .bool(share.withRelated), "shared_through": through,
            "permission": .string(share.permission.rawValue),
            "type": share.target == .everybody ? "public" : "private",
        ]
        // For callers with full access only (share, 211).
        if inFull { for (key, value) in [("shared_time", context.shown(share.sharedAt)), ("shared_by", by)] { answer[key] = value } }
        return answer
    }
}

/// Shares a record. Contract: share, 212.
enum ShareRecord: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/share", entry: "212", scope: .area("ZohoCRM.share", ["CREATE"]))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        let shares: [(RecordShare, JSONPath)]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try SharePath.module(request, context)
            id = try request.recordID()
            shares = try ShareReader(context: context).read(try request.json())
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try RecordShares.add(input.shares, to: input.id, of: input.module, scope)
        }
        return .items("share", outcomes.map { $0.map { .success("record will be shared successfully") } })
    }
}

/// Shares a record with exactly those named. Contract: share, 213.
enum UpdateShares: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/{module}/{id}/actions/share", entry: "213", scope: .area("ZohoCRM.share", ["UPDATE"]))

    static func respond(_ input: ShareRecord.Input, _ context: RequestContext) async throws -> Reply {
        do {
            try await context.services.write(context.catalog, context.access, .api) { scope in
                try RecordShares.replace(input.shares, of: input.id, in: input.module, scope)
            }
        } catch let rejection as Rejection where rejection != RecordShares.unknown {
            return .wrapped("share", rejection)
        }
        return .items("share", input.shares.map { _ in .success(.success("record will be shared successfully")) })
    }
}

/// Takes a record back from all it was shared with. The answer's `share` is an object. Contract: share, 214.
enum RevokeShares: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/{module}/{id}/actions/share", entry: "214", scope: .area("ZohoCRM.share", ["DELETE"]))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try SharePath.module(request, context)
            id = try request.recordID()
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let revoked = try await context.services.write(context.catalog, context.access, .api) { scope in
            try RecordShares.revoke(input.id, of: input.module, scope)
        }
        guard revoked else { throw Rejection(.badRequest, message: "the record is not shared", .id(input.id)) }
        return .json(["share": .success("Sharing Revoked", details: ["id": .id(input.id)])])
    }
}

/// Records shared with others. Contract: share, 211 to 214.
let shareEndpoints: [any Endpoint.Type] = [GetShares.self, ShareRecord.self, UpdateShares.self, RevokeShares.self]
