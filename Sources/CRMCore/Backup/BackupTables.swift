import Metadata
import SQLStore
import Wire

/// Which tables a backup holds, and how their values are written. Found from the catalog and the database itself, so that a new
/// table needs no line here.
struct BackupTables {
    struct Column: Sendable {
        /// What the first line of the file calls it.
        let title: String
        let name: ColumnName
        let form: RawCSV.Form
    }

    struct Table: Sendable {
        let name: TableName
        /// The file inside the archive.
        let path: String
        let columns: [Column]
        /// A key that numbers itself.
        let numbered: ColumnName?
        /// Rows that stay out are those this does not hold for.
        let condition: SQL
    }

    /// What belongs to a process or a moment, is made anew from the rest, or lies in the other archives.
    private static let leftOut: Set<String> = [
        "sys_migration", "sys_process", "sys_catalog_version", "sys_credit", "sys_idempotency", "sys_file_chunk", "sys_blob", "sys_backup",
        "sys_backup_log", "sys_backup_file",
    ]

    static func all(_ catalog: Catalog, _ tx: Transaction) throws -> [Table] { try fixed(tx) + records(catalog) }

    static func records(_ catalog: Catalog) -> [Table] {
        catalog.modules.compactMap { module in
            module.table.map { table in
                Table(name: table, path: "modules/\(module.apiName).csv", columns: columns(of: module), numbered: nil, condition: "1 = 1")
            }
        }
    }

    private static func columns(of module: Module) -> [Column] {
        var titles: [ColumnName: (String, RawCSV.Form)] = [:]
        for field in module.fields {
            for (index, column) in field.storedColumns.enumerated() {
                let title = index == 0 ? field.apiName : "\(field.apiName).\(index + 1)"
                titles[column.name] = (title, field.type.cell == .instant ? .instant : .plain(column.type))
            }
        }
        return module.storedColumns.map { column in
            let known = titles[column.name] ?? ("$" + column.name.raw, .plain(column.type))
            return Column(title: known.0, name: column.name, form: known.1)
        }
    }

    /// The tables that every organisation has, as this database has them.
    static func fixed(_ tx: Transaction) throws -> [Table] {
        let found = try tx.rows(
            """
            SELECT s.table_name, s.column_name, s.type_name, s.numbered FROM \(.schemaColumns) s \
            WHERE s.table_name LIKE 'sys!_%' ESCAPE '!' ORDER BY s.table_name, s.position LIMIT 5000
            """
        ) { row in (table: row.text(0) ?? "", column: row.text(1) ?? "", type: row.text(2) ?? "", numbered: row.integer(3) == 1) }
        let search = SearchIndex.table.raw
        var tables: [Table] = []
        for (name, rows) in Dictionary(grouping: found, by: \.table).sorted(by: { $0.key < $1.key }) {
            guard !leftOut.contains(name), name != search, !name.hasPrefix(search + "_"), let table = TableName(checked: name) else {
                continue
            }
            let columns = rows.compactMap { row in
                ColumnName(checked: row.column).flatMap { name in
                    columnType(row.type).map { Column(title: row.column, name: name, form: .plain($0)) }
                }
            }
            tables.append(
                Table(
                    name: table, path: "system/\(name).csv", columns: columns,
                    numbered: rows.first(where: \.numbered).flatMap { ColumnName(checked: $0.column) }, condition: condition(name)))
        }
        return tables
    }

    private static func columnType(_ name: String) -> ColumnType? {
        switch name {
        case "integer", "bigint": .integer
        case "real", "double precision": .real
        case "text": .text
        case "blob", "bytea": .blob
        default: nil
        }
    }

    /// Uploads that no record holds are not kept; backups and audit exports are asked for again.
    private static func condition(_ table: String) -> SQL {
        switch table {
        case "sys_file": "expires_at IS NULL"
        case "sys_job": "NOT \(.memberTexts("kind", [BackupJob.kind, AuditExportJob.kind]))"
        case "sys_metadata": "kind <> \(.text(Document.Kind.retired.name))"
        default: "1 = 1"
        }
    }
}
