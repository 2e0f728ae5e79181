import Metadata
import Wire

/// Gives the names of a COQL statement their meaning, and refuses what the contract does not allow (`query-api.md`, LIMITS).
struct COQLCompiler {
    static let defaultLimit = 200, maximumLimit = 2_000, reach = 100_000
    static let maximumAggregates = 5, maximumBaseJoins = 5, maximumColumnJoins = 15
    /// What one subquery contributes at most.
    static let subqueryRows = 100

    let catalog: Catalog
    let user: UserID
    let dates: MovingDates
    let module: Module
    private(set) var modules: [Module]
    private(set) var fields: [(name: String, field: Field, module: Module)] = []
    private let view: Condition
    /// Lookups followed by conditions, groups and order; those of the columns are counted apart.
    private var baseJoins: Set<String> = []

    init(_ source: COQLSource, _ catalog: Catalog, _ user: UserID, _ dates: MovingDates) throws(Rejection) {
        guard let module = catalog.module(source.module), module.table != nil else {
            throw Rejection(.invalidModule, .other("module", .string(source.module)), .other("clause", "from"))
        }
        self.catalog = catalog
        self.user = user
        self.dates = dates
        self.module = module
        modules = [module]
        view = try Self.view(source, module, catalog, CriteriaReader(module: module, user: user, dates: dates))
    }

    mutating func query(_ statement: COQLStatement) throws(Rejection) -> Query {
        let filter = try viewed(condition(statement.condition))
        let groups = try groups(statement.groups)
        let columns = try columns(statement.columns, groups)
        let order = try order(statement, columns, groups)
        try checkJoins(columns)
        let limit = statement.limit ?? Self.defaultLimit
        guard limit > 0 else { throw Rejection(.invalidQuery, .other("clause", "limit"), .other("reason", "the limit must be positive")) }
        guard limit <= Self.maximumLimit else { throw COQLRefusal.limit(Self.maximumLimit, "limit") }
        guard statement.offset <= Self.reach - limit else { throw COQLRefusal.limit(Self.reach, "offset") }
        var query = Query(module, fields: [], filter: filter, page: .offset(statement.offset), limit: limit)
        query.terms = QueryTerms(columns: columns, groups: groups, order: order)
        return query
    }

    private static func view(_ source: COQLSource, _ module: Module, _ catalog: Catalog, _ reader: CriteriaReader) throws(Rejection)
        -> Condition
    {
        guard let id = source.view else { return .always }
        let found = catalog.documents(.customView).first { String($0.id.raw) == id && $0.parent?.raw == module.id.raw }
        guard let found else { throw Rejection(.invalidQuery, .other("cvid", .string(id)), .other("reason", "invalid custom view id")) }
        return try reader.read(found.body["criteria"] ?? .null)
    }

    private mutating func columns(_ written: [COQLStatement.Column], _ groups: [FieldPath]) throws(Rejection) -> [QueryTerms.Column] {
        var columns: [QueryTerms.Column] = []
        var seen: Set<String> = []
        var names: Set<String> = []
        var aggregates = 0
        let isGrouped = !groups.isEmpty || written.contains { $0.value.function != nil }
        let grouped = Set(groups.map(\.identity))
        for column in written {
            let name = column.value.name
            let value = try self.value(column.value)
            guard seen.insert(value.identity).inserted else {
                // The page gives 401 for a repeated column and 400 for a repeated aggregate.
                throw Rejection(.duplicateData, status: value.isAggregate ? 400 : 401, .other("column_name", .string(column.text)))
            }
            guard names.insert(column.alias ?? column.text).inserted else {
                throw Rejection(.duplicateAlias, .other("alias", .string(column.alias ?? column.text)))
            }
            if value.isAggregate {
                aggregates += 1
            } else {
                try COQLTypes.requireSelectable(value.path, name)
                if isGrouped, !grouped.contains(value.identity) {
                    throw COQLRefusal.column(name, "the column is not in the group by clause")
                }
                if let field = value.path.field { fields.append((column.text, field, value.path.hops.last?.module ?? module)) }
            }
            columns.append(.init(name: column.alias ?? column.text, value: value))
        }
        guard aggregates <= Self.maximumAggregates else { throw COQLRefusal.limit(Self.maximumAggregates, "select") }
        return columns
    }

