import Metadata
import Wire

/// Where settings name people by source: user groups, the entries of assignment rules, and the owners of transitions. What goes away goes away there, too.
package enum PeopleSources {
    /// Takes a role, a group or a territory out of all of them. In assignment rules an heir takes its place, so that the work goes on.
    package static func remove(_ kind: UserGroup.SourceKind, _ id: RecordID, heir: RecordID? = nil, _ scope: MetadataScope) throws {
        for group in scope.catalog.documents(.userGroup) where group.id != id {
            var body = group.body
            body["sources"] = without(kind, id, heir: nil, body["sources"])
            if body != group.body { try scope.replace(group.id, body: body) }
        }
        for rule in scope.catalog.documents(.assignmentRule) {
            let body = changed(rule.body) { without(kind, id, heir: heir, $0) }
            if body != rule.body { try scope.replace(rule.id, body: body) }
        }
        try BlueprintUse.follow(leaving: kind.rawValue, id, heir: heir, scope)
    }

    /// A rule with another list of people in each of its entries.
    static func changed(_ rule: JSONValue, _ change: (JSONValue?) -> JSONValue) -> JSONValue {
        var body = rule
        body["rule_entries"] = .array(
            (body["rule_entries"]?.array ?? []).map { entry in
                var entry = entry
                entry["assignees"] = change(entry["assignees"])
                return entry
            })
        return body
    }

    private static func without(_ kind: UserGroup.SourceKind, _ id: RecordID, heir: RecordID?, _ sources: JSONValue?) -> JSONValue {
        func isFor(_ source: JSONValue, _ wanted: RecordID) -> Bool {
            source["type"] == .string(kind.rawValue) && source["id"]?.looseInt64 == wanted.raw
        }
        var kept = sources?.array ?? []
        guard let place = kept.firstIndex(where: { isFor($0, id) }) else { return .array(kept) }
        if let heir, !kept.contains(where: { isFor($0, heir) }) { kept[place]["id"] = .id(heir) } else { kept.remove(at: place) }
        return .array(kept)
    }

    /// The assignment rules that name a role, a group or a territory.
    package static func rules(naming kind: UserGroup.SourceKind, _ id: RecordID, _ catalog: Catalog) -> [AssignmentRule] {
        catalog.documents(.assignmentRule).map(AssignmentRule.init).filter { rule in
            rule.entries.contains { entry in entry.people.sources.contains { $0.kind == kind && $0.id == id } }
        }
    }
}
