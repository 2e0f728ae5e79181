import Metadata
import SQLStore
import Wire

/// One list over records of several modules, such as the activities of a record. The queries share order, page and limit.
struct UnitedQueries {
    private struct Pick {
        let id: RecordID
        let key: Int64?
        let module: ModuleID
    }

    let queries: [Query]
    let planner: Planner

    /// The rows in their common order, and what the page was. A statement for the order and one for each module.
    func page(_ render: RenderContext, _ tx: Transaction) throws -> (rows: [JSONValue], page: RecordReader.Page) {
        guard let first = queries.first else { return ([], RecordReader.Page()) }
        var picks = try tx.rows(sql(first)) { row in
            Pick(id: RecordID(raw: row.integer(0) ?? 0), key: row.integer(1), module: ModuleID(raw: row.integer(2) ?? 0))
        }
        if case .before = first.page { picks.reverse() }
        let shown = Array(picks.prefix(first.limit))
        var found: [RecordID: JSONValue] = [:]
        for query in queries {
            let ids = shown.filter { $0.module == query.module.id }.map(\.id)
            guard !ids.isEmpty else { continue }
            for row in try rows(ids, query, render, tx) {
                if let id = row["id"]?.looseInt64 { found[RecordID(raw: id)] = row }
            }
        }
        var page = RecordReader.Page()
        page.count = shown.count
        page.more = picks.count > shown.count
        page.first = shown.first.map { .init(key: $0.key, id: $0.id) }
        page.last = shown.last.map { .init(key: $0.key, id: $0.id) }
        return (shown.compactMap { found[$0.id] }, page)
    }

    private func rows(_ ids: [RecordID], _ query: Query, _ render: RenderContext, _ tx: Transaction) throws -> [JSONValue] {
        var query = query
        query.filter = .ids(ids)
        query.page = .offset(0)
        query.order = .init(field: "id", descending: false)
        var json = JSONWriter(capacity: 4096)
        json.beginArray()
        let plan = try planner.plan(query)
        _ = try RecordReader.write(plan, render, tx, to: &json)
        json.endArray()
        return try JSONValue.parse(json.finish()).array ?? []
    }

    private func sql(_ first: Query) throws(Rejection) -> SQL {
        var parts: [SQL] = []
        for query in queries {
            try planner.access.require(.view, query.module)
            guard let table = query.module.table else { continue }
            let column: SQL = query.module.field(query.order.field)?.columns.first.map { "\($0, of: "t")" } ?? "t.id"
            let filter = try planner.filter(query)
            let module = SQL.literal(query.module.id.raw)
            parts.append("SELECT t.id AS id, \(column) AS k, \(module) AS m FROM \(table) t WHERE \(filter)")
        }
        var descending = first.order.descending
        var limit = first.limit + 1
        var skipped = 0
        switch first.page {
        case .offset(let count): skipped = count
        case .after: break
        case .before:
            descending.toggle()
            limit = first.limit
        }
        let direction: SQL = descending ? " DESC" : " ASC"
        return """
            SELECT u.id, u.k, u.m FROM (\(.joined(parts, by: " UNION ALL "))) u ORDER BY u.k\(direction), u.id\(direction) \
            LIMIT \(.integer(Int64(limit))) OFFSET \(.integer(Int64(skipped)))
            """
    }
}

extension RecordQueries {
    /// Rows of several modules as the elements of one JSON array, brackets included, and what the page was.
    package func page(united queries: [Query]) async throws -> (records: [UInt8], page: RecordReader.Page) {
        let united = UnitedQueries(queries: queries, planner: Planner(catalog, access))
        let render = render
        return try await read { tx in
            let (rows, page) = try united.page(render, tx)
            return (JSONValue.array(rows).encoded(), page)
        }
    }

    /// The invitations of an event; `nil` when the event is not there for the caller.
    package func invitees(of id: RecordID, in module: Module) async throws -> [JSONValue]? {
        try access.require(.view, module)
        let planner = Planner(catalog, access)
        return try await read { tx -> [JSONValue]? in
            let rows = try planner.rows([id], of: module, for: .view, locked: false, tx)
            return rows[id]?.list("Participants")
        }
    }
}
