import CRMCore
import HTTPShell
import Metadata
import Wire

/// The users of a user type. Contract: portals, 90.
enum ListPortalUsers: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/portals/{portal_name}/user_type/{user_type_id}/users", entry: "90", scope: PortalCall.scope("READ"))

    struct Input: EndpointInput {
        let type: PortalUserType
        let filter: PortalUserFilter
        let page: NumberedPage

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try PortalCall.requireUserManager(context)
            type = try PortalCall.type(request, context)
            guard let name = request.query("type"), !name.isEmpty else { throw .missingParameter("type") }
            guard let group = PortalUserFilter.Group(rawValue: name) else {
                throw Rejection(
                    .patternNotMatched, .parameter("type"), .supportedValues(PortalUserFilter.Group.allCases.map(\.rawValue)))
            }
            filter = PortalUserFilter(group, reason: try Self.reason(request))
            page = try NumberedPage(request)
        }

        /// `{"field":{"api_name":"status_reason__s"},"comparator":"equal","value":…}`.
        private static func reason(_ request: ParsedRequest) throws(Rejection) -> (Bool, String?)? {
            guard let text = request.query("filters"), !text.isEmpty else { return nil }
            guard let json = try? JSONValue.parse(Array(text.utf8)), json.members != nil else {
                throw Rejection(.unableToParseDataType, .parameter("filters"))
            }
            let field = json["field"]?["api_name"]?.string ?? json["field"]?.string
            guard field == "status_reason__s", let comparator = json["comparator"]?.string, ["equal", "not_equal"].contains(comparator)
            else {
                throw .invalidParameter("filters")
            }
            let value = json["value"]?.string
            return (comparator == "equal", value == "${EMPTY}" ? nil : value)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await context.records.portalUsers(
            of: input.type, input.filter, skipping: input.page.skipped, limit: input.page.perPage)
        guard !found.users.isEmpty else { return .nothing }
        let module = context.catalog.module(id: input.type.personality)?.apiName ?? ""
        let users = found.users.map { user -> JSONValue in
            [
                "personality_id": .id(user.record), "confirm": .bool(user.isConfirmed),
                "status_reason__s": user.reason.map(JSONValue.string) ?? .null, "invited_time": context.shown(user.invitedAt),
                "module": .string(module), "name": user.name.map(JSONValue.string) ?? .null, "active": .bool(user.isActive),
                "email": user.email.isEmpty ? .null : .string(user.email),
            ]
        }
        var info = input.page.info(users.count, more: Int64(input.page.skipped + users.count) < found.total)
        info["total_count"] = .integer(found.total)
        return .json(["users": .array(users), "info": info])
    }
}

/// The `personality_ids` of a call.
private enum PersonalityIDs {
    static func read(_ request: ParsedRequest, limit: Int) throws(Rejection) -> [RecordID] {
        guard let text = request.query("personality_ids"), !text.isEmpty else { throw .missingParameter("personality_ids") }
        return try ParsedRequest.ids(text, "personality_ids", limit: limit)
    }
}

/// Gives users another user type. Contract: portals, 89.
enum TransferPortalUsers: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/portals/{portal_name}/user_type/{user_type_id}/users/action/transfer", entry: "89",
        scope: PortalCall.scope("UPDATE"))

    struct Input: EndpointInput {
        let type: PortalUserType
        let heir: PortalUserType
        let ids: [RecordID]

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try PortalCall.requireUserManager(context)
            let type = try PortalCall.type(request, context)
            // The page spells it one way, the clients the other.
            guard let text = request.query("transfer_to") ?? request.query("transfer_To"), !text.isEmpty else {
                throw .missingParameter("transfer_to")
            }
            ids = try PersonalityIDs.read(request, limit: PortalUserDeleteJob.limit)
            guard let heir = RecordID(text).flatMap({ PortalUserType.find($0, context.catalog) }), heir.id != type.id,
                heir.portal == type.portal, heir.personality == type.personality, heir.isActive
            else { throw .invalidParameter("transfer_to") }
            self.type = type
            self.heir = heir
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try PortalUsers.transfer(input.ids, from: input.type, to: input.heir, scope)
        }
        return .items(
            "users", outcomes.map { $0.map { .success("User has been transferred successfully", details: ["personality_id": .id($0)]) } })
    }
}

/// Lets a user in again, or keeps one out. Contract: portals, 91.
enum ChangePortalUserStatus: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/portals/{portal_name}/user_type/{user_type_id}/users/{user_id}/actions/change_status", entry: "91",
        scope: PortalCall.scope("UPDATE"))

    struct Input: EndpointInput {
        let type: PortalUserType
        let user: RecordID
        let active: Bool

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try PortalCall.requireUserManager(context)
            type = try PortalCall.type(request, context)
            user = try request.recordID("user_id", index: 2)
            guard let text = request.query("active"), !text.isEmpty else { throw .missingParameter("active") }
            guard let flag = ["true": true, "false": false][text.lowercased()] else {
                throw Rejection(.unableToParseDataType, .parameter("active"))
            }
            active = flag
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        do {
            try await context.services.write(context.catalog, context.access, .api) { scope in
                try PortalUsers.set(active: input.active, input.user, of: input.type, scope)
            }
            let details: JSONValue = ["personality_id": .id(input.user)]
            return .items("change_status", [.success(.success("Status of the user changed successfully.", details: details))])
        } catch let rejection as Rejection {
            return .wrapped("change_status", rejection)
        }
    }
}

/// Takes users out of a portal. Contract: portals, 92.
enum DeletePortalUsers: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/portals/{portal_name}/user_type/{user_type_id}/users", entry: "92", scope: PortalCall.scope("DELETE"))

    struct Input: EndpointInput {
        let type: PortalUserType
        let ids: [RecordID]

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try PortalCall.requireUserManager(context)
            type = try PortalCall.type(request, context)
            ids = try PersonalityIDs.read(request, limit: 5_000)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard input.ids.count <= PortalUserDeleteJob.limit else {
            let job = try await context.services.write(context.catalog, context.access, .api) { scope in
                try PortalUserDeleteJob.schedule(input.ids, of: input.type, scope)
            }
            let result = JSONValue.success("Portal user deletion scheduled", code: "SCHEDULED", details: ["job_id": .id(job)])
            return .items("users", [.success(result)])
        }
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try PortalUsers.delete(input.ids, of: input.type, scope)
        }
        return .items(
            "users", outcomes.map { $0.map { .success("Portal user deleted successfully.", details: ["personality_id": .id($0)]) } })
    }
}
