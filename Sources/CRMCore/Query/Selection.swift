import Metadata
import SQLStore
import Wire

/// The columns, joins and cells of a plan while it grows.
struct Selection {
    let catalog: Catalog
    let access: AccessPolicy
    var columns: [SQL] = []
    var joins: [SQL] = []
    var cells: [QueryPlan.Cell] = []
    var keys: [UInt8] = []
    private(set) var rows: [RowField] = []
    private(set) var ciphers: [FieldCipher] = []
    private let depth: Query.Depth
    private var lookups = 0
    /// Whose own values are shown.
    var user = UserID(raw: 0)

    init(catalog: Catalog, access: AccessPolicy, depth: Query.Depth = .list) {
        self.catalog = catalog
        self.access = access
        self.depth = depth
    }

    @discardableResult
    mutating func add(_ column: SQL) -> Int {
        columns.append(column)
        return columns.count - 1
    }

    mutating func addID() -> Int {
        let column = add("t.id")
        cell(.digits, key: JSONKey("id"), column: column)
        return column
    }

    mutating func column(for name: String, of module: Module) -> Int {
        add(module.field(name)?.columns.first.map { "\($0, of: "t")" } ?? "t.id")
    }

    mutating func add(_ field: Field) {
        guard let first = field.columns.first else {
            if field.isPerUser { return cell(.text, key: field.key, column: add(ExternalValues.value(of: "t.id", field, for: user))) }
            if depth == .single, let found = RowField(field, catalog) {
                rows.append(found)
                return cell(.rows, key: field.key, column: rows.count - 1)
            }
            if field.holdsFiles { return cell(field.type.cell, key: field.key, column: add(FieldFiles.json(of: "t.id", field))) }
            if field.type.cell == .territories {
                return cell(.territories, key: field.key, column: add(RecordTerritories.json(of: "t.id")))
            }
            return cell(.absent, key: field.key, column: field.apiName == "Tag" ? add(TagStore.tags(of: "t.id")) : -1)
        }
        if let cipher = field.cipher { return add(field.columns.map { "\($0, of: "t")" }, cipher, key: field.key) }
        let column = add("\(first, of: "t")")
        switch field.type.cell {
        case .lookup:
            guard let target = field.target.flatMap({ catalog.module(id: $0) }), let table = target.table,
                target.whole.displayColumn != nil
            else {
                return cell(.digits, key: field.key, column: column)
            }
            lookups += 1
            let alias = "j\(lookups)"
            // A record that the caller does not see reads like one that is gone.
            let visible = access.rows(of: target, for: .view, alias: alias).map { " AND \($0)" as SQL } ?? ""
            joins.append(" LEFT JOIN \(table) \(SQL.alias(lookups)) ON \("id", of: alias) = \(first, of: "t")\(visible)")
            guard let display = target.displayColumn else { return addNameless(field, alias) }
            if depth == .row, field.apiName == "Product_Name", let code = target.field("Product_Code")?.columns.first {
                return addProduct(field, alias, display, code)
            }
            cell(.lookup, key: field.key, column: column, name: add("\(display, of: alias)"))
        case .anyLookup where field.columns.count == 2:
            let name = add(anyName(first, field.columns[1]))
            // The module's number follows the name's column.
            add("\(field.columns[1], of: "t")")
            cell(
                field.type.dataType == "multi_module_lookup" || field.apiName == "Parent_Id" ? .anyLookup : .lookup, key: field.key,
                column: column, name: name)
        default:
            cell(field.type.cell, key: field.key, column: column)
        }
        if field.apiName == "What_Id" { cell(.moduleName, key: JSONKey("$se_module"), column: columns.count - 1) }
    }

    /// The columns of an encrypted field, one behind the other.
    mutating func add(_ sealed: [SQL], _ cipher: FieldCipher, key: JSONKey) {
        let positions = sealed.map { add($0) }
        ciphers.append(cipher)
        cell(.sealed, key: key, column: positions.first ?? -1, name: ciphers.count - 1)
    }

    /// A record whose name is hidden from the caller.
    private mutating func addNameless(_ field: Field, _ alias: String) {
        let id: SQL = "\("id", of: alias)"
        let shown = SQL(.jsonObject([("name", "NULL"), ("id", "\(.textOf(id))")]))
        cell(.json, key: field.key, column: add("CASE WHEN \(id) IS NULL THEN NULL ELSE \(shown) END"))
    }

