import CRMCore
import HTTPShell
import Metadata
import Wire

/// When people are away. Administrators see and say it of everybody, others of themselves. Contract: users-unavailability, 75.
enum ListUnavailability: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/users_unavailability", entry: "75", scope: .fixed(["ZohoCRM.settings.users_unavailability.READ"]))

    struct Input: EndpointInput {
        let users: Set<UserID>?
        let filter: Unavailability.Filter
        let page: NumberedPage
        let zuid: Bool

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            var users: Set<UserID>? = context.isAdministrator ? nil : [context.access.user]
            let parts: [(String, UserGroup.SourceKind)] = [("group_ids", .groups), ("role_ids", .roles), ("territory_ids", .territories)]
            for (name, kind) in parts {
                guard let text = request.query(name), !text.isEmpty else { continue }
                let ids = try ParsedRequest.ids(text, name, limit: 100)
                let sources = ids.map { ["type": .string(kind.rawValue), "id": .id($0), "below": false] as JSONValue }
                let members = UserGroup.People(.array(sources)).members(context.catalog.whole)
                users = users.map { $0.intersection(members) } ?? members
            }
            self.users = users
            filter = try UnavailabilityFilter.read(request.query("filters"))
            page = try NumberedPage(request)
            zuid = try UnavailabilityAnswer.includesZUID(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let (found, more) = try await context.records.unavailability(
            of: input.users, input.filter, skipping: input.page.skipped, limit: input.page.perPage)
        guard !found.isEmpty else { return .nothing }
        return .json([
            "users_unavailability": .array(found.map { UnavailabilityAnswer.json($0, zuid: input.zuid, context) }),
            "info": input.page.info(found.count, more: more),
        ])
    }
}

/// One of them. Contract: users-unavailability, 75.
enum GetUnavailability: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/users_unavailability/{id}", entry: "75", scope: .fixed(["ZohoCRM.settings.users_unavailability.READ"]))

    struct Input: EndpointInput {
        let id: RecordID
        let zuid: Bool
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            id = try request.recordID(index: 0)
            zuid = try UnavailabilityAnswer.includesZUID(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let users: Set<UserID>? = context.isAdministrator ? nil : [context.access.user]
        let (found, _) = try await context.records.unavailability(of: users, id: input.id)
        guard let only = found.first else { return .nothing }
        return .json(["users_unavailability": [UnavailabilityAnswer.json(only, zuid: input.zuid, context)]])
    }
}

/// Says that somebody will be away. Contract: users-unavailability, 76.
enum AddUnavailability: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/users_unavailability", entry: "76",
        scope: .fixed(["ZohoCRM.settings.users_unavailability.WRITE", "ZohoCRM.settings.users_unavailability.CREATE"]))

    struct Input: EndpointInput {
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            items = try request.json().items("users_unavailability")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await UnavailabilityAnswer.each(input.items, "Unavailability created successfully.", success: 201, context) {
            try Unavailability.add($0, $1)
        }
    }
}

/// Changes times away that the body names. Contract: users-unavailability, 77.
enum ChangeUnavailabilities: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/users_unavailability", entry: "77",
        scope: .fixed(["ZohoCRM.settings.users_unavailability.UPDATE", "ZohoCRM.settings.users_unavailability.WRITE"]))

    static func respond(_ input: AddUnavailability.Input, _ context: RequestContext) async throws -> Reply {
        try await UnavailabilityAnswer.each(input.items, UnavailabilityAnswer.updated, context) { item, scope in
            let named = try item.required("id")
            return try Unavailability.change(try named.recordID(), item, else: .invalid(at: named.path), scope)
        }
    }
}

/// Changes the one of the path. Contract: users-unavailability, 77.
enum ChangeUnavailability: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/users_unavailability/{id}", entry: "77",
        scope: .fixed(["ZohoCRM.settings.users_unavailability.UPDATE", "ZohoCRM.settings.users_unavailability.WRITE"]))

    struct Input: EndpointInput {
        let id: RecordID
        let item: JSONCursor
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            id = try request.recordID(index: 0)
            item = try request.json().items("users_unavailability", limit: 1)[0]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await UnavailabilityAnswer.each([input.item], UnavailabilityAnswer.updated, context) {
            try Unavailability.change(input.id, $0, else: .unknownItem, $1)
        }
    }
}

