import CRMCore
import HTTPShell
import Metadata
import Wire

/// What a profile answers: in a list who it is, alone what it may. Contract: profiles, U16.
enum Profiles: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "profiles", path: "/crm/v7/settings/profiles", scope: "ZohoCRM.settings.profiles", kind: .profile,
        verbs: [.list: "U16", .get: "U16"],
        permission: nil, rule: ProfileRule(), attributes: [])
}

struct ProfileRule: ResourceRule {
    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        var answer = answer
        let held = Set((answer["permissions"]?.array ?? []).compactMap(\.string))
        answer["permissions"] = nil
        answer["default"] = answer["_default"] ?? false
        answer["_default"] = nil
        if answer["description"] == nil { answer["description"] = .null }
        guard single else { return answer }
        let all = PermissionList.all(catalog)
        answer["permissions_details"] = .array(
            all.map { right in
                [
                    "id": .id(right.id), "name": .string(right.name), "display_label": .string(right.label),
                    "module": right.module.map(JSONValue.string) ?? .null,
                    "enabled": .bool(held.contains(right.name)), "customizable": .bool(right.customizable),
                    "parent_permissions": right.parents.isEmpty ? .null : .array(right.parents.map(JSONValue.string)),
                ]
            })
        let ids = Dictionary(all.map { ($0.name, $0.id) }, uniquingKeysWith: { first, _ in first })
        answer["sections"] = .array(
            PermissionList.sections.map { section in
                let categories = (section["categories"]?.array ?? []).map { category -> JSONValue in
                    let rights = (category["permissions"]?.array ?? []).compactMap { $0.string.flatMap { ids[$0] } }
                    return [
                        "name": category["name"] ?? .null, "display_label": category["display_label"] ?? .null,
                        "module": category["module"] ?? .null,
                        "permissions_details": .array(rights.map { .id($0) }),
                    ]
                }
                return ["name": section["name"] ?? .null, "categories": .array(categories)]
            })
        return answer
    }
}

/// The profile of a path and the one object of a body.
struct ProfileBody: EndpointInput {
    let id: RecordID
    let item: JSONCursor

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try context.access.require(permission: SettingsPermission.profiles)
        guard let id = RecordID(request.path["item"] ?? "") else { throw .unknownItem }
        self.id = id
        item = try request.json().items("profiles", limit: 1)[0]
        _ = try item.object()
    }
}

/// Copies a profile. Contract: profiles, U17.
enum CloneProfile: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/profiles/{item}/actions/clone", entry: "U17", scope: .fixed(["ZohoCRM.settings.profiles.CREATE"]))

    static func respond(_ input: ProfileBody, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach([input.item]) { item, scope in
            try ProfileShaper(scope).clone(input.id, item)
        }
        return .items("profiles", results, saying: "profile created successfully", success: 201)
    }
}

/// Gives and takes rights. Contract: profiles, U18.
enum UpdateProfile: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/profiles/{item}", entry: "U18", scope: .fixed(["ZohoCRM.settings.profiles.UPDATE"]))

    static func respond(_ input: ProfileBody, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach([input.item]) { item, scope in
            try ProfileShaper(scope).update(input.id, item)
        }
        return .items("profiles", results, saying: "profile updated successfully")
    }
}

/// Deletes a profile; its users take another. The answer is bare. Contract: profiles, U19.
enum DeleteProfile: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/profiles/{item}", entry: "U19", scope: .fixed(["ZohoCRM.settings.profiles.DELETE"]))

    struct Input: EndpointInput {
        let id: RecordID
        let heir: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            guard let text = request.query("transfer_to"), !text.isEmpty else { throw .missingParameter("transfer_to") }
            guard let heir = RecordID(text) else { throw .invalidParameter("transfer_to") }
            try context.access.require(permission: SettingsPermission.profiles)
            guard let id = RecordID(request.path["item"] ?? "") else { throw .unknownItem }
            self.id = id
            self.heir = heir
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await context.services.changeMetadata(by: context.access.user) { scope in
            try ProfileShaper(scope).delete(input.id, heir: input.heir)
        }
        return .json(.success("Profile deleted"))
    }
}

let profileEndpoints: [any Endpoint.Type] = Profiles.endpoints + [CloneProfile.self, UpdateProfile.self, DeleteProfile.self]
