import CRMCore
import HTTPShell
import Metadata
import Wire

/// The users of the organisation. Contract: users, 114.
enum ListUsers: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/users", entry: "114", scope: .fixed(["ZohoCRM.users.READ"]))

    struct Input: EndpointInput {
        let kind: UserKind
        let ids: [RecordID]?
        let page: NumberedPage
        let since: Instant?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            kind = try UserKind(request)
            let text = request.query("ids").flatMap { $0.isEmpty ? nil : $0 }
            ids = text == nil ? nil : try request.ids()
            page = try NumberedPage(request)
            since = try request.instant(header: "If-Modified-Since")
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = input.kind.users(context).filter { user in
            if let since = input.since, let modified = user.modifiedAt, modified <= since { return false }
            return input.ids?.contains(RecordID(raw: user.id.raw)) ?? true
        }
        if found.isEmpty, input.since != nil { return .notModified }
        return input.page.reply("users", found.map { UserAnswer.json($0, context) })
    }
}

/// One user. Contract: users, 114.
enum GetUser: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/users/{user_id}", entry: "114", scope: .fixed(["ZohoCRM.users.READ"]))

    struct Input: EndpointInput {
        let user: User
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            user = try request.user(context, "user_id", index: 0)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        .json(["users": [UserAnswer.json(input.user, context)]])
    }
}

/// How many there are of a kind. Contract: users, 118.
enum CountUsers: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/users/actions/count", entry: "118", scope: .fixed(["ZohoCRM.users.READ"]))

    struct Input: EndpointInput {
        let kind: UserKind
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { kind = try UserKind(request) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        .json(["count": .integer(input.kind.users(context).count)])
    }
}