    private mutating func groups(_ names: [COQLName]) throws(Rejection) -> [FieldPath] {
        var groups: [FieldPath] = []
        var seen: Set<String> = []
        for name in names {
            let path = try self.path(name)
            try COQLTypes.requireSortable(path, name)
            guard seen.insert(path.identity).inserted else {
                throw Rejection(.duplicateData, .other("column_name", .string(name.text)), .other("clause", "group by"))
            }
            noteBase(path)
            groups.append(path)
        }
        return groups
    }

    /// By columns, aliases or aggregates. In groups only what is the same for all of a group can order them.
    private mutating func order(_ statement: COQLStatement, _ columns: [QueryTerms.Column], _ groups: [FieldPath]) throws(Rejection)
        -> [QueryTerms.Order]
    {
        let aliases = Dictionary(
            zip(statement.columns, columns).compactMap { written, column in written.alias.map { ($0, column.value) } },
            uniquingKeysWith: { a, _ in a })
        let isGrouped = !groups.isEmpty || columns.contains { $0.value.isAggregate }
        let grouped = Set(groups.map(\.identity))
        var order: [QueryTerms.Order] = []
        var seen: Set<String> = []
        for key in statement.order {
            let name = key.value.name
            let named = key.value.function == nil ? aliases[name.text] : nil
            let value = if let named { named } else { try self.value(key.value) }
            guard seen.insert(value.identity).inserted else {
                throw Rejection(.duplicateData, .other("column_name", .string(name.text)), .other("clause", "order by"))
            }
            if !value.isAggregate { try COQLTypes.requireSortable(value.path, name) }
            if isGrouped, !value.isAggregate, !grouped.contains(value.identity) {
                throw COQLRefusal.column(name, "the column is not in the group by clause")
            }
            if !isGrouped, value.isAggregate { throw COQLRefusal.column(name, "an aggregate cannot order single records") }
            noteBase(value.path)
            order.append(.init(value: value, descending: key.descending))
        }
        return order
    }

    private mutating func value(_ term: COQLValueTerm) throws(Rejection) -> QueryTerms.Value {
        let path = try path(term.name)
        guard let function = term.function else { return .path(path) }
        try COQLTypes.require(function, path, term.name)
        return .aggregate(function, path)
    }

    /// What a written name means in the module after FROM.
    mutating func path(_ name: COQLName) throws(Rejection) -> FieldPath {
        if let prefix = name.module, catalog.module(prefix)?.id != module.id { throw COQLRefusal.column(name, "invalid module") }
        do throws(FieldPath.Problem) {
            let path = try FieldPath(name.steps, from: module, catalog)
            for hop in path.hops where !modules.contains(where: { $0.id == hop.module.id }) { modules.append(hop.module) }
            return path
        } catch {
            switch error {
            case .unknown: throw COQLRefusal.column(name, "invalid column")
            case .notALookup: throw COQLRefusal.column(name, "the column cannot be followed")
            case .tooDeep: throw COQLRefusal.limit(2, "relation")
            }
        }
    }

    /// Narrowed to the custom view after FROM, if there is one.
    func viewed(_ condition: Condition) -> Condition { view.and(condition) }

    mutating func noteBase(_ path: FieldPath) { baseJoins.formUnion(path.joins) }

    /// The modules a subquery reads count as read.
    mutating func note(_ others: [Module]) {
        for other in others where !modules.contains(where: { $0.id == other.id }) { modules.append(other) }
    }

    private func checkJoins(_ columns: [QueryTerms.Column]) throws(Rejection) {
        guard baseJoins.count <= Self.maximumBaseJoins else { throw COQLRefusal.limit(Self.maximumBaseJoins, "join") }
        let more = Set(columns.flatMap { $0.value.path.joins }).subtracting(baseJoins)
        guard more.count <= Self.maximumColumnJoins else { throw COQLRefusal.limit(Self.maximumColumnJoins, "join") }
    }
}

extension FieldPath {
    /// One name for each lookup that is followed.
    fileprivate var joins: [String] {
        var way = ""
        var names: [String] = []
        for hop in hops {
            way += "\(hop.field.id.raw)>\(hop.module.id.raw)/"
            names.append(way)
        }
        if case .person(let field, _) = leaf { names.append(way + "\(field.id.raw)@") }
        return names
    }
}
