import CRMCore
import HTTPShell
import Metadata
import Wire

/// The territories of a user. Contract: users, 119.
enum ListUserTerritories: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/users/{user_id}/territories", entry: "119",
        scope: .fixed(["ZohoCRM.users.READ", "ZohoCRM.settings.territories.READ"]))

    struct Input: EndpointInput {
        let user: User
        let page: NumberedPage
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try TerritorySetup.require(context.catalog)
            user = try request.user(context, "user_id", index: 0)
            page = try NumberedPage(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        input.page.reply("territories", context.catalog.territories.of(input.user.id).map { json($0, context.catalog) })
    }

    /// With capitals, unlike everywhere else (users, 119).
    static func json(_ territory: Territory, _ catalog: Catalog) -> JSONValue {
        [
            "id": .id(territory.id), "Name": .string(territory.name), "Manager": TerritoryAnswer.manager(territory, catalog),
            "Reporting_To": territory.parent.flatMap { catalog.territories[$0]?.reference } ?? .null,
        ]
    }
}

/// One of them. Contract: users, 119.
enum GetUserTerritory: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/users/{user_id}/territories/{territory_id}", entry: "119",
        scope: .fixed(["ZohoCRM.users.READ", "ZohoCRM.settings.territories.READ"]))

    struct Input: EndpointInput {
        let user: User
        let territory: Territory
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            user = try request.user(context, "user_id", index: 0)
            territory = try request.territory(context, "territory_id", index: 1)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard input.territory.people.contains(input.user.id) else { return .nothing }
        return .json(["territories": [ListUserTerritories.json(input.territory, context.catalog)]])
    }
}

/// What changes the territories of a user; never one's own.
struct UserTerritoryCall: OneOrManyInput {
    private static let most = 100

    let user: UserID
    let territories: [(id: RecordID, path: JSONPath)]

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        user = try Self.user(request, context)
        territories = try JSONCursor.ids(of: request.json().items("territories", limit: Self.most))
    }

    init(listed request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        user = try Self.user(request, context)
        territories = try request.ids(limit: Self.most).map { ($0, JSONPath().appending("ids")) }
    }

    init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        user = try Self.user(request, context)
        territories = [(try request.territory(context, "territory_id", index: 1).id, JSONPath())]
    }

    private static func user(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> UserID {
        try TerritorySetup.require(context.catalog)
        try context.access.require(permission: SettingsPermission.users)
        let user = try request.user(context, "user_id", index: 0)
        guard user.status != "deleted" else { throw .invalidPathID(0) }
        guard user.id != context.access.user else { throw Rejection(.notAllowed, .resourcePathIndex(0)) }
        return user.id
    }

    func change(
        _ context: RequestContext, _ message: String,
        _ body: @Sendable @escaping (Territory, JSONPath, MetadataScope) throws -> Void,
        unknown: @Sendable @escaping (RecordID, JSONPath) -> Rejection
    ) async throws -> Reply {
        let results = try await context.changeEach(territories) { named, scope in
            guard let territory = scope.catalog.territories[named.id] else { throw unknown(named.id, named.path) }
            try body(territory, named.path, scope)
            return named.id
        }
        return .items("territories", results, saying: message)
    }

    func remove(_ context: RequestContext) async throws -> Reply {
        let user = user
        return try await change(context, "Territory removed from the user successfully") { territory, _, scope in
            let refusal = Rejection(.invalidData, .id(territory.id))
            guard territory.parent != nil else { throw refusal }
            try TerritoryPeople.remove(user, from: territory, or: refusal, scope)
        } unknown: { id, _ in
            Rejection(.invalidData, .id(id))
        }
    }
}

/// Contract: users, 120.
enum AddUserTerritories: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/users/{user_id}/territories", entry: "120",
        scope: .fixed(["ZohoCRM.users.UPDATE", "ZohoCRM.settings.territories.UPDATE"]))

    static func respond(_ input: UserTerritoryCall, _ context: RequestContext) async throws -> Reply {
        let user = input.user
        return try await input.change(context, "Territory associated to the user successfully") { territory, path, scope in
            try TerritoryPeople.add(user, to: territory, at: path, scope)
        } unknown: { _, path in
            .invalid(at: path)
        }
    }
}

/// Contract: users, 121.
enum RemoveUserTerritories: Endpoint {
    static let scope = ScopeRule.all([.fixed(["ZohoCRM.users.DELETE"]), .fixed(["ZohoCRM.settings.territories.DELETE"])])
    static let declaration = Declaration(.delete, "/crm/v7/users/{user_id}/territories", entry: "121", scope: scope)

    struct Input: EndpointInput {
        let call: UserTerritoryCall
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            call = try UserTerritoryCall(listed: request, context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply { try await input.call.remove(context) }
}

/// Contract: users, 121.
enum RemoveUserTerritory: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/users/{user_id}/territories/{territory_id}", entry: "121", scope: RemoveUserTerritories.scope)

    static func respond(_ input: One<UserTerritoryCall>, _ context: RequestContext) async throws -> Reply {
        try await input.many.remove(context)
    }
}
