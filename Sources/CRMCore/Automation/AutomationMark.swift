import SQLStore
import Wire

/// The rule in whose name a record changes. The change log keeps it with each entry, under the name the rule had then.
package struct AutomationMark: Sendable {
    /// As the timeline calls it, such as `assignment_rules`.
    let type: String
    let rule: RecordID
    let name: String

    var json: JSONValue { ["type": .string(type), "rule": ["name": .string(name), "id": .id(rule)]] }
}

extension AutomationMark {
    /// Nothing is changed in the entries that are there: they had no automation.
    static let schema: [SQL] = ["ALTER TABLE sys_change ADD COLUMN automation \(.type(.text))"]
}

extension WriteScope {
    /// The same transaction, working in the name of a rule: with the freedom of the system, and for the same user.
    func acting(as origin: Origin, by mark: AutomationMark, _ reason: StaticString) -> WriteScope {
        var scope = WriteScope(
            tx: tx, catalog: catalog, access: .system(reason, for: access.user), origin: origin, now: now, group: group, ids: ids,
            feed: feed)
        scope.automation = mark
        return scope
    }
}
