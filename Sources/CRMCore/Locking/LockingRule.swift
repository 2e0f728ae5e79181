import Metadata
import SQLStore
import Wire

/// Locks records that come to match a rule of their module's configuration, and frees those that a rule locked and that
/// match none any more.
struct LockingRule: RecordRule {
    func concerns(_ module: Module) -> Bool { LockingConfiguration.supports(module) }

    func after(_ changes: [PendingChange], _ scope: WriteScope) throws {
        guard let module = changes.first?.after.module, let configuration = LockingConfiguration.of(module, scope.catalog),
            configuration.type != .manual
        else { return }
        let ids = changes.map(\.after.id)
        var matching: [RecordID: RecordID] = [:]
        for rule in configuration.rules {
            for id in try Self.matching(rule, of: module, within: ids, limit: ids.count, scope) where matching[id] == nil {
                matching[id] = rule.id
            }
        }
        let locked = Set(changes.filter { $0.before?["Locked__s"].integer == 1 }.map(\.after.id))
        for (rule, records) in Dictionary(grouping: matching.filter { !locked.contains($0.key) }.map(\.key), by: { matching[$0] }) {
            try RecordLocks.set(records.sorted(), of: module, configuration.id, rule: rule, reason: nil, scope)
        }
        let loose = locked.filter { matching[$0] == nil }.map(\.raw).sorted()
        guard !loose.isEmpty else { return }
        let byRule = try scope.tx.rows(
            "SELECT record_id FROM sys_lock WHERE \(.memberIDs("record_id", loose)) AND rule_id IS NOT NULL ORDER BY record_id"
        ) {
            RecordID(raw: $0.integer(0) ?? 0)
        }
        try RecordLocks.release(byRule, of: module, scope)
    }

    /// Records that match a rule: among those given, or any that are not locked, beyond `after` in ascending order.
    static func matching(
        _ rule: LockingConfiguration.Rule, of module: Module, within ids: [RecordID]? = nil, after: RecordID? = nil, limit: Int,
        _ scope: WriteScope
    ) throws -> [RecordID] {
        guard let table = module.table, let column = module.lockColumn else { return [] }
        let condition = try CriteriaReader(
            module: module, user: scope.access.user, dates: MovingDates(now: scope.now, zone: scope.catalog.zone, of: scope.catalog)
        ).read(rule.criteria)
        let system = AccessPolicy.system("rules lock whatever they match")
        let matches = try ConditionSQL(catalog: scope.catalog, module: module, alias: "t", access: system).render(condition)
        let among: SQL =
            ids.map { "\(.memberIDs("t.id", $0.map(\.raw)))" }
            ?? "t.id > \(after ?? RecordID(raw: 0)) AND (t.\(column) IS NULL OR t.\(column) = 0) AND t.in_merge IS NULL"
        return try scope.tx.rows(
            "SELECT t.id FROM \(table) t WHERE \(among) AND \(matches) ORDER BY t.id LIMIT \(.integer(Int64(limit)))\(.lockRows)"
        ) {
            RecordID(raw: $0.integer(0) ?? 0)
        }
    }
}
