import Metadata
import SQLStore
import Wire

/// Asks about records on behalf of a caller, each question in one read transaction.
package struct RecordQueries: Sendable {
    private let services: Services
    let catalog: Catalog
    let access: AccessPolicy
    let zone: TimeZoneRule

    package init(_ services: Services, _ catalog: Catalog, _ access: AccessPolicy, zone: TimeZoneRule) {
        self.services = services
        self.catalog = catalog
        self.access = access
        self.zone = zone
    }

    /// One read transaction, for the questions other files add.
    func read<T: Sendable>(_ body: @Sendable @escaping (Transaction) throws -> T) async throws -> T {
        try await services.database.run(.read, body)
    }

    /// How values are shown to this caller.
    var render: RenderContext { services.render(catalog, zone) }

    /// Rows as the elements of a JSON array, brackets included, and what the page was.
    package func page(_ query: Query) async throws -> (records: [UInt8], page: RecordReader.Page) {
        let plan = try Planner(catalog, access).plan(query)
        let render = services.render(catalog, zone)
        return try await services.database.run(.read) { tx in
            var json = JSONWriter(capacity: 4096)
            json.beginArray()
            var page = try RecordReader.write(plan, render, tx, to: &json)
            json.endArray()
            // A ranked page cannot go on from a row.
            if query.words != nil { (page.first, page.last) = (nil, nil) }
            return (json.finish(), page)
        }
    }

    /// One record as it is fetched by itself, or nothing. The rows that hang on it cost one statement for each field that holds some.
    package func single(_ query: Query, _ id: RecordID) async throws -> [UInt8]? {
        var query = query
        query.depth = .single
        query.filter = query.filter.and(.ids([id]))
        let planner = Planner(catalog, access)
        let plan = try planner.plan(query)
        let render = services.render(catalog, zone)
        let rowPlans = try plan.rows.map { try planner.plan($0.query(of: id, in: plan.module)) }
        return try await services.database.run(.read) { tx in
            let rows = try RowValues(rowPlans, render, tx)
            var json = JSONWriter(capacity: 4096)
            let page = try RecordReader.write(plan, render, tx, rows: rows, to: &json)
            return page.count == 0 ? nil : json.finish()
        }
    }

    package func count(_ query: Query) async throws -> Int64 {
        let sql = try Planner(catalog, access).count(query)
        return try await services.database.run(.read) { tx in try tx.first(sql) { $0.integer(0) ?? 0 } ?? 0 }
    }

    /// Whether a record is there, and there for the caller.
    package func exists(_ id: RecordID, in module: Module) async throws -> Bool {
        try await count(Query(module, fields: [], filter: .ids([id]), limit: 1)) > 0
    }

    /// The records that hold given values of a unique field, by value.
    package func ids(of values: [String], in field: Field, of module: Module) async throws -> [String: RecordID] {
        try access.require(.view, module)
        let user = access.user
        return try await services.database.run(.read) { tx in
            let holders = try UniqueValues(field, module, for: user).holders(of: values.map(SQLValue.text), tx)
            return Dictionary(
                values.compactMap { value in
                    (holders[UniqueValues.key(.text(value))]?.first).map { (value, $0.id) }
                }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// The record that a merged one went into, if the caller sees it.
    package func successor(of id: RecordID, in module: Module) async throws -> RecordID? {
        try await services.database.run(.read) { tx in
            guard let found = try Graves.successor(of: id, in: module.id, tx) else { return nil }
            return try access.rows([found], of: module, for: .view, tx).first
        }
    }

    /// What left a module, newest first.
    package func deleted(from module: Module, _ kinds: [Graves.Kind], since: Instant?, skipping: Int, limit: Int) async throws -> [Graves
        .Listed]
    {
        try access.require(.view, module)
        return try await services.database.run(.read) { tx in
            try Graves.list(of: module, kinds, since: since, skipping: skipping, limit: limit, access, tx)
        }
    }
}
