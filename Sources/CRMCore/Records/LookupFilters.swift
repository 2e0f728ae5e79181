import Metadata
import SQLStore
import Wire

/// The filters that lookups of a module may carry: what a filtered lookup points at must satisfy its criteria. They hold for the
/// values a write gives and for those a merge takes from a child (`merge.md`, rule 26). Where the lookup says
/// `revalidate_filter_during_edit`, every edit of the record tests what is stored, too.
struct LookupFilters {
    private let fields: [Field]

    init(_ module: Module) { fields = module.fields.filter { $0.targetCriteria != nil } }

    /// What a filter refuses of these values, and where each is given.
    struct Value {
        let field: Field
        let id: Int64
    }

    /// The values that a change has to be tested for.
    func values(of change: PendingChange) -> [Value] {
        fields.compactMap { field in
            let isTested = change.given.contains(field.id) || (change.kind == .update && field.revalidatesCriteria)
            return isTested ? change.after.target(of: field).map { Value(field: field, id: $0.id) } : nil
        }
    }

    func values(in records: [(Field, Record)]) -> [Value] {
        records.compactMap { field, record in
            guard field.targetCriteria != nil, let target = record.target(of: field) else { return nil }
            return Value(field: field, id: target.id)
        }
    }

    /// One statement for each filtered lookup, however many records are written. Every user's rights aside: the filter is the
    /// organisation's.
    static func refused(_ values: [Value], _ scope: WriteScope) throws -> [FieldID: Set<Int64>] {
        var refused: [FieldID: Set<Int64>] = [:]
        for (id, some) in Dictionary(grouping: values, by: \.field.id) {
            guard let field = some.first?.field, let criteria = field.targetCriteria,
                let target = field.target.flatMap(scope.catalog.module(id:)), let table = target.table
            else { continue }
            let condition = try CriteriaReader(
                module: target, user: scope.access.user, dates: MovingDates(now: scope.now, zone: scope.catalog.zone, of: scope.catalog)
            ).read(criteria)
            let system = AccessPolicy.system("filters of lookups look at whatever they point at")
            let passes = try ConditionSQL(catalog: scope.catalog, module: target, alias: "t", access: system).render(condition)
            let ids = Set(some.map(\.id))
            let passing = try scope.tx.rows("SELECT t.id FROM \(table) t WHERE \(.memberIDs("t.id", ids.sorted())) AND \(passes)") {
                $0.integer(0) ?? 0
            }
            refused[id] = ids.subtracting(passing)
        }
        return refused
    }
}
