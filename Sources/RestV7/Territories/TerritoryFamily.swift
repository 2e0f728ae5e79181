import CRMCore
import HTTPShell
import Metadata
import Wire

/// The tree of territories. Contract: territories, U34 to U37.
enum Territories: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "territories", path: "/crm/v7/settings/territories", scope: "ZohoCRM.settings.territories", kind: .territory,
        verbs: [
            .get: "U34", .create: "U35", .updateMany: "U36", .updateOne: "U36", .deleteMany: "U37", .deleteOne: "U37",
        ],
        messages: [
            .create: "Territory Created Successfully", .updateMany: "Territory Updated Successfully",
            .updateOne: "Territory Updated Successfully", .deleteMany: "Given Territory Removed Successfully",
            .deleteOne: "Given Territory Removed Successfully",
        ],
        permission: nil, perCall: 10, rule: TerritoryFamilyRule(),
        attributes: [
            Attribute("name", .text(max: 100, plain: false), missing: .mandatoryNotFound, unique: true),
            Attribute("reporting_to", .custom, missing: .mandatoryNotFound),
            Attribute(
                "permission_type", .choice(Territory.Permission.allCases.map(\.rawValue), refusal: .invalidData),
                missing: .mandatoryNotFound),
            Attribute("manager", .custom), Attribute("description", .text(max: 250, plain: false)),
        ])
}

/// Territories form one tree below the organisation's own, of which only the name can be changed.
struct TerritoryFamilyRule: ResourceRule {
    private static let forbidden = Set("^~`#%&+=[]{}|\\;\"'<>,")

    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        try TerritorySetup.require(context.catalog)
        switch verb {
        case .list, .get: break
        case .create, .updateMany, .updateOne: try context.access.require(permission: SettingsPermission.users)
        case .deleteMany, .deleteOne:
            // This one call has a code of its own for it (U37, errors).
            do { try context.access.require(permission: SettingsPermission.users) } catch { throw Rejection(.permissionDenied) }
            if let flag = request.query("delete_previous_forecasts"), !["", "true", "false"].contains(flag.lowercased()) {
                throw .invalidParameter("delete_previous_forecasts")
            }
        }
        return ResourcePlace()
    }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        if let existing = draft.existing, scope.catalog.territories.top?.id == existing.id {
            try Self.refuseAllButName(draft, existing)
        } else {
            try Self.readPlace(&draft, scope)
        }
        if draft.body["name"]?.string?.contains(where: Self.forbidden.contains) == true {
            throw Rejection.invalid(at: draft.item.path.appending("name"))
        }
        try Self.readManager(&draft, scope)
        try Self.readCriteria(&draft, scope)
        if draft.existing == nil {
            guard scope.catalog.territories.all.count < TerritorySetup.most else {
                throw Rejection(.limitExceeded, .other("limit", .integer(TerritorySetup.most)))
            }
            let taken = Set(scope.catalog.territories.all.compactMap { $0.body["api_name"]?.string })
            draft.body["api_name"] = .string(MadeName.derived(from: draft.body["name"]?.string ?? "", isTaken: taken.contains))
            for (key, value) in [("created_by", scope.actor), ("created_time", scope.time), ("users", [])] { draft.body[key] = value }
        }
        draft.body["modified_by"] = scope.actor
        draft.body["modified_time"] = scope.time
    }

    /// The topmost keeps everything else as it is; a caller may repeat it.
    private static func refuseAllButName(_ draft: ResourceDraft, _ existing: Document) throws(Rejection) {
        for member in draft.item.value.members ?? [] where !["id", "name"].contains(member.name) {
            let was = existing.body[member.name] ?? .null
            if member.value != was { throw .notAllowed(at: draft.item.path.appending(member.name)) }
        }
    }

    /// A territory stands below another one that is not below itself.
    private static func readPlace(_ draft: inout ResourceDraft, _ scope: MetadataScope) throws(Rejection) {
        guard let given = draft.item.optional("reporting_to") else { return }
        let named = try given.required("id")
        let parent = try named.recordID()
        let tree = scope.catalog.territories
        guard tree[parent] != nil, parent != draft.id, !tree.below(draft.id).contains(parent) else { throw .invalid(at: named.path) }
        draft.body["reporting_to"] = ["id": .id(parent)]
    }

    private static func readManager(_ draft: inout ResourceDraft, _ scope: MetadataScope) throws(Rejection) {
        guard let given = draft.item.optional("manager"), !given.value.isNull else { return }
        let named = try given.required("id")
        let id = try named.recordID()
        guard let user = scope.catalog.user(UserID(raw: id.raw)), user.active else { throw .invalid(at: named.path) }
        draft.body["manager"] = ["id": .id(id)]
        // Who was in it already is in it once.
        draft.body["users"] = .array((draft.body["users"]?.array ?? []).filter { $0.looseInt64 != id.raw })
    }

    private static func readCriteria(_ draft: inout ResourceDraft, _ scope: MetadataScope) throws {
        for (name, key) in TerritorySetup.criteriaKeys {
            guard let given = draft.item.optional(key), let module = scope.catalog.module(name) else { continue }
            let before = draft.body[key] ?? .null
            draft.body[key] = given.value.isNull ? .null : try KeptCriteria.read(given, of: module, scope)
            // What is there already finds its place by a job.
            if draft.body[key] != before { try TerritoryRulesJob.schedule(module, scope) }
        }
    }

    func remove(_ document: Document, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        let tree = scope.catalog.territories
        guard tree.top?.id != document.id, tree.children(of: document.id).isEmpty else { throw Rejection(.notAllowed, .id(document.id)) }
        try TerritoryRemoval.remove(document.id, heir: nil, scope)
    }

    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        guard let territory = catalog.territories[document.id] else { return answer }
        return TerritoryAnswer.json(territory, criteria: Set(TerritorySetup.criteriaKeys.map(\.key)), catalog)
    }
}

/// A territory as an object of an answer.
enum TerritoryAnswer {
    /// With those of the criteria that are asked for.
    static func json(_ territory: Territory, criteria: Set<String>, _ catalog: Catalog) -> JSONValue {
        var answer = JSONValue.object([.init("id", .id(territory.id))] + (territory.body.members ?? []))
        answer["users"] = nil
        answer["manager"] = manager(territory, catalog)
        answer["reporting_to"] = territory.parent.flatMap { catalog.territories[$0]?.reference } ?? .null
        for (_, key) in TerritorySetup.criteriaKeys {
            answer[key] = nil
            if criteria.contains(key) { answer[key] = territory.body[key] ?? .null }
        }
        return answer
    }

    static func manager(_ territory: Territory, _ catalog: Catalog) -> JSONValue {
        guard let user = territory.manager.flatMap({ catalog.user($0) }) else { return .null }
        return ["name": .string(user.fullName), "id": .string(String(user.id.raw))]
    }
}
