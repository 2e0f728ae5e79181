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
    var ids: [Int64] { participants.map(\.id.raw) }

    /// The same with other ids, the heir's first.
    func renumbered(_ ids: some Collection<Int64>) -> Succession {
        let holders = zip(participants, ids).map { Holder($0.module, RecordID(raw: $1)) }
        return Succession(heir: holders.first ?? heir, leavers: Array(holders.dropFirst()))
    }
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
        try scope.tx.executeAll(statements(field, of: module, table)).last ?? 0
    }

    /// Two statements; the second tells how many rows moved.
    func statements(_ field: Field, of module: Module, _ table: TableName) -> [RenderedSQL] {
        SuccessionStatements(succession, scope).rendered("repoint.log", "repoint", field.id.raw) { succession, stamp in
            let moving = SuccessionRows(field, succession).moving(of: module, alias: "t")
            let column = field.columns.first ?? "id"
            let heir = succession.heir
            let log = ChangeLog.rows(
                kind: succession.crossesModules ? .carriedOver : .repoint, field, of: module, table, before: held(column, succession),
                after: "\(SQLValue.text(logged(heir, succession)))", where: moving, stamp)
            let kind: SQL =
                succession.crossesModules && field.columns.count == 2 ? ", \(field.columns[1]) = \(.literal(heir.module.raw))" : ""
            return [log, "UPDATE \(table) AS t SET \(column) = \(heir.id)\(kind), row_version = row_version + 1 WHERE \(moving)"]
        }
    }

    /// What a row held, as text; made of the few ids it can be rather than by the engine for each row.
    private func held(_ column: ColumnName, _ succession: Succession) -> SQL {
        guard let last = succession.leavers.last else { return "NULL" }
        func text(_ holder: Holder) -> SQL { "\(SQLValue.text(logged(holder, succession)))" }
        guard succession.leavers.count > 1 else { return text(last) }
        let branches = succession.leavers.dropLast().map { " WHEN \($0.id) THEN \(text($0))" as SQL }
        return "CASE \(column, of: "t")\(.joined(branches, by: "")) ELSE \(text(last)) END"
    }

    /// The id, and the module too where it changes.
    private func logged(_ holder: Holder, _ succession: Succession) -> String {
        succession.crossesModules ? "[\(holder.id.raw),\(holder.module.raw)]" : String(holder.id.raw)
    }
}

/// Statements about a succession, made once for each version of the catalog where they are alike for many: those of ordinary merges.
struct SuccessionStatements {
    private let succession: Succession
    private let scope: WriteScope

    init(_ succession: Succession, _ scope: WriteScope) {
        self.succession = succession
        self.scope = scope
    }

    /// A merge of two or three records within a module. Larger ones are rare, and their statements long.
    private var isOrdinary: Bool {
        succession.leavers.count <= 2 && !succession.crossesModules && scope.origin == .merge && scope.automation == nil
    }

    /// `make` gives a statement for each name. What they are, besides ids and the stamp, must follow from the name, `subject`, the
    /// module of the succession and the number of its leavers. `values` are further ids they hold.
    func rendered(
        _ names: String..., subject: Int64, values: [Int64], _ make: (Succession, ChangeLog.Stamp, [Int64]) -> [SQL]
    ) -> [RenderedSQL] {
        let stamp = ChangeLog.Stamp(scope)
        guard isOrdinary else { return make(succession, stamp, values).map { scope.tx.rendered($0) } }
        let all = succession.ids + [stamp.group.raw, stamp.at.milliseconds, stamp.user.raw] + values
        var made: [SQL]?
        return names.enumerated().map { index, name in
            let key = SQLTemplates.Key(name, subject, succession.heir.module.raw, count: succession.leavers.count)
            return scope.catalog.statements.statement(key, all, scope.tx) { signs in
                // Whichever statement is asked for first, all of them are made with the same signs.
                let parts = made ?? make(renumbered(signs), stamped(signs), Array(signs.suffix(values.count)))
                made = parts
                return parts[index]
            }
        }
    }

    func rendered(_ first: String, _ second: String, _ subject: Int64, _ make: (Succession, ChangeLog.Stamp) -> [SQL]) -> [RenderedSQL] {
        rendered(first, second, subject: subject, values: []) { succession, stamp, _ in make(succession, stamp) }
    }

    private func renumbered(_ signs: [Int64]) -> Succession { succession.renumbered(signs.prefix(succession.participants.count)) }

    private func stamped(_ signs: [Int64]) -> ChangeLog.Stamp {
        let rest = signs.dropFirst(succession.participants.count)
        let (group, at, user) = (rest[rest.startIndex], rest[rest.startIndex + 1], rest[rest.startIndex + 2])
        return ChangeLog.Stamp(
            group: RecordID(raw: group), at: Instant(milliseconds: at), user: UserID(raw: user), origin: scope.origin)
    }
}
