import Metadata
import Wire

/// A rule of the organisation's and what it asks of records: assignment and scoring rules, territories and blueprints.
package struct RuleUse: Sendable {
    /// As answers call its kind, such as `assignment_rule`.
    package let type: String
    package let id: RecordID
    package let name: String
    package let module: Module
    let criteria: [JSONValue]

    /// All of them that have criteria.
    package static func all(_ catalog: Catalog) -> [RuleUse] {
        func module(_ document: Document) -> Module? {
            document.body["module"]?["id"]?.looseInt64.flatMap { catalog.module(id: ModuleID(raw: $0)) }
        }
        func uses(_ kind: Document.Kind, _ type: String, _ parts: String) -> [RuleUse] {
            catalog.documents(kind).compactMap { document in
                guard let module = module(document) else { return nil }
                return RuleUse(
                    type: type, id: document.id, name: document.body["name"]?.string ?? "", module: module,
                    criteria: (document.body[parts]?.array ?? []).compactMap { $0["criteria"] })
            }
        }
        let territories = TerritorySetup.criteriaKeys.flatMap { name, key -> [RuleUse] in
            guard let module = catalog.module(name) else { return [] }
            return catalog.territories.ruled(by: key).map {
                RuleUse(type: "territory", id: $0.id, name: $0.name, module: module, criteria: [$0.body[key] ?? .null])
            }
        }
        let blueprints = catalog.documents(.blueprint).map(Blueprint.init).compactMap { blueprint -> RuleUse? in
            guard let module = catalog.module(id: blueprint.module) else { return nil }
            // Its states are values of a field, too.
            let states: JSONValue = [
                "field": ["id": .string(String(blueprint.field.raw))], "value": .array(blueprint.states.sorted().map(JSONValue.string)),
            ]
            return RuleUse(
                type: "blueprint", id: blueprint.id, name: blueprint.name, module: module,
                criteria: [blueprint.criteria, states] + blueprint.transitions.map(\.criteria))
        }
        return uses(.assignmentRule, "assignment_rule", "rule_entries") + uses(.scoringRule, "scoring_rule", "field_rules") + territories
            + blueprints
    }

    /// Whether its criteria ask the field anything.
    func asks(_ field: Field) -> Bool {
        criteria.flatMap(KeptCriteria.tests).contains { $0["field"]?["id"]?.looseInt64 == field.id.raw }
    }

    /// Whether its criteria name one of these texts as a value of the field.
    package func names(_ values: Set<String>, in field: Field) -> Bool {
        criteria.flatMap(KeptCriteria.tests).contains { test in
            guard test["field"]?["id"]?.looseInt64 == field.id.raw, let value = test["value"] else { return false }
            return (value.array ?? [value]).contains { $0.string.map { values.contains($0.lowercased()) } ?? false }
        }
    }
}
