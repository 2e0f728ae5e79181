import Metadata
import SQLStore
import Wire

/// Records of a module in ascending order of id, a column for each name: what a bulk read asks.
package struct ExportQuery: Sendable {
    package struct Column: Sendable {
        let name: String
        let source: Source

        /// Whether records differ in it by a field of their own, so that it can be tested.
        package var isField: Bool { if case .path = source { true } else { false } }
    }

    enum Source: Sendable {
        case path(FieldPath)
        case tags
        /// The same in every row.
        case constant(String)
    }

    package enum Problem: Error { case unknown, notExported, tooDeep }

    package let module: Module
    package let columns: [Column]
    package let filter: Condition

    /// The modules that lookups are followed into.
    package var followed: [Module] {
        let paths = columns.compactMap { column in if case .path(let path) = column.source { path } else { nil } } + filter.paths
        return paths.flatMap(\.hops).map(\.module)
    }

    /// The column of that name: a field, a field that lookups lead to, or a system key.
    package static func column(_ name: String, of module: Module, _ catalog: Catalog) throws(Problem) -> Column {
        if name.hasPrefix("$") { return try systemKey(name, module) }
        if name == "Tag" { return Column(name: name, source: .tags) }
        let steps = name.split(separator: ".", omittingEmptySubsequences: false).map { FieldPath.Step(String($0)) }
        let path: FieldPath
        do throws(FieldPath.Problem) {
            path = try FieldPath(steps, from: module, catalog)
        } catch {
            throw error == .tooDeep ? .tooDeep : .unknown
        }
        if let field = path.field, field.columns.isEmpty { throw .notExported }
        return Column(name: name, source: .path(path))
    }

    private static func systemKey(_ name: String, _ module: Module) throws(Problem) -> Column {
        // Some have a field behind them.
        if name == "$converted", let field = module.field("Converted__s") { return Column(name: name, source: .path(FieldPath(field))) }
        guard let value = RecordReader.constant(name)?.value else { throw .unknown }
        let text: String? =
            switch value {
            case .null: ""
            case .string(let text), .number(let text): text
            case .bool(let flag): flag ? "true" : "false"
            case .array, .object: nil
            }
        guard let text else { throw .notExported }
        return Column(name: name, source: .constant(text))
    }

    /// Everything a record holds in its own row, and its tags.
    package static func columns(of module: Module) -> [Column] {
        module.fields.compactMap { field in
            if field.apiName == "Tag" { return Column(name: "Tag", source: .tags) }
            guard !field.columns.isEmpty, field.columns[0].raw != "id" else { return nil }
            return Column(name: field.apiName, source: .path(FieldPath(field)))
        }
    }
}

/// An export with its statement made. Only the planner makes one.
struct ExportPlan: Sendable {
    enum Form: Sendable {
        case text, whole, real, flag, instant, choices, tags, module
        case constant([UInt8])
        /// Of an encrypted field; the plain column, where there is one, stands behind all others.
        case sealed(FieldCipher, plain: Int?)
    }

    let sql: SQL
    /// The form of each column behind the id.
    let forms: [Form]
    let limit: Int
}

extension Planner {
    /// Refuses what no statement can be made of.
    package func check(_ query: ExportQuery) throws(Rejection) { _ = try export(query, after: nil, skipping: 0, limit: 1) }

    /// The next rows of an export. Lookups to what is gone, or hidden from the caller, are empty, as they are in lists.
    func export(_ query: ExportQuery, after: RecordID?, skipping: Int64, limit: Int) throws(Rejection) -> ExportPlan {
        try access.require(.view, query.module)
        try access.require(.exporting, query.module)
        guard let table = query.module.table else { throw .invalidModule() }
        let joins = Joins(catalog, access)
        var columns: [SQL] = ["t.id"]
        var forms: [ExportPlan.Form] = []
        var behind: [SQL] = []
        for column in query.columns {
            switch column.source {
            case .constant(let text):
                forms.append(.constant(Array(text.utf8)))
                columns.append("NULL")
            case .tags:
                forms.append(.tags)
                columns.append(TagStore.tags(of: "t.id"))
            case .path(let path):
                try access.requireSeen(path)
                if let cipher = path.field?.cipher {
                    let both = joins.columns(of: path)
                    columns.append(both[0])
                    behind += both.dropFirst()
                    forms.append(.sealed(cipher, plain: both.count > 1 ? query.columns.count + behind.count : nil))
                    continue
                }
                forms.append(form(of: path))
                columns.append(exported(path, joins))
            }
        }
        var asked = Query(query.module, fields: [], filter: query.filter, order: .init(field: "id", descending: false)).seen(in: catalog)
        if let after { asked.page = .after(key: nil, id: after) }
        let filter = try filter(asked, joins)
        for module in joins.modules { try access.require(.view, module) }
        // SQLite joins 64 tables at most.
        guard joins.clauses.count < 60 else { throw Rejection(.joinLimitExceeded, .other("max_limit", "60")) }
        let offset: SQL = skipping > 0 ? " OFFSET \(.integer(skipping))" : ""
        let sql: SQL = """
            SELECT \(.joined(columns + behind, by: ", ")) FROM \(table) t\(.joined(joins.clauses, by: "")) WHERE \(filter) ORDER BY t.id \
            LIMIT \(.integer(Int64(limit) + 1))\(offset)
            """
        return ExportPlan(sql: sql, forms: forms, limit: limit)
    }

    private func exported(_ path: FieldPath, _ joins: Joins) -> SQL {
        let column = joins.column(of: path)
        guard case .field(let field) = path.leaf, field.type.cell == .lookup, let target = field.target.flatMap({ catalog.module(id: $0) }),
            let table = target.table
        else { return column }
        let visible: SQL = access.rows(of: target, for: .view, alias: "n").map { " AND \($0)" } ?? ""
        return "(SELECT n.id FROM \(table) n WHERE n.id = \(column)\(visible))"
    }

    private func form(of path: FieldPath) -> ExportPlan.Form {
        switch path.leaf {
        case .person: return .text
        case .moduleName: return .module
        case .field(let field):
            switch field.type.cell {
            case .digits, .number, .lookup, .user, .anyLookup, .layout, .person, .reference: return .whole
            case .moduleName: return .module
            case .real: return .real
            case .flag: return .flag
            case .instant: return .instant
            case .json: return field.type.comparison == .choices ? .choices : .text
            case .text, .files, .images, .territories, .territoryNames, .absent, .open, .close, .rows, .sealed: return .text
            }
        }
    }
}
