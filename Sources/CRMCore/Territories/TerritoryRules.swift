import Metadata
import SQLStore
import Wire

/// All criteria of one module's territories, ready to be asked of records.
struct TerritoryRules {
    private struct Rule {
        let territory: RecordID
        let matches: SQL
    }

    /// How many territories one statement asks about: far below the engines' limits on columns and binds.
    private static let perStatement = 40

    private let module: Module
    private let rules: [Rule]
    /// The fields that criteria name; when none of them changes, nothing does.
    let fields: Set<String>
    /// Criteria with days that move have to be asked again though no field changed.
    private let scope: WriteScope

    var isEmpty: Bool { rules.isEmpty }

    init?(_ module: Module, _ scope: WriteScope) {
        guard scope.catalog.hasTerritories, let key = TerritorySetup.criteriaKeys.first(where: { $0.module == module.apiName })?.key else {
            return nil
        }
        let reader = CriteriaReader(
            module: module, user: scope.access.user, dates: MovingDates(now: scope.now, zone: scope.catalog.zone, of: scope.catalog))
        let tests = ConditionSQL(
            catalog: scope.catalog, module: module, alias: "t", access: .system("criteria hold whoever writes the record"))
        var fields: Set<String> = []
        rules = scope.catalog.territories.ruled(by: key).compactMap { territory in
            let criteria = territory.body[key] ?? .null
            // Criteria that no longer fit the module, because a field of theirs is gone, choose nothing.
            guard let matches = try? tests.render(reader.read(criteria)) else { return nil }
            fields.formUnion(KeptCriteria.fields(in: criteria))
            return Rule(territory: territory.id, matches: matches)
        }
        self.fields = fields
        self.module = module
        self.scope = scope
    }

    /// Brings the places that criteria gave the records in step with them; what people assigned stays. The records are locked
    /// already, or are locked now.
    func apply(to ids: [RecordID], locking: Bool = false, logging: Bool = true) throws {
        guard !ids.isEmpty else { return }
        let matches = try matches(ids, locking)
        let held = try RecordTerritories.held(by: ids, scope.tx)
        let limit = TerritorySetup.limits[module.apiName] ?? 0
        var added: [(RecordID, RecordTerritories.Assignment)] = []
        var removed: [(record: RecordID, territory: RecordID)] = []
        for id in ids {
            let now = held[id] ?? []
            let wanted = matches[id] ?? []
            let lost = now.filter { !$0.manual && !wanted.contains($0.territory) }
            removed += lost.map { (id, $0.territory) }
            let kept = Set(now.map(\.territory)).subtracting(lost.map(\.territory))
            let room = max(limit - kept.count, 0)
            added += wanted.filter { !kept.contains($0) }.prefix(room).map {
                (id, .init(territory: $0, manual: false, by: nil, at: scope.now))
            }
        }
        try RecordTerritories.remove(removed, scope.tx)
        try RecordTerritories.add(added, of: module.id, scope.tx)
        guard logging, !removed.isEmpty || !added.isEmpty else { return }
        var after = held
        for place in removed { after[place.record]?.removeAll { $0.territory == place.territory } }
        for (record, place) in added { after[record, default: []].append(place) }
        try RecordTerritories.log(ids, of: module.id, from: held, to: after, scope)
    }

    /// The territories whose criteria each record meets, the eldest first.
    private func matches(_ ids: [RecordID], _ locking: Bool) throws -> [RecordID: [RecordID]] {
        guard let table = module.table else { return [:] }
        var found: [RecordID: [RecordID]] = [:]
        var rest = rules[...]
        var lock: SQL = locking ? "\(.lockRowsForChange)" : ""
        while !rest.isEmpty {
            let chunk = Array(rest.prefix(Self.perStatement))
            rest = rest.dropFirst(chunk.count)
            let columns: [SQL] = chunk.map { "CASE WHEN \($0.matches) THEN 1 ELSE 0 END" }
            try scope.tx.forEach(
                "SELECT t.id, \(.joined(columns, by: ", ")) FROM \(table) t WHERE \(.memberIDs("t.id", ids.map(\.raw).sorted())) ORDER BY t.id\(lock)"
            ) { row in
                let id = RecordID(raw: row.integer(0) ?? 0)
                for (index, rule) in chunk.enumerated() where row.integer(index + 1) == 1 { found[id, default: []].append(rule.territory) }
            }
            lock = ""
        }
        return found
    }
}
