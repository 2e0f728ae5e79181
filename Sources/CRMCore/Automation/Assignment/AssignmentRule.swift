import Metadata
import Wire

/// Finds owners for records of one module: the first entry whose criteria a record meets gives it to one of its people in turn; the
/// others go to the default assignee. Contract: assignment-rules, 72; entries are an extension of ours.
package struct AssignmentRule: Sendable {
    package struct Entry: Sendable {
        package let id: RecordID
        package let criteria: JSONValue
        package let people: UserGroup.People
        /// Whether those who are away get nothing meanwhile.
        package let skipsUnavailable: Bool

        init?(_ body: JSONValue) {
            guard let id = body["id"]?.looseInt64 else { return nil }
            self.id = RecordID(raw: id)
            criteria = body["criteria"] ?? .null
            people = UserGroup.People(body["assignees"])
            skipsUnavailable = body["skip_unavailable_users"]?.bool ?? false
        }
    }

    /// Modules besides custom ones whose records find owners by rules.
    private static let modules: Set<String> = ["Leads", "Accounts", "Contacts", "Deals"]
    package static let mostEntries = 100
    package static let mostTests = 25
    package static let mostRules = 200

    package let document: Document
    package let module: ModuleID
    package let isActive: Bool
    package let entries: [Entry]
    package let defaultAssignee: UserID?

    package init(_ document: Document) {
        self.document = document
        module = ModuleID(raw: document.body["module"]?["id"]?.looseInt64 ?? 0)
        isActive = document.body["active"]?.bool ?? true
        entries = (document.body["rule_entries"]?.array ?? []).compactMap(Entry.init)
        defaultAssignee = document.body["default_assignee"]?["id"]?.looseInt64.map(UserID.init(raw:))
    }

    package static func supports(_ module: Module) -> Bool {
        module.table != nil && (modules.contains(module.apiName) || module.generatedType == "custom")
    }

    /// The rule that a write names, which must be one of its module's and in use.
    package static func named(_ given: JSONCursor, for module: Module, _ catalog: Catalog) throws(Rejection) -> AssignmentRule {
        let id = try given.recordID()
        guard let document = catalog.documents(.assignmentRule).first(where: { $0.id == id }) else { throw .invalid(at: given.path) }
        let rule = AssignmentRule(document)
        guard rule.module == module.id, rule.isActive else { throw .invalid(at: given.path) }
        return rule
    }

    var mark: AutomationMark {
        AutomationMark(type: Origin.assignmentRules.rawValue, rule: document.id, name: document.body["name"]?.string ?? "")
    }
}

extension AssignmentRule {
    /// Reads the entries of a request in place of those that are there. One that names its id keeps its turn.
    package static func entries(_ given: JSONCursor, of module: Module, existing: [JSONValue], _ scope: MetadataScope) throws(Rejection)
        -> [JSONValue]
    {
        let items = try given.elements()
        guard items.count <= mostEntries else { throw .tooLong(mostEntries, at: given.path) }
        var kept: [JSONValue] = []
        for item in items {
            _ = try item.object()
            var id = scope.ids.next()
            if let named = item.optional("id"), !named.value.isNull {
                id = try named.recordID()
                let isKnown = existing.contains { $0["id"]?.looseInt64 == id.raw } && !kept.contains { $0["id"]?.looseInt64 == id.raw }
                guard isKnown else { throw .invalid(at: named.path) }
            }
            let criteria = try item.required("criteria")
            let people = try UserGroup.sources(try item.required("assignees"), of: nil, existing: [], scope.catalog)
            kept.append([
                "id": .id(id), "criteria": try KeptCriteria.read(criteria, of: module, most: mostTests, scope), "assignees": .array(people),
                "skip_unavailable_users": .bool(try item.optional("skip_unavailable_users")?.bool() ?? false),
            ])
        }
        return kept
    }
}

extension AssignmentRule {
    /// What a rule that goes leaves behind.
    package func forgetTurns(_ scope: MetadataScope) throws { try AssignmentTurns.forget(entries.map(\.id), scope.tx) }
}
