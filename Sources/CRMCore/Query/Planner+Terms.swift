import Metadata
import SQLStore
import Wire

extension Planner {
    private static var maximumTables: Int { 60 }

    /// A plan for paths and aggregates, with the joins they need.
    func plan(_ query: Query, _ terms: QueryTerms) throws(Rejection) -> QueryPlan {
        guard let table = query.module.table else { throw .invalidModule() }
        try requireSeen(terms)
        let joins = Joins(catalog, access)
        var select = Selection(catalog: catalog, access: access)
        var grouped: [SQL] = []
        for column in terms.columns { add(column, to: &select, &grouped, joins) }
        // Where there are groups no row has an id, and where it is not asked for it comes along.
        let idColumn = select.add(terms.isGrouped ? "CAST(0 AS BIGINT)" : "t.id")
        let named = terms.columns.contains { $0.value.identity == query.module.field("id").map { FieldPath($0).identity } }
        if !terms.isGrouped, !named { select.cell(.digits, key: JSONKey("id"), column: idColumn) }

        let filter = try filter(query, joins)
        for path in terms.groups { grouped.append(joins.column(of: path)) }
        let order = order(terms, joins)
        // SQLite joins 64 tables at most.
        guard joins.clauses.count < Self.maximumTables else {
            throw Rejection(.limitExceeded, .other("clause", "join"), .other("limit", .integer(Self.maximumTables)))
        }
        let groups: SQL = terms.groups.isEmpty ? "" : " GROUP BY \(.joined(grouped, by: ", "))"
        let offset: SQL = if case .offset(let skipped) = query.page, skipped > 0 { " OFFSET \(.integer(Int64(skipped)))" } else { "" }
        let sql: SQL = """
            SELECT \(.joined(select.columns, by: ", ")) FROM \(table) t\(.joined(joins.clauses, by: "")) WHERE \(filter)\(groups)\(order) \
            LIMIT \(.integer(Int64(query.limit) + 1))\(offset)
            """
        return try sealed(select, sql, query.module, reading: joins.modules, idColumn: idColumn, limit: query.limit)
    }

    /// Paths come with their fields, so what is hidden must be refused here too, whoever resolved them.
    private func requireSeen(_ terms: QueryTerms) throws(Rejection) {
        for path in terms.columns.map(\.value.path) + terms.groups + terms.order.map(\.value.path) { try access.requireSeen(path) }
    }

    /// The ids a query finds, as a statement to stand inside another.
    func ids(_ query: Query) throws(Rejection) -> SQL {
        let query = query.seen(in: catalog)
        try access.require(.view, query.module)
        guard let table = query.module.table else { throw .invalidModule() }
        let joins = Joins(catalog, access)
        let filter = try filter(query, joins)
        for module in joins.modules { try access.require(.view, module) }
        return
            "SELECT t.id FROM \(table) t\(.joined(joins.clauses, by: "")) WHERE \(filter) ORDER BY t.id LIMIT \(.integer(Int64(query.limit)))"
    }

    private func add(_ column: QueryTerms.Column, to select: inout Selection, _ grouped: inout [SQL], _ joins: Joins) {
        let key = JSONKey(column.name)
        switch column.value {
        case .aggregate(let function, let path):
            let (sql, form) = aggregate(function, path, joins)
            select.cell(form, key: key, column: select.add(sql))
        case .path(let path):
            guard let field = path.field else {
                let form: FieldType.CellForm = if case .moduleName = path.leaf { .moduleName } else { .text }
                return select.cell(form, key: key, column: select.add(joins.column(of: path)))
            }
            if field.type.cell == .territories {
                return select.cell(.territoryNames, key: key, column: select.add(RecordTerritories.json(of: "t.id")))
            }
            guard !field.columns.isEmpty else {
                return select.cell(.absent, key: key, column: field.apiName == "Tag" ? select.add(TagStore.tags(of: "t.id")) : -1)
            }
            if let cipher = field.cipher { return select.add(joins.columns(of: path), cipher, key: key) }
            let position = select.add(joins.column(of: path))
            guard field.type.cell == .lookup, field.type.dataType != "consent_lookup", let name = joins.displayName(of: path, field) else {
                return select.cell(field.type.cell.inTerms, key: key, column: position)
            }
            grouped.append(name)
            select.cell(.lookup, key: key, column: position, name: select.add(name))
        }
    }

    /// The engines disagree about the type of a sum; the casts make them say the same.
    private func aggregate(_ function: QueryTerms.Function, _ path: FieldPath, _ joins: Joins) -> (SQL, FieldType.CellForm) {
        let column = joins.column(of: path)
        let form = path.field?.type.cell ?? .text
        switch function {
        case .count: return ("count(\(column))", .number)
        case .average: return ("CAST(avg(\(column)) AS DOUBLE PRECISION)", .real)
        case .minimum: return ("min(\(column))", form)
        case .maximum: return ("max(\(column))", form)
        // Nine digits each: a sum that does not fit 64 bits would need more rows than there can be.
        case .sum where form == .number: return ("CAST(sum(\(column)) AS BIGINT)", .number)
        case .sum: return ("CAST(sum(CAST(\(column) AS DOUBLE PRECISION)) AS DOUBLE PRECISION)", .real)
        }
    }

    /// Ends in something that no two rows share.
    private func order(_ terms: QueryTerms, _ joins: Joins) -> SQL {
        var parts: [SQL] = []
        var named: Set<String> = []
        for key in terms.order {
            named.insert(key.value.identity)
            parts.append(order(key.value, descending: key.descending, joins))
        }
        if terms.isGrouped {
            for path in terms.groups where !named.contains(path.identity) { parts.append(order(.path(path), descending: false, joins)) }
        } else {
            parts.append("t.id ASC")
        }
        return parts.isEmpty ? "" : " ORDER BY \(.joined(parts, by: ", "))"
    }

    private func order(_ value: QueryTerms.Value, descending: Bool, _ joins: Joins) -> SQL {
        switch value {
        case .aggregate(let function, let path):
            return SQL(.orderKey(aggregate(function, path, joins).0, descending: descending, type: .integer))
        case .path(let path):
            let column = joins.column(of: path)
            // Never null, so that the engine may read it from the table's own order.
            if path.hops.isEmpty, path.field?.columns.first?.raw == "id" { return descending ? "\(column) DESC" : "\(column) ASC" }
            return SQL(.orderKey(column, descending: descending, type: path.foldsCase ? .text : .integer))
        }
    }
}

extension FieldPath {
    /// Whether values sort as words do. Dates are text too, and sort by their bytes.
    fileprivate var foldsCase: Bool {
        switch leaf {
        case .field(let field): [.text, .longText, .choice].contains(field.type.comparison)
        case .person: true
        case .moduleName: false
        }
    }
}

extension FieldType.CellForm {
    /// How a column without a display name of its own is shown among terms (`query-api.md`, last notes).
    fileprivate var inTerms: FieldType.CellForm {
        switch self {
        case .user: .person
        case .lookup, .anyLookup: .reference
        default: self
        }
    }
}
