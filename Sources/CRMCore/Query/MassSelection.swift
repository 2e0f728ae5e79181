import Metadata
import SQLStore
import Wire

/// The records a mass action works on: those of a custom view that meet criteria besides. It has a form a job can keep.
package struct MassSelection: Sendable {
    package let module: Module
    private let view: JSONValue
    private let criteria: JSONValue
    private let territory: TerritorySelection?
    /// The records themselves, where the caller named them.
    private let ids: [RecordID]?

    /// `nil` when the module has no such view.
    package init?(_ module: Module, view: RecordID, criteria: JSONValue, territory: TerritorySelection? = nil, _ catalog: Catalog) {
        guard let document = catalog.documents(.customView).first(where: { $0.id == view && $0.parent?.raw == module.id.raw }) else {
            return nil
        }
        self.module = module
        self.view = document.body["criteria"] ?? .null
        self.criteria = criteria
        self.territory = territory
        ids = nil
    }

    package init(_ module: Module, ids: [RecordID]) {
        self.module = module
        self.ids = ids
        view = .null
        criteria = .null
        territory = nil
    }

    /// Back from the kept form.
    init?(_ json: JSONValue, _ catalog: Catalog) {
        guard let module = catalog.module(id: ModuleID(raw: json["module"]?.looseInt64 ?? 0)) else { return nil }
        self.module = module
        view = json["view"] ?? .null
        criteria = json["criteria"] ?? .null
        territory = json["territory"].flatMap(TerritorySelection.init)
        ids = json["ids"]?.array?.compactMap { $0.looseInt64.map(RecordID.init(raw:)) }
    }

    var json: JSONValue {
        let named: JSONValue = ids.map { .array($0.map { .id($0) }) } ?? .null
        return [
            "module": .string(String(module.id.raw)), "view": view, "criteria": criteria, "territory": territory?.json ?? .null,
            "ids": named,
        ]
    }

    private func condition(_ scope: WriteScope) throws(Rejection) -> Condition {
        if let ids { return .ids(ids) }
        let dates = MovingDates(now: scope.now, zone: scope.catalog.zone, of: scope.catalog)
        let seen = scope.access.seen(scope.catalog).module(id: module.id) ?? module
        let reader = CriteriaReader(module: seen, user: scope.access.user, dates: dates)
        return try reader.read(view).and(try reader.read(criteria)).and(territory?.condition(scope.catalog) ?? .always)
            .and(Conversions.condition(besides: view, of: module))
    }

    /// How many there are, counted up to one more than `most`.
    package func count(upTo most: Int, _ scope: WriteScope) throws -> Int {
        try ids(after: nil, limit: most + 1, scope, counting: true)[0]
    }

    /// The next ones in ascending order of id.
    func next(after id: RecordID?, limit: Int, _ scope: WriteScope) throws -> [RecordID] {
        try ids(after: id, limit: limit, scope, counting: false).map { RecordID(raw: Int64($0)) }
    }

    private func ids(after id: RecordID?, limit: Int, _ scope: WriteScope, counting: Bool) throws -> [Int] {
        let planner = Planner(scope.catalog, scope.access)
        let query = Query(module, fields: [], filter: try condition(scope))
        let some = try planner.ids(query, after: id, limit: limit)
        return try scope.tx.rows(counting ? "SELECT count(*) FROM (\(some)) q" : some) { Int($0.integer(0) ?? 0) }
    }
}

extension Planner {
    /// The ids of what `query` would find, ascending, beyond one of them.
    func ids(_ query: Query, after id: RecordID?, limit: Int) throws(Rejection) -> SQL {
        let query = query.seen(in: catalog)
        try access.require(.view, query.module)
        guard let table = query.module.table else { throw Rejection(.invalidModule, .resourcePathIndex(0)) }
        let beyond: SQL = id.map { " AND t.id > \($0)" } ?? ""
        return "SELECT t.id FROM \(table) t WHERE \(try filter(query))\(beyond) ORDER BY t.id LIMIT \(.integer(Int64(limit)))"
    }
}
