import CRMCore
import HTTPShell
import Metadata
import Wire

/// The people of a territory. Contract: territories, 5.
enum ListTerritoryUsers: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/territories/{item}/users", entry: "5", scope: .fixed(["ZohoCRM.users.READ"]))

    struct Input: EndpointInput {
        let territory: Territory
        let page: NumberedPage
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            territory = try request.territory(context, "item", index: 0)
            page = try NumberedPage(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        input.page.reply("users", input.territory.people.compactMap { context.catalog.user($0) }.map { UserAnswer.json($0, context) })
    }
}

/// One of them. Contract: territories, 5.
enum GetTerritoryUser: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/territories/{item}/users/{user_id}", entry: "5", scope: .fixed(["ZohoCRM.users.READ"]))

    struct Input: EndpointInput {
        let territory: Territory
        let user: User
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            territory = try request.territory(context, "item", index: 0)
            user = try request.user(context, "user_id", index: 1)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard input.territory.people.contains(input.user.id) else { return .nothing }
        return .json(["users": [UserAnswer.json(input.user, context)]])
    }
}

/// What changes the people of a territory.
struct TerritoryUserCall: OneOrManyInput {
    static let adding = ScopeRule.all([.fixed(["ZohoCRM.settings.territories.ALL"]), .fixed(["ZohoCRM.users.ALL"])])
    static let removing = ScopeRule.all([
        .fixed(["ZohoCRM.settings.territories.ALL", "ZohoCRM.settings.territories.DELETE"]), .fixed(["ZohoCRM.users.ALL"]),
    ])
    private static let most = 100

    let territory: RecordID
    let users: [(id: RecordID, path: JSONPath)]

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try self.init(request, context) { () throws(Rejection) in
            try JSONCursor.ids(of: request.json().items("users", limit: Self.most))
        }
    }

    /// Those that the parameter `ids` names.
    init(listed request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try self.init(request, context) { () throws(Rejection) in
            try request.ids(limit: Self.most).map { ($0, JSONPath().appending("ids")) }
        }
    }

    /// The one in the path.
    init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try self.init(request, context) { () throws(Rejection) in
            guard let id = RecordID(request.path["user_id"] ?? "") else { throw .invalidPathID(1) }
            return [(id, JSONPath().appending("users").appending(0).appending("id"))]
        }
    }

    private init(
        _ request: ParsedRequest, _ context: RequestContext, _ read: () throws(Rejection) -> [(RecordID, JSONPath)]
    ) throws(Rejection) {
        territory = try request.territory(context, "item", index: 0).id
        try context.access.require(permission: SettingsPermission.users)
        users = try read()
    }

    func add(_ context: RequestContext) async throws -> Reply {
        try await change(context, "Given User added to the mentioned territory Successfully") { user, path, territory, scope in
            try TerritoryPeople.add(UserID(raw: user.raw), to: territory, at: path, scope)
        }
    }

    func remove(_ context: RequestContext) async throws -> Reply {
        try await change(context, "Given User Removed from the mentioned territory Successfully") { user, _, territory, scope in
            try TerritoryPeople.remove(UserID(raw: user.raw), from: territory, or: Rejection(.invalidData, .id(user)), scope)
        }
    }

    private func change(
        _ context: RequestContext, _ message: String,
        _ body: @Sendable @escaping (RecordID, JSONPath, Territory, MetadataScope) throws -> Void
    ) async throws -> Reply {
        let territory = territory
        let results = try await context.changeEach(users) { user, scope in
            guard let found = scope.catalog.territories[territory] else { throw Rejection.invalidPathID(0) }
            try body(user.id, user.path, found, scope)
            return user.id
        }
        return .items("users", results, saying: message)
    }
}

/// Contract: territories, 6.
enum AddTerritoryUsers: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/territories/{item}/users", entry: "6", scope: TerritoryUserCall.adding)
    static func respond(_ input: TerritoryUserCall, _ context: RequestContext) async throws -> Reply { try await input.add(context) }
}

/// Contract: territories, 6.
enum AddTerritoryUser: ForOne {
    typealias Work = AddTerritoryUsers
    static let declaration = Declaration(
        .put, "/crm/v7/settings/territories/{item}/users/{user_id}", entry: "6", scope: TerritoryUserCall.adding)
}

/// Contract: territories, 9.
enum RemoveTerritoryUsers: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/territories/{item}/users", entry: "9", scope: TerritoryUserCall.removing)

    struct Input: EndpointInput {
        let call: TerritoryUserCall
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            call = try TerritoryUserCall(listed: request, context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply { try await input.call.remove(context) }
}

/// Contract: territories, 9.
enum RemoveTerritoryUser: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/territories/{item}/users/{user_id}", entry: "9", scope: TerritoryUserCall.removing)
    static func respond(_ input: One<TerritoryUserCall>, _ context: RequestContext) async throws -> Reply {
        try await input.many.remove(context)
    }
}

/// How many people each territory has, the manager among them. Contract: territories, 4.
enum CountTerritoryUsers: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/territories/actions/associated_users_count", entry: "4",
        scope: .all([.fixed(["ZohoCRM.settings.territories.ALL"]), .fixed(["ZohoCRM.users.ALL"])]))

    struct Input: EndpointInput {
        let page: NumberedPage
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try TerritorySetup.require(context.catalog)
            page = try NumberedPage(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        input.page.reply(
            "associated_users_count",
            context.catalog.territories.all.map { territory in
                ["count": .string(String(territory.people.count)), "territory": territory.reference]
            })
    }
}
