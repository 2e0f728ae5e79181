import Metadata
import SQLStore
import Wire

/// All criteria of one module's territories, ready to be asked of records.
struct TerritoryRules {
    private let module: Module
    private let tests: RuleTests<RecordID>
    private let scope: WriteScope

    var isEmpty: Bool { tests.isEmpty }

    init?(_ module: Module, _ scope: WriteScope) {
        guard scope.catalog.hasTerritories, let key = TerritorySetup.criteriaKeys.first(where: { $0.module == module.apiName })?.key else {
            return nil
        }
        tests = RuleTests(module, scope.catalog.territories.ruled(by: key).map { ($0.id, $0.body[key] ?? .null) }, scope)
        self.module = module
        self.scope = scope
    }

    func concern(_ change: PendingChange) -> Bool { tests.concern(change) }

    /// Brings the places that criteria gave the records in step with them; what people assigned stays. The records are locked
    /// already, or are locked now.
    func apply(to ids: [RecordID], locking: Bool = false, logging: Bool = true) throws {
        guard !ids.isEmpty else { return }
        let matches = try tests.matches(ids, locking: locking)
        let held = try RecordTerritories.held(by: ids, scope.tx)
        var added: [(RecordID, RecordTerritories.Assignment)] = []
        var removed: [(record: RecordID, territory: RecordID)] = []
        for id in ids {
            let step = step(from: held[id] ?? [], meeting: matches[id] ?? [])
            removed += step.lost.map { (id, $0) }
            added += step.added.map { (id, $0) }
        }
        try RecordTerritories.remove(removed, scope.tx)
        try RecordTerritories.add(added, of: module.id, scope.tx)
        guard logging, !removed.isEmpty || !added.isEmpty else { return }
        var after = held
        for place in removed { after[place.record]?.removeAll { $0.territory == place.territory } }
        for (record, place) in added { after[record, default: []].append(place) }
        try RecordTerritories.log(ids, of: module.id, from: held, to: after, scope)
    }

    /// What a record loses and gets that stands in `now` and meets the criteria of `wanted`.
    private func step(from now: [RecordTerritories.Assignment], meeting wanted: [RecordID]) -> (
        lost: [RecordID], added: [RecordTerritories.Assignment]
    ) {
        let limit = TerritorySetup.limits[module.apiName] ?? 0
        let lost = now.filter { !$0.manual && !wanted.contains($0.territory) }.map(\.territory)
        let kept = Set(now.map(\.territory)).subtracting(lost)
        let added = wanted.filter { !kept.contains($0) }.prefix(max(limit - kept.count, 0))
        return (lost, added.map { .init(territory: $0, manual: false, by: nil, at: scope.now) })
    }

    /// Where a record would stand that is in `now` and were written with these values; writes nothing.
    func foretold(_ record: Record, from now: [RecordTerritories.Assignment]) throws -> [RecordTerritories.Assignment] {
        let step = step(from: now, meeting: try tests.matches(unwritten: record))
        return now.filter { !step.lost.contains($0.territory) } + step.added
    }
}
