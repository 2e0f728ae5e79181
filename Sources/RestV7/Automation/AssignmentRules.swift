import CRMCore
import HTTPShell
import Metadata
import Wire

/// Rules that find owners for records. Contract: assignment-rules, 72. v7 has no call that makes one: POST, PUT and DELETE on the
/// same paths, with `rule_entries` and `active`, are an extension of ours.
enum AssignmentRules: ResourceFamily {
    static let descriptor = ResourceDescriptor(
        "assignment_rules", path: "/crm/v7/settings/automation/assignment_rules", scope: "ZohoCRM.settings.assignment_rules",
        kind: .assignmentRule,
        verbs: [.list: "72", .get: "72", .create: "", .updateMany: "", .updateOne: "", .deleteOne: ""],
        messages: [
            .create: "assignment rule created successfully", .updateMany: "assignment rule updated successfully",
            .updateOne: "assignment rule updated successfully", .deleteOne: "assignment rule deleted successfully",
        ],
        permission: nil, perCall: 10, rule: AssignmentFamilyRule(),
        attributes: [
            Attribute("name", .text(max: 50, plain: false), missing: .mandatoryNotFound),
            Attribute("description", .text(max: 250, plain: false)), Attribute("active", .flag, initial: true),
        ])
}

struct AssignmentFamilyRule: ResourceRule {
    func place(_ request: ParsedRequest, _ verb: ResourceDescriptor.Verb, _ context: RequestContext) throws(Rejection) -> ResourcePlace {
        var place = ResourcePlace()
        guard verb == .list || verb == .get else { return place }
        guard let name = request.query("module"), !name.isEmpty else {
            if verb == .get { throw .missingParameter("module") }
            return place
        }
        guard let module = context.catalog.module(name), AssignmentRule.supports(module) else {
            throw Rejection(.invalidModule, .parameter("module"))
        }
        place.ids["module"] = RecordID(raw: module.id.raw)
        return place
    }

    func contains(_ document: Document, _ place: ResourcePlace) -> Bool {
        place.ids["module"].map { $0.raw == document.body["module"]?["id"]?.looseInt64 } ?? true
    }

    func complete(_ draft: inout ResourceDraft, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        if draft.existing == nil {
            let given = try draft.item.required("module")
            let module = try ModuleReference.read(given, scope.catalog)
            guard let module, AssignmentRule.supports(module) else { throw Rejection.invalid(at: given.path) }
            guard scope.catalog.documents(.assignmentRule).count < AssignmentRule.mostRules else {
                throw Rejection(.limitExceeded, .other("limit", .integer(AssignmentRule.mostRules)))
            }
            draft.body["module"] = module.shown
            for (key, value) in [("created_by", scope.actor), ("created_time", scope.time)] { draft.body[key] = value }
        }
        let id = ModuleID(raw: draft.body["module"]?["id"]?.looseInt64 ?? 0)
        guard let module = scope.catalog.module(id: id)?.whole else { throw Rejection(.invalidData, .id(draft.id)) }
        try requireRight(over: module, scope)
        try refuseTakenName(draft, of: module, scope.catalog)
        try readDefault(&draft, scope.catalog)
        if let given = draft.item.optional("rule_entries"), !given.value.isNull {
            let existing = draft.body["rule_entries"]?.array ?? []
            let entries = try AssignmentRule.entries(given, of: module, existing: existing, scope)
            draft.body["rule_entries"] = .array(entries)
        }
        if (draft.body["rule_entries"]?.array ?? []).isEmpty, draft.body["default_assignee"]?.isNull != false {
            throw Rejection.expected(["rule_entries", "default_assignee"], at: draft.item.path)
        }
        draft.body["modified_by"] = scope.actor
        draft.body["modified_time"] = scope.time
    }

    private func requireRight(over module: Module, _ scope: MetadataScope) throws(Rejection) {
        try AccessPolicy.of(scope.user, scope.catalog).require(permission: SettingsPermission.assignmentRules(of: module))
    }

    /// Names are unique within a module.
    private func refuseTakenName(_ draft: ResourceDraft, of module: Module, _ catalog: Catalog) throws(Rejection) {
        let name = draft.body["name"]?.string?.lowercased()
        let isTaken = catalog.documents(.assignmentRule).contains { other in
            other.id != draft.id && other.body["name"]?.string?.lowercased() == name
                && other.body["module"]?["id"]?.looseInt64 == module.id.raw
        }
        if isTaken { throw .duplicate(at: draft.item.path.appending("name")) }
    }

    /// An active user, or nobody.
    private func readDefault(_ draft: inout ResourceDraft, _ catalog: Catalog) throws(Rejection) {
        guard let given = draft.item.optional("default_assignee") else {
            if draft.existing == nil { draft.body["default_assignee"] = .null }
            return
        }
        if given.value.isNull {
            draft.body["default_assignee"] = .null
            return
        }
        let named = given.optional("id") ?? given
        guard let user = catalog.user(UserID(raw: try named.recordID().raw)), user.active else { throw .invalid(at: named.path) }
        draft.body["default_assignee"] = ["name": .string(user.fullName), "id": .string(String(user.id.raw))]
    }

    func remove(_ document: Document, _ place: ResourcePlace, _ scope: MetadataScope) throws {
        let rule = AssignmentRule(document)
        if let module = scope.catalog.module(id: rule.module) { try requireRight(over: module, scope) }
        try rule.forgetTurns(scope)
    }

    /// The list has what the page has; one rule by itself has its entries, too.
    func show(_ answer: JSONValue, of document: Document, single: Bool, _ catalog: Catalog) -> JSONValue {
        var answer = answer
        let rule = AssignmentRule(document)
        if let user = rule.defaultAssignee.flatMap(catalog.user) {
            answer["default_assignee"] = ["name": .string(user.fullName), "id": .string(String(user.id.raw))]
        }
        answer["rule_entries"] =
            single ? .array(rule.entries.map { Self.entry($0, catalog) }) : nil
        return answer
    }

    private static func entry(_ entry: AssignmentRule.Entry, _ catalog: Catalog) -> JSONValue {
        [
            "id": .id(entry.id), "criteria": entry.criteria,
            "assignees": .array(entry.people.sources.compactMap { UserGroupRule.source($0, catalog) }),
            "skip_unavailable_users": .bool(entry.skipsUnavailable),
        ]
    }
}

let automationEndpoints: [any Endpoint.Type] =
    AssignmentRules.endpoints + ScoringRules.endpoints + [
        ListScoringRules.self, ActivateScoringRule.self, DeactivateScoringRule.self, CloneScoringRule.self, RunScoringRules.self,
        GetRecordScores.self, ListScores.self, GetScore.self, ListSignals.self,
    ]
