import Metadata
import SQLStore
import Wire

/// A record as lookups name it.
struct Holder: Sendable, Hashable {
    let module: ModuleID
    let id: RecordID

    init(_ module: ModuleID, _ id: RecordID) {
        self.module = module
        self.id = id
    }

    init(_ record: Record) { self.init(record.module.id, record.id) }
}

/// Who takes whose place in lookups: what points at the leavers comes to point at the heir. A merge has the survivor and its
/// children, a conversion the record made of a lead and the lead.
struct Succession: Sendable, Hashable {
    let heir: Holder
    let leavers: [Holder]

    var participants: [Holder] { [heir] + leavers }
    /// Whether the module of what is pointed at changes too.
    var crossesModules: Bool { leavers.contains { $0.module != heir.module } }
}

/// The rows of one lookup that a succession concerns, as SQL.
struct SuccessionRows {
    private let field: Field
    private let succession: Succession

    init(_ field: Field, _ succession: Succession) {
        self.field = field
        self.succession = succession
    }

    /// Rows that hold any of these.
    func held(by holders: [Holder], alias: String) -> SQL {
        func ids(_ some: [Holder]) -> SQL { "\(first, of: alias) IN (\(.joined(some.map { "\($0.id)" }, by: ", ")))" }
        guard field.isAnyLookup, field.columns.count == 2 else { return ids(holders) }
        let groups = Dictionary(grouping: holders, by: \.module).sorted { $0.key < $1.key }
        let parts = groups.map { module, some -> SQL in "\(ids(some)) AND \(field.columns[1], of: alias) = \(.literal(module.raw))" }
        guard let only = parts.first, parts.count > 1 else { return parts.first ?? SQL.isFalse }
        return .joined([only] + parts.dropFirst(), by: " OR ").inParentheses
    }

    /// The rows that move. Participants themselves are left out: they are written by whoever carries the succession out.
    func moving(of module: Module, alias: String) -> SQL {
        let rows = held(by: succession.leavers, alias: alias)
        let own = succession.participants.filter { $0.module == module.id }
        guard !own.isEmpty else { return rows }
        return "\(rows) AND \("id", of: alias) NOT IN (\(.joined(own.map { "\($0.id)" }, by: ", ")))"
    }

    private var first: ColumnName { field.columns.first ?? "id" }
}

extension SQL {
    fileprivate var inParentheses: SQL { "(\(self))" }
}

/// Points the rows of a lookup at the heir, in one statement, and logs what they held in another.
struct Repointing {
    let succession: Succession
    let scope: WriteScope

    init(_ succession: Succession, _ scope: WriteScope) {
        self.succession = succession
        self.scope = scope
    }

    /// Whether the lookup may point at the heir at all.
    func canPoint(_ field: Field) -> Bool {
        if let target = field.target { return target == succession.heir.module }
        let heir = scope.catalog.module(id: succession.heir.module)?.apiName
        if let sides = field.body["link_sides"]?.array { return sides.contains { $0.string == heir } }
        guard let named = field.body["multi_module_lookup"]?["modules"]?.array, !named.isEmpty else { return true }
        return named.contains { $0["api_name"]?.string == heir }
    }

    /// Returns how many rows moved.
    func move(_ field: Field, of module: Module, _ table: TableName) throws -> Int {
        guard let column = field.columns.first else { return 0 }
        let moving = SuccessionRows(field, succession).moving(of: module, alias: "t")
        let heir = succession.heir
        try ChangeLog.appendRows(
            kind: succession.crossesModules ? .carriedOver : .repoint, field, of: module, table, before: held(column),
            after: "\(SQLValue.text(logged(heir)))", where: moving, scope)
        let kind: SQL = succession.crossesModules && field.columns.count == 2 ? ", \(field.columns[1]) = \(.literal(heir.module.raw))" : ""
        return try scope.tx.execute(
            "UPDATE \(table) AS t SET \(column) = \(heir.id)\(kind), row_version = row_version + 1 WHERE \(moving)")
    }

    /// What a row held, as text; made of the few ids it can be rather than by the engine for each row.
    private func held(_ column: ColumnName) -> SQL {
        guard let last = succession.leavers.last else { return "NULL" }
        func text(_ holder: Holder) -> SQL { "\(SQLValue.text(logged(holder)))" }
        guard succession.leavers.count > 1 else { return text(last) }
        let branches = succession.leavers.dropLast().map { " WHEN \($0.id) THEN \(text($0))" as SQL }
        return "CASE \(column, of: "t")\(.joined(branches, by: "")) ELSE \(text(last)) END"
    }

    /// The id, and the module too where it changes.
    private func logged(_ holder: Holder) -> String {
        succession.crossesModules ? "[\(holder.id.raw),\(holder.module.raw)]" : String(holder.id.raw)
    }
}
