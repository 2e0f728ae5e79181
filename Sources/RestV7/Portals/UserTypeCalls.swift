import CRMCore
import HTTPShell
import Metadata
import Wire

/// The user types of a portal. Contract: portals, 83.
enum ListUserTypes: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/portals/{portal_name}/user_type", entry: "83", scope: PortalCall.scope("READ"))

    struct Input: EndpointInput {
        let portal: Portal
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try PortalCall.requireManager(context)
            portal = try PortalCall.portal(request, context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let types = PortalUserType.all(context.catalog).filter { $0.portal == input.portal.id }
        guard !types.isEmpty else { return .nothing }
        let counts = try await PortalUsers.counts(context.services)
        let answer = UserTypeAnswer(context: context)
        return .json(["user_type": .array(types.map { answer.json($0, users: counts[$0.id] ?? 0) })])
    }
}

/// One user type. Contract: portals, 83.
enum GetUserType: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/portals/{portal_name}/user_type/{user_type_id}", entry: "83", scope: PortalCall.scope("READ"))

    struct Input: EndpointInput {
        let type: PortalUserType?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try PortalCall.requireManager(context)
            let portal = try PortalCall.portal(request, context)
            let id = try request.recordID("user_type_id", index: 1)
            type = PortalUserType.find(id, context.catalog).flatMap { $0.portal == portal.id ? $0 : nil }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let type = input.type else { return .nothing }
        let users = try await PortalUsers.counts(context.services)[type.id] ?? 0
        return .json(["user_type": [UserTypeAnswer(context: context).json(type, users: users)]])
    }
}

/// The one item of a body about user types.
struct UserTypeBody: EndpointInput {
    let portal: Portal
    let item: JSONCursor
    /// `nil` for a new one.
    let id: RecordID?

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try PortalCall.requireManager(context)
        portal = try PortalCall.portal(request, context)
        id = request.path["user_type_id"] == nil ? nil : try request.recordID("user_type_id", index: 1)
        item = try request.json().items("user_type", limit: 1)[0]
    }
}

/// Makes a user type. Contract: portals, 82.
enum CreateUserType: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/portals/{portal_name}/user_type", entry: "82", scope: PortalCall.scope("CREATE"),
        support: .partial("canvas views"))

    static func respond(_ input: UserTypeBody, _ context: RequestContext) async throws -> Reply {
        let results = try await context.services.changeMetadata(by: context.access.user) { scope in
            try scope.each([input.item]) { try UserTypeShaper(input.portal.id, scope).create($0) }
        }
        return .items("user_type", results.map { $0.map { .success("user type created successfully.", details: ["id": .id($0)]) } })
    }
}

/// Changes a user type. Contract: portals, 84.
enum UpdateUserType: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/portals/{portal_name}/user_type/{user_type_id}", entry: "84", scope: PortalCall.scope("UPDATE"),
        support: .partial("canvas views"))

    static func respond(_ input: UserTypeBody, _ context: RequestContext) async throws -> Reply {
        let id = input.id ?? RecordID(raw: 0)
        let results = try await context.services.changeMetadata(by: context.access.user) { scope in
            try scope.each([input.item]) { try UserTypeShaper(input.portal.id, scope).update(id, $0) }
        }
        return .items("user_type", results.map { $0.map { .success("user type updated successfully.", details: ["id": .id($0)]) } })
    }
}

/// Deletes a user type that nobody is of. Contract: portals, 85.
enum DeleteUserType: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/portals/{portal_name}/user_type/{user_type_id}", entry: "85", scope: PortalCall.scope("DELETE"))

    struct Input: EndpointInput {
        let portal: Portal
        let id: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try PortalCall.requireManager(context)
            portal = try PortalCall.portal(request, context)
            id = try request.recordID("user_type_id", index: 1)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.services.changeMetadata(by: context.access.user) { scope in
            try scope.each([input.id]) { try UserTypeShaper(input.portal.id, scope).delete($0) }
        }
        let details: JSONValue = ["id": .id(input.id)]
        return .items("user_type", results.map { $0.map { .success("Portal user type deleted successfully.", details: details) } })
    }
}

/// A user type as lists show it: what it names, with names.
struct UserTypeAnswer {
    let context: RequestContext
    private var catalog: Catalog { context.metadata }

    func json(_ type: PortalUserType, users: Int) -> JSONValue {
        var answer: JSONValue = ["id": .id(type.id)]
        for member in type.body.members ?? [] { answer[member.name] = member.value }
        answer["no_of_users"] = .integer(users)
        answer["personality_module"] = catalog.module(id: type.personality).map(reference) ?? .null
        answer["modules"] = .array((type.body["modules"]?.array ?? []).compactMap(module))
        return answer
    }

    private func reference(_ module: Module) -> JSONValue {
        [
            "plural_label": module.body["plural_label"] ?? .string(module.apiName), "api_name": .string(module.apiName),
            "id": .string(String(module.id.raw)),
        ]
    }

    private func module(_ entry: JSONValue) -> JSONValue? {
        guard let module = catalog.module(id: ModuleID(raw: entry["id"]?.looseInt64 ?? 0)) else { return nil }
        var answer = entry
        for member in reference(module).members ?? [] { answer[member.name] = member.value }
        if let layouts = entry["layouts"]?.array { answer["layouts"] = .array(layouts.map(layout)) }
        if let view = entry["views"], !view.isNull { answer["views"] = self.view(view) }
        if let filters = entry["filters"]?.array {
            answer["filters"] = .array(filters.compactMap { field($0, of: module, labelled: true) })
        }
        answer["fields"] = .array((entry["fields"]?.array ?? []).compactMap { field($0, of: module, labelled: false) })
        return answer
    }

    private func layout(_ entry: JSONValue) -> JSONValue {
        let name = catalog.documents(.layout).first { $0.id.raw == entry["id"]?.looseInt64 }?.body["name"] ?? .null
        return ["display_label": name, "name": name, "id": entry["id"] ?? .null]
    }

    private func view(_ entry: JSONValue) -> JSONValue {
        let body = catalog.documents(.customView).first { $0.id.raw == entry["id"]?.looseInt64 }?.body ?? [:]
        return [
            "display_label": body["display_value"] ?? body["name"] ?? .null, "name": body["name"] ?? .null, "id": entry["id"] ?? .null,
            "type": entry["type"] ?? .null,
        ]
    }

    /// Fields that are gone, or hidden from the caller, are not there.
    private func field(_ entry: JSONValue, of module: Module, labelled: Bool) -> JSONValue? {
        guard let field = module.field(FieldID(raw: entry["id"]?.looseInt64 ?? 0)) else { return nil }
        var answer = entry
        answer["api_name"] = .string(field.apiName)
        if labelled { answer["display_label"] = .string(field.label) }
        return answer
    }
}
