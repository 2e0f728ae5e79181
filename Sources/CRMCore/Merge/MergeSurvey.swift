import Metadata
import SQLStore
import Wire

/// What the database knows that a plan needs: how much hangs on each child, and where chains upward lead.
struct MergeSurvey {
    let request: MergeRequest
    let scope: WriteScope

    /// One statement: for every lookup that may point at a child, and each child, how many rows do. Counting stops one past the limit.
    func moves() throws -> [MergePlan.Move] {
        let inbound = scope.catalog.inbound(to: request.module.id)
        let most = SQLValue.integer(Int64(MergePlan.synchronousLimit + 1))
        var counts: [SQL] = []
        for (index, entry) in inbound.enumerated() {
            guard let table = entry.module.table else { continue }
            for (child, record) in request.children.enumerated() {
                let held = MergeRows(entry.field, request).held(by: record.id, alias: "t")
                counts.append("SELECT \(.literal(Int64(index))), \(.literal(Int64(child))), (SELECT count(*) FROM (SELECT 1 FROM \(table) t WHERE \(held) LIMIT \(most)) q)")
            }
        }
        guard !counts.isEmpty else { return [] }
        var found: [Int: [Int]] = [:]
        try scope.tx.forEach(.joined(counts, by: " UNION ALL ")) { row in
            let count = Int(row.integer(2) ?? 0)
            guard count > 0 else { return }
            found[Int(row.integer(0) ?? 0), default: Array(repeating: 0, count: request.children.count)][Int(row.integer(1) ?? 0)] = count
        }
        return found.sorted { $0.key < $1.key }.map { MergePlan.Move(module: inbound[$0.key].module.id, field: inbound[$0.key].field.id, counts: $0.value) }
    }

    /// The lookups into the module itself along which the survivor would become its own ancestor.
    func loops() throws -> Set<FieldID> {
        guard let table = request.module.table else { return [] }
        let survivor = MergePlan.survivor(of: request, scope.catalog)
        let participants = Set(request.participants.map(\.id.raw))
        var found: Set<FieldID> = []
        for field in request.module.fields where field.target == request.module.id {
            guard let column = field.columns.first, let start = survivor[field].integer else { continue }
            // UNION drops repeats, so a loop that is there already ends too.
            let chain: SQL = """
                WITH RECURSIVE chain (id) AS (SELECT \(.literal(start)) UNION SELECT t.\(column) FROM \(table) t JOIN chain c ON t.id = c.id \
                WHERE t.\(column) IS NOT NULL) SELECT id FROM chain
                """
            if try scope.tx.rows(chain, { $0.integer(0) ?? 0 }).contains(where: participants.contains) { found.insert(field.id) }
        }
        return found
    }

    /// Rule 30: a unique value taken from a child that a record outside the merge holds too.
    func refuseTakenValues() throws {
        let participants = Set(request.participants.map(\.id))
        for field in request.module.fields where field.unique {
            guard case .child(let index) = request.sources[field.id] else { continue }
            let value = request.children[index][field]
            guard !value.isNull else { continue }
            let others = try UniqueValues(field, request.module).holders(of: [value], scope.tx)[UniqueValues.key(value)] ?? []
            let outside = others.filter { !participants.contains($0.id) }
            if let holder = outside.first {
                let path = request.paths[field.id] ?? JSONPath()
                throw MergeRefusal.wrapped(holder.clash(field, request.module, more: outside.count > 1, at: path, scope.catalog))
            }
        }
    }
}

/// The rows of one lookup that a merge moves, as SQL.
struct MergeRows {
    private let field: Field
    private let request: MergeRequest

    init(_ field: Field, _ request: MergeRequest) {
        self.field = field
        self.request = request
    }

    func held(by id: RecordID, alias: String) -> SQL { "\(first, of: alias) = \(id)\(ofModule(alias))" }

    /// Rows that hold any of `ids`.
    func held(byAny ids: [RecordID], alias: String) -> SQL {
        "\(first, of: alias) IN (\(.joined(ids.map { "\($0)" }, by: ", ")))\(ofModule(alias))"
    }

    /// The rows that move. Those of the merged module that take part are left out: children go, and the master is written last.
    func moving(of module: Module, alias: String) -> SQL {
        let rows = held(byAny: request.children.map(\.id), alias: alias)
        guard module.id == request.module.id else { return rows }
        return "\(rows) AND \("id", of: alias) NOT IN (\(.joined(request.participants.map { "\($0.id)" }, by: ", ")))"
    }

    private var first: ColumnName { field.columns.first ?? "id" }

    private func ofModule(_ alias: String) -> SQL {
        field.isAnyLookup && field.columns.count == 2 ? " AND \(field.columns[1], of: alias) = \(.literal(request.module.id.raw))" : ""
    }
}
