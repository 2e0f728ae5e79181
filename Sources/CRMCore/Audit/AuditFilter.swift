import Metadata
import SQLStore
import Wire

/// Which entries of the change log an audit export takes. Conditions hold together. Contract: export-audit-log, 37.
package struct AuditFilter: Sendable {
    package enum Action: String, Sendable, CaseIterable {
        case added, updated, deleted

        /// What the change log calls it.
        var kinds: [ChangeLog.Kind] {
            switch self {
            case .added: [.added, .addedByMerge, .attached, .linkFilled]
            case .updated: [.updated, .merged, .unmerged, .repoint, .tagged, .shared, .files, .restored, .participantsMoved, .territories]
            case .deleted: [.deleted, .mergedAway, .detached, .linkDropped]
            }
        }

        static func of(_ kind: ChangeLog.Kind?) -> Action? { kind.flatMap { kind in allCases.first { $0.kinds.contains(kind) } } }
    }

    package enum Condition: Sendable {
        case actions([Action])
        case users([RecordID])
        case modules([ModuleID])
        case between(Instant, Instant)
    }

    /// The longest time a filter may ask for, and how far back everything goes (export-audit-log, limits).
    package static let longestDays: Int64 = 180
    private static let allYears: Int64 = 3

    package let conditions: [Condition]

    package init(_ conditions: [Condition]) { self.conditions = conditions }

    /// As it is kept with the job.
    var json: JSONValue {
        .array(
            conditions.map { condition in
                switch condition {
                case .actions(let actions): ["actions": .array(actions.map { .string($0.rawValue) })]
                case .users(let ids): ["users": .array(ids.map { .id($0) })]
                case .modules(let ids): ["modules": .array(ids.map { .string(String($0.raw)) })]
                case .between(let from, let to): ["from": .integer(from.milliseconds), "to": .integer(to.milliseconds)]
                }
            })
    }

    init(_ json: JSONValue) {
        conditions = (json.array ?? []).compactMap { condition in
            if let actions = condition["actions"]?.array { return .actions(actions.compactMap { $0.string.flatMap(Action.init) }) }
            if let ids = condition["users"]?.array { return .users(ids.compactMap { $0.looseInt64.map(RecordID.init(raw:)) }) }
            if let ids = condition["modules"]?.array { return .modules(ids.compactMap { $0.looseInt64.map(ModuleID.init(raw:)) }) }
            guard let from = condition["from"]?.int64, let to = condition["to"]?.int64 else { return nil }
            return .between(Instant(milliseconds: from), Instant(milliseconds: to))
        }
    }

    /// Rows of `sys_change c`. Without a time the last three years, or, with another condition, the longest time that may be asked for.
    func sql(now: Instant) -> SQL {
        let hasTime = conditions.contains { if case .between = $0 { true } else { false } }
        let day: Int64 = 86_400_000
        let back = conditions.isEmpty ? Self.allYears * 366 * day : Self.longestDays * day
        var parts: [SQL] = hasTime ? [] : ["c.at >= \(.integer(now.milliseconds - back))"]
        for condition in conditions {
            switch condition {
            case .actions(let actions): parts.append("\(.memberTexts("c.kind", actions.flatMap(\.kinds).map(\.rawValue)))")
            case .users(let ids): parts.append("\(.memberIDs("c.user_id", ids.map(\.raw)))")
            case .modules(let ids): parts.append("\(.memberIDs("c.module_id", ids.map(\.raw)))")
            // Moments are told in whole seconds.
            case .between(let from, let to): parts.append("c.at BETWEEN \(from) AND \(.integer(to.milliseconds / 1000 * 1000 + 999))")
            }
        }
        return .joined(parts, by: " AND ")
    }
}

extension Catalog {
    /// Whose doings a user may read: everybody's for administrators and whoever reports to nobody; else their own and those of people
    /// in roles below. `nil` is everybody. Contract: export-audit-log, section notes.
    func audited(by id: UserID) -> [RecordID]? {
        guard let user = user(id), !isAdministrator(id) else { return nil }
        let tree = RoleTree(self)
        if tree.top["id"]?.looseInt64 == user.role.raw { return nil }
        let below = tree.subordinates(of: user.role)
        return users.filter { $0.id == id || below.contains($0.role) }.map { RecordID(raw: $0.id.raw) }
    }
}
