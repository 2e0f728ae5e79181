import Metadata
import SQLStore
import Wire

/// Loads rows for writes.
extension Planner {
    /// Loads the rows a write may touch, locked in ascending order of id so that writers never wait in a circle.
    /// `locked: false` is for looking only, in read transactions. Rows to be changed may still be looked up by others; rows to be
    /// deleted, or `removing` some of them, may not. Rows for which `condition` does not hold are not there. Rows come with all
    /// their fields, whatever the caller sees of them.
    package func rows(
        _ ids: [RecordID], of module: Module, for operation: RecordOperation, where condition: Condition = .always, locked: Bool = true,
        removing: Bool = false, _ tx: Transaction
    ) throws -> LoadedRows {
        let module = module.whole
        guard let table = module.table, !ids.isEmpty else { return LoadedRows(for: operation) }
        let visible = access.rows(of: module, for: .view, alias: "t").map { " AND \($0)" as SQL }
        let level = operation.level == .read ? nil : access.level(of: module, alias: "t")
        let seen = catalog.module(id: module.id) ?? module
        let wanted = try ConditionSQL(catalog: catalog, module: seen, alias: "t", access: access).render(condition)
        let strength: SQL = removing || operation == .delete ? "\(.lockRows)" : "\(.lockRowsForChange)"
        let lock: SQL = locked ? strength : ""
        func statement(_ ids: [Int64]) -> SQL {
            let reach: SQL = level.map { ", \($0)" } ?? ""
            return """
                SELECT \(module.rowList)\(reach) FROM \(table) t WHERE \(.memberIDs("t.id", ids)) AND \(wanted)\(visible ?? "") ORDER BY t.id\(lock)
                """
        }
        let sql: RenderedSQL
        if case .always = condition, visible == nil, level == nil, ids.count <= Self.few {
            // The same for all who may touch every record.
            let key = SQLTemplates.Key("rows \(locked) \(removing || operation == .delete)", module.id.raw, count: ids.count)
            sql = catalog.whole.statements.statement(key, ids.map(\.raw), tx, statement)
        } else {
            sql = tx.rendered(statement(ids.map(\.raw)))
        }
        let types = module.storedColumns.map(\.type)
        var found: [RecordID: Record] = [:]
        var levels: [RecordID: AccessLevel] = [:]
        try tx.forEach(sql) { row in
            let record = Record(module, values: types.indices.map { row.value($0, as: types[$0]) })
            found[record.id] = record
            if level != nil { levels[record.id] = AccessLevel(rawValue: Int(row.integer(types.count) ?? 1)) ?? .read }
        }
        return LoadedRows(found, levels: levels, for: operation)
    }

    /// As many records as an ordinary merge has.
    private static let few = 3
}
