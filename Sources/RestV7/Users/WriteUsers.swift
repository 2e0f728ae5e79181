import CRMCore
import HTTPShell
import Metadata
import Wire

/// Makes a user, who may work at once and is invited by mail. Contract: users, 115. With the first password, chosen by the invitation's
/// link or set by an administrator (`tributary user password`), the user counts as confirmed.
enum AddUser: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/users", entry: "115", scope: .fixed(["ZohoCRM.users.CREATE"]))

    struct Input: EndpointInput {
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            // The code is this call's own (users, 115, errors).
            do { try context.access.require(permission: SettingsPermission.users) } catch { throw Rejection(.forbidden) }
            items = try request.json().items("users", limit: 1)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach(input.items) { item, scope in
            try UserShaper(scope).add(item, origin: context.homeURL)
        }
        return .items("users", results, saying: "User added", success: 201)
    }
}

/// What changes a user, named in the body or in the path.
struct UserUpdate: OneOrManyInput {
    let item: JSONCursor
    let inPath: RecordID?
    let mayManage: Bool

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { try self.init(request, nil, context) }

    init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        let user = try request.user(context, "user_id", index: 0)
        try self.init(request, RecordID(raw: user.id.raw), context)
    }

    private init(_ request: ParsedRequest, _ inPath: RecordID?, _ context: RequestContext) throws(Rejection) {
        item = try request.json().items("users", limit: 1)[0]
        self.inPath = inPath
        mayManage = (try? context.access.require(permission: SettingsPermission.users)) != nil
    }

    func reply(_ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach([item]) { item, scope in
            let id: RecordID
            if let inPath { id = inPath } else { id = try item.required("id").recordID() }
            guard let user = scope.catalog.user(UserID(raw: id.raw)) else {
                throw Rejection.unknownRecord(at: item.path.appending("id"))
            }
            try UserShaper(scope).change(user, item, mayManage: mayManage, origin: context.homeURL)
            return id
        }
        return .items("users", results, saying: "User updated")
    }
}

/// Contract: users, 116.
enum UpdateUsers: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/users", entry: "116", scope: .fixed(["ZohoCRM.users.UPDATE"]))
    static func respond(_ input: UserUpdate, _ context: RequestContext) async throws -> Reply { try await input.reply(context) }
}

/// Contract: users, 116.
enum UpdateUser: ForOne {
    typealias Work = UpdateUsers
    static let declaration = Declaration(
        .put, "/crm/v7/users/{user_id}", entry: "116", scope: .fixed(["ZohoCRM.users.UPDATE"]))
}

/// Contract: users, 117.
enum DeleteUser: Endpoint {
    static let declaration = Declaration(.delete, "/crm/v7/users/{user_id}", entry: "117", scope: .fixed(["ZohoCRM.users.DELETE"]))

    struct Input: EndpointInput {
        let id: UserID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.users)
            id = try request.user(context, "user_id", index: 0).id
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach([input.id]) { id, scope in
            guard let user = scope.catalog.user(id) else { throw Rejection.invalidPathID(0) }
            try UserShaper(scope).delete(user)
        }
        return .items("users", results.map { $0.map { .success("User deleted") } })
    }
}
