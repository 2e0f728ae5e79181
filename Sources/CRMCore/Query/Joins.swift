import Metadata
import SQLStore
import Wire

/// The lookups that one statement follows from its base table `t`, each joined once. A class because the select list,
/// the condition and the order add to it in turn.
final class Joins {
    /// From here on names are looked up one by one, so that what must be joined finds room (SQLite: 64 tables).
    private static let manyTables = 30

    private let catalog: Catalog
    private let access: AccessPolicy
    private var aliases: [String: String] = [:]
    private(set) var clauses: [SQL] = []
    /// Modules whose fields are read, beside the base; the planner asks for the right to view each.
    private(set) var modules: [Module] = []

    init(_ catalog: Catalog, _ access: AccessPolicy) {
        self.catalog = catalog
        self.access = access
    }

    /// The first column of what the path ends in.
    func column(of path: FieldPath) -> SQL {
        for hop in path.hops where !modules.contains(where: { $0.id == hop.module.id }) { modules.append(hop.module) }
        let base = alias(path.hops[...])
        switch path.leaf {
        case .field(let field): return field.columns.first.map { "\($0, of: base)" } ?? "NULL"
        case .moduleName(let field): return field.columns.count == 2 ? "\(field.columns[1], of: base)" : "NULL"
        case .person(let field, let attribute): return person(path.identity, field, attribute, base)
        }
    }

    /// All columns of the field that the path ends in.
    func columns(of path: FieldPath) -> [SQL] {
        let first = column(of: path)
        guard case .field(let field) = path.leaf, field.columns.count > 1 else { return [first] }
        let base = alias(path.hops[...])
        return field.columns.map { "\($0, of: base)" }
    }

    /// The display name of the record a lookup points at, if the caller sees that record. Asks for no right on the module.
    func displayName(of path: FieldPath, _ field: Field) -> SQL? {
        guard let target = field.target.flatMap({ catalog.module(id: $0) }), target.table != nil, let display = target.displayColumn else {
            return nil
        }
        if clauses.count > Self.manyTables {
            let visible = access.rows(of: target, for: .view, alias: "n").map { " AND \($0)" as SQL } ?? ""
            return "(SELECT n.\(display) FROM \(SQL(target.table ?? "invalid")) n WHERE n.id = \(column(of: path))\(visible))"
        }
        return "\(display, of: alias((path.hops + [FieldPath.Hop(field: field, module: target)])[...]))"
    }

    /// Left joins: a lookup that is empty, or leads to what is gone or hidden from the caller, yields nulls.
    private func alias(_ hops: ArraySlice<FieldPath.Hop>) -> String {
        guard let hop = hops.last, let table = hop.module.table, let column = hop.field.columns.first else { return "t" }
        let key = hops.map { "\($0.field.id.raw)>\($0.module.id.raw)" }.joined(separator: "/")
        if let known = aliases[key] { return known }
        let from = alias(hops.dropLast())
        let name = next(key)
        var condition: SQL = "\("id", of: name) = \(column, of: from)"
        if hop.field.isAnyLookup, hop.field.columns.count == 2 {
            condition += " AND \(hop.field.columns[1], of: from) = \(SQL.literal(hop.module.id.raw))"
        }
        if let visible = access.rows(of: hop.module, for: .view, alias: name) { condition += " AND \(visible)" }
        clauses.append(" LEFT JOIN \(table) \(SQL(stringLiteral: name)) ON \(condition)")
        return name
    }

    private func person(_ key: String, _ field: Field, _ attribute: PersonAttribute, _ base: String) -> SQL {
        guard let column = field.columns.first else { return "NULL" }
        if let known = aliases[key] { return "\("said", of: known)" }
        let name = next(key)
        let table = SQL(.textTable(attribute.values(catalog), key: "person", text: "said"))
        clauses.append(" LEFT JOIN \(table) \(SQL(stringLiteral: name)) ON \("person", of: name) = \(column, of: base)")
        return "\("said", of: name)"
    }

    private func next(_ key: String) -> String {
        let name = "r\(aliases.count + 1)"
        aliases[key] = name
        return name
    }
}
