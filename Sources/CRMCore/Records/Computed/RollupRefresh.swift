import Metadata
import SQLStore
import Wire

/// Keeps roll-up summaries right, whatever changed the records they sum up: at the end of every write it reads in the change log
/// which records the write touched, and computes the summaries of what those point at, and pointed at before. Organisations
/// without roll-up fields pay nothing.
struct RollupRefresh {
    private static let chunk = 500

    private let scope: WriteScope
    /// The last entry of the group before this write; a job's group goes on through many.
    private let start: Int64

    /// `nil` when there is nothing to keep right.
    init?(before scope: WriteScope) throws {
        guard !scope.catalog.rollups.isEmpty else { return nil }
        self.scope = scope
        start = try scope.tx.first("SELECT max(sequence) FROM sys_change WHERE group_id = \(scope.group)") { $0.integer(0) ?? 0 } ?? 0
    }

    func run() throws {
        let byList = Dictionary(grouping: scope.catalog.rollups) { [$0.owner.raw, $0.via.id.raw] }
        for (_, rollups) in byList.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            guard let first = rollups.first, let source = scope.catalog.module(id: first.source) else { continue }
            let owners = try owners(first, source).sorted()
            for begin in stride(from: 0, to: owners.count, by: Self.chunk) {
                try Self.compute(rollups, of: Array(owners[begin..<min(begin + Self.chunk, owners.count)]), scope)
            }
        }
    }

    /// Records whose summaries may have changed.
    private func owners(_ rollup: Rollup, _ source: Module) throws -> Set<Int64> {
        guard let table = source.table, let column = rollup.via.columns.first else { return [] }
        let entries: SQL = "group_id = \(scope.group) AND sequence > \(.integer(start)) AND module_id"
        let touched: SQL = "SELECT record_id FROM sys_change WHERE \(entries) = \(.integer(source.id.raw))"
        var found = Set(
            try scope.tx.rows("SELECT DISTINCT t.\(column) FROM \(table) t WHERE t.id IN (\(touched)) AND t.\(column) IS NOT NULL") {
                $0.integer(0) ?? 0
            })
        // Where moved rows were, and where changed ones were.
        let field = rollup.via.id
        try scope.tx.forEach(
            "SELECT DISTINCT before FROM sys_change WHERE \(entries) = \(.integer(source.id.raw)) AND field_id = \(.integer(field.raw))"
        ) {
            if let id = $0.text(0).flatMap({ Int64($0) }) { found.insert(id) }
        }
        let names = SQLValue.text("%\"\(field.raw)\":%")
        try scope.tx.forEach(
            "SELECT before FROM sys_change WHERE \(entries) = \(.integer(source.id.raw)) AND field_id IS NULL AND before LIKE \(names)"
        ) { row in
            let value = try JSONValue.parse(row.text(0) ?? "{}")[String(field.raw)]
            if let id = value?.int64 ?? value?.array?.first?.int64 { found.insert(id) }
        }
        try scope.tx.forEach("SELECT image FROM sys_grave WHERE module_id = \(.integer(source.id.raw)) AND id IN (\(touched))") { row in
            if let id = try JSONValue.parse(row.text(0) ?? "{}")[column.raw]?.int64 { found.insert(id) }
        }
        // Records that a merge or its undo has given rows to.
        let kinds: [ChangeLog.Kind] = [.merged, .unmerged, .restored]
        let among: SQL = .joined(kinds.map { "\(SQLValue.text($0.rawValue))" }, by: ", ")
        try scope.tx.forEach(
            "SELECT DISTINCT record_id FROM sys_change WHERE \(entries) = \(.integer(rollup.owner.raw)) AND kind IN (\(among))"
        ) { found.insert($0.integer(0) ?? 0) }
        return found
    }

    /// Computes these summaries of these records, which are locked first: two writes that add to one sum would each miss the other.
    static func compute(_ rollups: [Rollup], of ids: [Int64], _ scope: WriteScope) throws {
        guard let owner = rollups.first.flatMap({ scope.catalog.module(id: $0.owner) }), let table = owner.table, !ids.isEmpty else {
            return
        }
        let among: SQL = "\(.memberIDs("t.id", ids))"
        try scope.tx.forEach("SELECT t.id FROM \(table) t WHERE \(among) ORDER BY t.id\(.lockRowsForChange)") { _ in }
        var settings: [SQL] = []
        for rollup in rollups {
            guard let column = rollup.field.columns.first, let value = try summary(rollup, scope) else { continue }
            settings.append("\(column) = (\(value))")
        }
        guard !settings.isEmpty else { return }
        try scope.tx.execute("UPDATE \(table) AS t SET \(.joined(settings, by: ", ")) WHERE \(among)")
        let names = Set(rollups.map(\.field.apiName))
        guard owner.formulas.contains(where: { !$0.formula.names.isDisjoint(with: names) }) else { return }
        try Formulas.compute(ids, of: owner, scope)
    }

    private static func summary(_ rollup: Rollup, _ scope: WriteScope) throws -> SQL? {
        guard let source = scope.catalog.module(id: rollup.source), let table = source.table, let via = rollup.via.columns.first else {
            return nil
        }
        var filter: SQL = "x.\(via) = t.id"
        if rollup.via.isAnyLookup, rollup.via.columns.count == 2 {
            filter = "\(filter) AND \(rollup.via.columns[1], of: "x") = \(.integer(rollup.owner.raw))"
        }
        if let criteria = rollup.criteria {
            let condition = try CriteriaReader(
                module: source, user: scope.access.user, dates: MovingDates(now: scope.now, zone: scope.catalog.zone, of: scope.catalog)
            ).read(criteria)
            let system = AccessPolicy.system("a summary counts records whoever may see them")
            filter =
                "\(filter) AND \(try ConditionSQL(catalog: scope.catalog, module: source, alias: "x", access: system).render(condition))"
        }
        if rollup.function == .count { return "SELECT count(*) FROM \(table) x WHERE \(filter)" }
        guard let parameter = rollup.parameter?.columns.first else { return nil }
        let value: SQL = "\(parameter, of: "x")"
        return switch rollup.function {
        case .count: nil
        case .sum: "SELECT CAST(sum(\(value)) AS \(.type(.real))) FROM \(table) x WHERE \(filter)"
        case .average: "SELECT CAST(avg(\(value)) AS \(.type(.real))) FROM \(table) x WHERE \(filter)"
        case .smallest: "SELECT min(\(value)) FROM \(table) x WHERE \(filter)"
        case .largest: "SELECT max(\(value)) FROM \(table) x WHERE \(filter)"
        case .recent: "SELECT \(value) FROM \(table) x WHERE \(filter) AND \(value) IS NOT NULL ORDER BY x.id DESC LIMIT 1"
        }
    }
}

/// Formulas of records that are there already.
enum Formulas {
    /// Writes what the formulas of a module yield for these records, and nothing else: no stamp, no entry in the change log.
    static func compute(_ ids: [Int64], of module: Module, _ scope: WriteScope) throws {
        guard let table = module.table else { return }
        let system = Planner(scope.catalog, .system("formulas hold for every record"))
        let rows = try system.rows(ids.map(RecordID.init(raw:)), of: module, for: .edit, scope.tx)
        for before in rows.values.sorted(by: { $0.id < $1.id }) {
            var after = before
            FormulaRule.apply(to: &after, scope.catalog, at: scope.now)
            let settings = module.formulas.compactMap { field, _ -> SQL? in
                guard let column = field.columns.first, after[field] != before[field] else { return nil }
                return "\(column) = \(after[field])"
            }
            guard !settings.isEmpty else { continue }
            try scope.tx.execute("UPDATE \(table) SET \(.joined(settings, by: ", ")) WHERE id = \(before.id)")
        }
    }
}