    /// Whether the caller may change each record, as a number; `nil` when every one.
    func editable(_ module: Module) -> SQL? {
        guard access.may(.edit, module) else { return "0" }
        return access.level(of: module, alias: "t").map { "CASE WHEN \($0) > 1 THEN 1 ELSE 0 END" }
    }

    /// What differs from record to record behind a system key: how much of it the caller may touch, what hangs on it. False for other
    /// keys, and where there is nothing to tell.
    mutating func add(right name: String, of module: Module) -> Bool {
        switch name {
        case "$editable":
            guard let editable = editable(module) else { return false }
            cell(.flag, key: JSONKey(name), column: add(editable))
        case "$sharing_permission":
            guard let level = access.level(of: module, alias: "t") else { return false }
            let word: SQL = "CASE \(level) WHEN 3 THEN 'full_access' WHEN 2 THEN 'read_write' ELSE 'read_only' END"
            cell(.text, key: JSONKey(name), column: add(word))
        case "$attachments":
            guard module.apiName == "Notes", let attachments = noteAttachments() else { return false }
            cell(.json, key: JSONKey(name), column: add(attachments))
        default: return false
        }
        return true
    }

    /// The files of a note; nothing where it has none.
    private func noteAttachments() -> SQL? {
        guard let attachments = catalog.module("Attachments"), access.may(.view, attachments), let table = attachments.table,
            let parent = attachments.field("Parent_Id")?.columns.first, let name = attachments.field("File_Name")?.columns.first,
            let size = attachments.field("Size")?.columns.first
        else { return nil }
        let id: SQL = "\("id", of: "a")"
        let list = SQL(
            .jsonArray([
                ("id", "\(.textOf(id))"), ("File_Name", SQL(name, of: "a")), ("Size", "\(.textOf(SQL(size, of: "a")))"),
            ]))
        let files: SQL = "\(table) a WHERE \(parent, of: "a") = t.id"
        return """
            CASE WHEN EXISTS (SELECT 1 FROM \(files)) THEN \
            (SELECT \(list) FROM (SELECT a.id, \(name, of: "a"), \(size, of: "a") FROM \(files) ORDER BY a.id) a) END
            """
    }

    /// A product in a line shows its code too (`metadata/types.md`, "Special JSON").
    private mutating func addProduct(_ field: Field, _ alias: String, _ name: ColumnName, _ code: ColumnName) {
        let id: SQL = "\("id", of: alias)"
        let shown = SQL(.jsonObject([("Product_Code", SQL(code, of: alias)), ("name", SQL(name, of: alias)), ("id", "\(.textOf(id))")]))
        cell(.json, key: field.key, column: add("CASE WHEN \(id) IS NULL THEN NULL ELSE \(shown) END"))
    }

    /// Rows of a subform say that they can be changed (`endpoints/subforms.md`, 184).
    mutating func addEditable() { cell(.flag, key: JSONKey("$editable"), column: add("1")) }

    /// The display name behind a lookup that may point into any module: one indexed probe, in the table its module number names.
    private func anyName(_ id: ColumnName, _ module: ColumnName) -> SQL {
        let branches = catalog.modules.compactMap { candidate -> SQL? in
            guard let table = candidate.table, let display = candidate.displayColumn, candidate.generatedType != "linking" else {
                return nil
            }
            let visible = access.rows(of: candidate, for: .view, alias: "n").map { " AND \($0)" as SQL } ?? ""
            return " WHEN \(SQL.literal(candidate.id.raw)) THEN (SELECT n.\(display) FROM \(table) n WHERE n.id = \(id, of: "t")\(visible))"
        }
        return "CASE \(module, of: "t")\(.joined(branches, by: "")) END"
    }

    mutating func cell(_ form: FieldType.CellForm, key: JSONKey, column: Int, name: Int = -1) {
        cells.append(
            .init(
                form: form, column: Int32(column), name: Int32(name), keyStart: Int32(keys.count), keyLength: Int32(key.escaped.count)))
        keys += key.escaped
    }
}
