import Metadata
import SQLStore
import Wire

/// Where the rows of a query come from: tables and indexes, conditions, order and page.
extension Planner {
    /// A plan that counts what `query` would find.
    package func count(_ query: Query) throws(Rejection) -> SQL {
        try access.require(.view, query.module)
        guard let table = query.module.table else { throw Rejection(.invalidModule, .resourcePathIndex(0)) }
        var query = query.seen(in: catalog)
        query.words = nil
        let source = try source(query, table)
        return "SELECT count(*) FROM \(source.from) WHERE \(source.filter)"
    }

    /// Where a query's rows come from, which of them, and in which order.
    struct Source {
        let from: SQL
        let filter: SQL
        let order: SQL
    }

    /// The search index leads where it can: it hands out few rows, in the order of their ids.
    func source(_ query: Query, _ table: TableName) throws(Rejection) -> Source {
        let filter = try filter(query)
        let order = orderSQL(query.order, query.module)
        let index = SearchIndex.table
        let grams = SearchGrams(module: query.module).required(by: query.filter)
        var source = Source(from: "\(table) t", filter: filter, order: order)
        if let grams {
            let byIndex: SQL = query.order.descending ? "\(index).rowid DESC" : "\(index).rowid"
            source = Source(
                from: "\(index) JOIN \(table) t ON t.id = \(index).rowid", filter: "\(.holdsGrams(index, grams)) AND \(filter)",
                order: query.order.field == "id" ? byIndex : order)
        }
        if case .before = query.page {
            // Going back, the nearest rows are found in reverse; the statement around them puts them in order again.
            let reversed = orderSQL(query.order.reversed, query.module)
            let most = SQLValue.integer(Int64(query.limit))
            let nearest: SQL = "SELECT t.id FROM \(source.from) WHERE \(source.filter) ORDER BY \(reversed) LIMIT \(most)"
            return Source(from: "\(table) t", filter: "t.id IN (\(nearest))", order: order)
        }
        guard let words = query.words else { return source }
        let newest: SQL =
            grams.map { newestPassing($0, table, filter) }
            ?? "SELECT t.id FROM \(source.from) WHERE \(source.filter) ORDER BY \(source.order)"
        return Source(
            from: "\(table) t", filter: "t.id IN (\(words.candidates(newest, table, query.module, where: filter)))",
            order: words.rank(query.module).map { "\($0), t.id DESC" } ?? "t.id DESC")
    }

    /// The ids of records that pass, newest first, tested one by one in that order. Two letters are in every tenth record, and no
    /// statistics say that whatever passes the index passes `filter`: as a join, PostgreSQL tests the whole table.
    private func newestPassing(_ grams: GramTest, _ table: TableName, _ filter: SQL) -> SQL {
        let index = SearchIndex.table
        return """
            SELECT g.id FROM (SELECT \(index).rowid AS id FROM \(index) WHERE \(.holdsGrams(index, grams)) ORDER BY \(index).rowid DESC) g \
            WHERE (SELECT 1 FROM \(table) t WHERE t.id = g.id AND \(filter)) = 1 ORDER BY g.id DESC
            """
    }

    /// Conditions on what lookups lead to need `joins`.
    func filter(_ query: Query, _ joins: Joins? = nil) throws(Rejection) -> SQL {
        var parts = [
            try ConditionSQL(catalog: catalog, module: query.module, alias: "t", access: access, joins: joins).render(query.filter)
        ]
        if let visible = access.rows(of: query.module, for: .view, alias: "t") { parts.append(visible) }
        switch query.page {
        case .offset: break
        case .after(let key, let id): parts.append(beyond(query.order, query.module, key, id))
        case .before(let key, let id): parts.append(beyond(query.order.reversed, query.module, key, id))
        }
        return .joined(parts, by: " AND ")
    }

    /// Rows after one in the given order. Empty sort values stand last when ascending and first when descending, as `orderKey` has it.
    private func beyond(_ order: Query.Order, _ module: Module, _ key: Int64?, _ id: RecordID) -> SQL {
        guard order.field != "id", let column = module.field(order.field)?.columns.first else {
            return order.descending ? "t.id < \(id)" : "t.id > \(id)"
        }
        let name: SQL = "\(column, of: "t")"
        guard let key else {
            return order.descending ? "(\(name) IS NOT NULL OR (\(name) IS NULL AND t.id < \(id)))" : "(\(name) IS NULL AND t.id > \(id))"
        }
        let value = SQLValue.integer(key)
        return order.descending
            ? "(\(name) < \(value) OR (\(name) = \(value) AND t.id < \(id)))"
            : "(\(name) > \(value) OR \(name) IS NULL OR (\(name) = \(value) AND t.id > \(id)))"
    }

    private func orderSQL(_ order: Query.Order, _ module: Module) -> SQL {
        let direction: SQL = order.descending ? " DESC" : " ASC"
        guard order.field != "id", let column = module.field(order.field)?.columns.first else { return "t.id\(direction)" }
        return "\(column, of: "t")\(direction), t.id\(direction)"
    }
}
