import CRMCore
import HTTPShell
import Metadata
import Wire

/// Deletes a user whose records and places others take. Contract: users, 122.
struct UserTransferCall: OneOrManyInput {
    let item: JSONCursor
    let inPath: RecordID?

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try context.access.require(permission: SettingsPermission.users)
        item = try Self.item(request)
        inPath = nil
    }

    init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try context.access.require(permission: SettingsPermission.users)
        inPath = RecordID(raw: try request.user(context, "user_id", index: 0).id.raw)
        item = try Self.item(request)
    }

    /// One to a call; more are INVALID_DATA.
    private static func item(_ request: ParsedRequest) throws(Rejection) -> JSONCursor {
        try request.json().required("transfer_and_delete").elements(1...1)[0]
    }

    func reply(_ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach([item]) { item, scope in
            let handover = try handover(item, scope)
            return (handover.user, try handover.run(scope))
        }
        return .items(
            "transfer_and_delete",
            results.map { result in
                result.map { user, job in
                    .success("user is deleted successfully", details: ["jobId": .id(job), "id": .string(String(user.raw))])
                }
            })
    }

    private func handover(_ item: JSONCursor, _ scope: MetadataScope) throws(Rejection) -> UserHandover {
        _ = try item.object()
        let leaving = try leaving(item, scope)
        let transfer = item.optional("transfer").flatMap { $0.value.isNull ? nil : $0 }
        let subordinates = item.optional("move_subordinate").flatMap { $0.value.isNull ? nil : $0 }
        if transfer == nil, subordinates == nil {
            let paths = ["transfer", "move_subordinate"].map {
                ["api_name": .string($0), "json_path": .string(item.path.appending($0).description)] as JSONValue
            }
            throw Rejection(.expectedFieldMissing, .other("expected_fields", .array(paths)))
        }
        var heir: UserID?
        var flags = ["records": false, "assignment": false, "criteria": false]
        if let transfer {
            heir = try active(transfer, besides: leaving, scope)
            for name in flags.keys.sorted() { flags[name] = try transfer.required(name).bool() }
        }
        var superior: UserID?
        if let subordinates {
            let found = try active(subordinates, besides: leaving, scope)
            if UserRoster(scope.catalog).reports(found, to: leaving.id) { throw .notAllowed(at: subordinates.path.appending("id")) }
            superior = found
        }
        return UserHandover(
            leaving.id, heir: heir, records: flags["records"] ?? false, assignments: flags["assignment"] ?? false,
            criteria: flags["criteria"] ?? false, superior: superior)
    }

    private func leaving(_ item: JSONCursor, _ scope: MetadataScope) throws(Rejection) -> User {
        let path = item.path.appending("id")
        let id: RecordID
        if let inPath { id = inPath } else { id = try item.required("id").recordID() }
        guard let user = scope.catalog.user(UserID(raw: id.raw)), user.status != "deleted" else { throw .invalid(at: path) }
        let roster = UserRoster(scope.catalog)
        if roster.isPrimaryContact(user) || roster.isLastAdministrator(user) { throw .notAllowed(at: path) }
        return user
    }

    private func active(_ given: JSONCursor, besides leaving: User, _ scope: MetadataScope) throws(Rejection) -> UserID {
        let named = try given.required("id")
        let id = UserID(raw: try named.recordID().raw)
        guard id != leaving.id, let user = scope.catalog.user(id), user.active else { throw .invalid(at: named.path) }
        return id
    }
}

/// Contract: users, 122.
enum TransferUsers: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/users/actions/transfer_and_delete", entry: "122", scope: .fixed(["ZohoCRM.users.DELETE"]))
    static func respond(_ input: UserTransferCall, _ context: RequestContext) async throws -> Reply { try await input.reply(context) }
}

/// Contract: users, 122.
enum TransferUser: ForOne {
    typealias Work = TransferUsers
    static let declaration = Declaration(
        .post, "/crm/v7/users/{user_id}/actions/transfer_and_delete", entry: "122", scope: .fixed(["ZohoCRM.users.DELETE"]))
}

/// How far the records of a deleted user have gone. Contract: users, 123.
enum GetUserTransfer: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/users/actions/transfer_and_delete", entry: "123", scope: .fixed(["ZohoCRM.users.READ"]))

    struct Input: EndpointInput {
        let job: RecordID?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try context.access.require(permission: SettingsPermission.users)
            guard let text = request.query("job_id"), !text.isEmpty else { throw .missingParameter("job_id") }
            job = RecordID(text)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let job = input.job, let found = try await context.services.job(job, kind: UserTransferJob.kind) else { return .nothing }
        let word =
            switch found.state {
            case .waiting, .running: "in_progress"
            case .done: "completed"
            case .failed: "failed"
            }
        return .json(["transfer_and_delete": [["status": .string(word)]]])
    }
}