/// Takes back that somebody is away. Contract: users-unavailability, 78.
enum RemoveUnavailability: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/users_unavailability/{id}", entry: "78",
        scope: .fixed(["ZohoCRM.settings.users_unavailability.DELETE", "ZohoCRM.settings.users_unavailability.WRITE"]))

    struct Input: EndpointInput {
        let id: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { id = try request.recordID(index: 0) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await UnavailabilityAnswer.each([input.id], "Unavailability deleted Successfully", context) {
            try Unavailability.remove($0, else: .unknownItem, $1)
        }
    }
}

/// What the answers share.
enum UnavailabilityAnswer {
    static let updated = "Unavailability updated successfully."

    static func includesZUID(_ request: ParsedRequest) throws(Rejection) -> Bool {
        guard let text = request.query("include_inner_details"), !text.isEmpty else { return false }
        guard text == "user.zuid" else {
            throw Rejection(.invalidData, .parameter("include_inner_details"), .supportedValues(["user.zuid"]))
        }
        return true
    }

    static func json(_ away: Unavailability, zuid: Bool, _ context: RequestContext) -> JSONValue {
        var user = context.shownUser(away.user.raw)
        if zuid, !user.isNull { user["zuid"] = .string(String(away.user.raw)) }
        return [
            "id": .id(away.id), "comments": away.comments.map(JSONValue.string) ?? .null, "from": context.shown(away.from),
            "to": context.shown(away.to), "user": user,
        ]
    }

    /// Item by item; a refused one leaves nothing behind.
    static func each<Item: Sendable>(
        _ items: [Item], _ message: String, success: Int = 200, _ context: RequestContext,
        _ body: @Sendable @escaping (Item, WriteScope) throws -> RecordID
    ) async throws -> Reply {
        let results = try await context.services.write(context.catalog, context.access, .api) { scope in
            try items.map { item -> Result<RecordID, Rejection> in
                do { return .success(try body(item, scope)) } catch let refusal as Rejection { return .failure(refusal) }
            }
        }
        return .items("users_unavailability", results, saying: message, success: success)
    }
}

/// The `filters` parameter: tests of when it begins and ends.
private enum UnavailabilityFilter {
    private static let deepest = 5, most = 50
    private static let comparators: [String: Comparator] = [
        "equal": .equal, "equals": .equal, "not_equal": .notEqual, "not_equals": .notEqual, "between": .between, "greater_than": .greater,
        "greater_equal": .greaterOrEqual, "less_than": .less, "less_equal": .lessOrEqual,
    ]

    static func read(_ text: String?) throws(Rejection) -> Unavailability.Filter {
        guard let text, !text.isEmpty else { return .everything }
        guard let json = try? JSONValue.parse(Array(text.utf8)) else { throw .invalidParameter("filters") }
        return try read(json, depth: 0)
    }

    private static func read(_ json: JSONValue, depth: Int) throws(Rejection) -> Unavailability.Filter {
        guard depth < deepest, json.members != nil else { throw .invalidParameter("filters") }
        if let group = json["group"] {
            guard let parts = group.array, (1...most).contains(parts.count) else { throw .invalidParameter("filters") }
            var filters: [Unavailability.Filter] = []
            for part in parts { filters.append(try read(part, depth: depth + 1)) }
            switch json["group_operator"]?.string?.lowercased() {
            case "and": return .all(filters)
            case "or": return .any(filters)
            default: throw .invalidParameter("filters")
            }
        }
        let name = json["field"]?["api_name"]?.string ?? json["field"]?.string
        guard let edge: Unavailability.Edge = name == "from" ? .from : name == "to" ? .to : nil,
            let comparator = comparators[json["comparator"]?.string ?? ""]
        else { throw .invalidParameter("filters") }
        let given = json["value"]?.array ?? (json["value"]?.string ?? "").split(separator: ",").map { .string(String($0)) }
        let moments = given.compactMap { $0.string.flatMap(Instant.init(iso:)) }
        guard moments.count == given.count, moments.count == (comparator == .between ? 2 : 1) else { throw .invalidParameter("filters") }
        return .test(edge, comparator, moments)
    }
}

let unavailabilityEndpoints: [any Endpoint.Type] = [
    ListUnavailability.self, GetUnavailability.self, AddUnavailability.self, ChangeUnavailabilities.self, ChangeUnavailability.self,
    RemoveUnavailability.self,
]
