import Metadata
import SQLStore
import Wire

/// What a change of a field means for the records that are there.
enum ExistingRecords {
    /// A field becomes unique only when no two records hold the same value; converted ones do not count, as in the index.
    static func refuseRepeated(_ field: Field, of module: Module, _ item: JSONCursor, _ tx: Transaction) throws {
        guard let table = module.table, let column = field.columns.first else { return }
        let open: SQL = module.convertedField?.columns.first.map { " AND (\($0) IS NULL OR \($0) = 0)" } ?? ""
        let value: SQL = field.type.storage == [.text] ? "\(.folded("\(column)"))" : "\(column)"
        let found = try tx.first(
            "SELECT min(id) FROM \(table) WHERE \(column) IS NOT NULL\(open) GROUP BY \(value) HAVING count(*) > 1 LIMIT 1"
        ) { RecordID(raw: $0.integer(0) ?? 0) }
        guard let found else { return }
        throw Rejection(
            .notAllowed, message: "records hold the same value in this field", .apiName("unique"), .jsonPath(item.path.appending("unique")),
            .id(found))
    }

    /// Numbers the records of a new autonumber field in the order they were made, and leaves the counter behind the last.
    static func number(_ id: FieldID, of module: ModuleID, _ catalog: Catalog, _ tx: Transaction) throws {
        guard let module = catalog.module(id: module), let table = module.table, let field = module.field(id),
            let column = field.columns.first
        else { return }
        let settings = field.body["auto_number"] ?? [:]
        let first = settings["start_number"]?.looseInt64 ?? 1
        let count = try tx.first("SELECT count(*) FROM \(table)") { $0.integer(0) ?? 0 } ?? 0
        guard count > 0 else { return }
        _ = try Counters.take(Int(count), of: AutonumberRule.counter(field), startingAt: first, tx)
        let prefix = settings["prefix"]?.string ?? ""
        let suffix = settings["suffix"]?.string ?? ""
        let before = SQLValue.integer(first - 1)
        let numbered: SQL = "SELECT id AS row_id, row_number() OVER (ORDER BY id) + \(before) AS n FROM \(table)"
        try tx.execute(
            """
            UPDATE \(table) SET \(column) = \(.text(prefix)) || \(.textOf("r.n")) || \(.text(suffix)) FROM (\(numbered)) r WHERE \(table).id = r.row_id
            """)
    }
}
