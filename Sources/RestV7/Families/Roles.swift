import CRMCore
import HTTPShell
import Metadata
import Wire

/// Who reports to whom. Contract: roles, U22 to U25.
enum Roles: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "roles", path: "/crm/v7/settings/roles", scope: "ZohoCRM.settings.roles", kind: .role,
        verbs: [.list: "U22", .get: "U22", .create: "U23", .updateMany: "U24", .updateOne: "U24", .deleteOne: "U25"],
        messages: [.create: "Role added", .updateMany: "Role updated", .updateOne: "Role updated", .deleteOne: "Role Deleted"],
        permission: SettingsPermission.roles, perCall: 1, rule: RoleRule(),
        attributes: [
            Attribute("name", .text(max: 100, plain: true), missing: .mandatoryNotFound, unique: true),
            Attribute("reporting_to", .item(.role, named: "name")), Attribute("description", .text(max: 250, plain: false)),
            Attribute("share_with_peers", .flag, initial: false), Attribute("forecast_manager", .item(.user, named: "full_name")),
        ])
}

/// Roles form one tree; the users of a deleted role take another.
struct RoleRule: ResourceRule {
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        var place = ResourcePlace()
        guard verb == .deleteOne else { return place }
        guard let text = request.query("transfer_to_id"), !text.isEmpty else { throw .missingParameter("transfer_to_id") }
        guard let id = RecordID(text) else { throw Rejection(.unableToParseDataType, .parameter("transfer_to_id")) }
        place.ids["transfer_to_id"] = id
        return place
    }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        let tree = RoleTree(scope.catalog)
        if draft.existing == nil {
            // The contract leaves it open; a role outside the tree would see nothing and be seen by nobody.
            if draft.body["reporting_to"]?.isNull != false { draft.body["reporting_to"] = tree.top }
            draft.body["admin_user"] = false
            for (key, value) in [("created_by__s", scope.actor), ("created_time__s", scope.time)] { draft.body[key] = value }
        }
        draft.body["display_label"] = draft.body["name"]
        let superior = draft.body["reporting_to"]?["id"]?.looseInt64.map(RecordID.init(raw:))
        if draft.existing != nil {
            let wasTop = draft.existing?.body["reporting_to"]?.isNull != false
            let closes = superior.map { $0 == draft.id || tree.subordinates(of: draft.id).contains($0) } ?? !wasTop
            if closes { throw Rejection.invalid(at: draft.item.path.appending("reporting_to")) }
            try rename(draft, scope)
        }
        draft.body["modified_by__s"] = scope.actor
        draft.body["modified_time__s"] = scope.time
    }

    /// The names of roles stand in users and below other roles.
    private func rename(_ draft: ResourceDraft, _ scope: MetadataScope) throws {
        guard draft.body["name"] != draft.existing?.body["name"] else { return }
        try RoleTree(scope.catalog).move(from: draft.id, to: draft.id, named: draft.body["name"] ?? .null, scope)
        for role in scope.catalog.documents(.role) where role.body["reporting_to"]?["id"]?.looseInt64 == draft.id.raw {
            var body = role.body
            body["reporting_to"] = ["name": draft.body["name"] ?? .null, "id": .id(draft.id)]
            try scope.replace(role.id, body: body)
        }
    }

    func remove(_ document: Document, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        let tree = RoleTree(scope.catalog)
        guard let target = place.ids["transfer_to_id"], target != document.id,
            let heir = scope.catalog.documents(.role).first(where: { $0.id == target })
        else {
            throw Rejection(.invalidData, .parameter("transfer_to_id"))
        }
        guard document.body["reporting_to"]?.isNull == false else { throw Rejection(.notAllowed, .resourcePathIndex(0)) }
        try tree.move(from: document.id, to: heir.id, named: heir.body["name"] ?? .null, scope)
        for role in scope.catalog.documents(.role) where role.body["reporting_to"]?["id"]?.looseInt64 == document.id.raw {
            var body = role.body
            body["reporting_to"] = document.body["reporting_to"]
            try scope.replace(role.id, body: body)
        }
        try PeopleSources.remove(.roles, document.id, heir: heir.id, scope)
    }

    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        var answer = answer
        if answer["display_label"] == nil { answer["display_label"] = answer["name"] }
        for key in ["description", "forecast_manager", "created_by__s", "modified_by__s", "created_time__s", "modified_time__s"]
        where answer[key] == nil {
            answer[key] = .null
        }
        return answer
    }
}
