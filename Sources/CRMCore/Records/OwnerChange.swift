import Metadata
import SQLStore
import Wire

/// Gives records, and if asked what is related to them, to another owner.
package struct OwnerChange: Sendable {
    package let owner: User
    /// Modules whose records go along when they look up a record that changes hands.
    package let related: [Module]
    /// Whether the new owner gets a mail.
    package let telling: Bool

    package init(to owner: User, related: [Module] = [], telling: Bool = false) {
        self.owner = owner
        self.related = related
        self.telling = telling
    }

    /// Whether records of `related` can hang on one of `module`.
    package static func canFollow(_ related: Module, _ module: Module, _ catalog: Catalog) -> Bool {
        related.field("Owner") != nil && !followed(related, module, catalog).isEmpty
    }

    package func apply(to ids: [RecordID], of module: Module, _ store: RecordStore, _ scope: WriteScope) throws -> [Result<
        RecordID, Rejection
    >] {
        try scope.access.require(.changeOwner, module)
        var seen: Set<RecordID> = []
        let once = ids.filter { seen.insert($0).inserted }
        let value: JSONValue = ["id": .string(String(owner.id.raw))]
        let items = once.map { JSONCursor(["id": .id($0), "Owner": value], at: JSONPath()) }
        let foreign = telling ? try foreign(once, module, scope) : []
        let written = try store.update(items, module, as: .changeOwner, scope)
        let outcomes = Dictionary(zip(once, written), uniquingKeysWith: { first, _ in first })
        let changed = once.filter { id in (try? outcomes[id]?.get()) != nil }
        for other in related { try follow(other, of: module, changed, scope) }
        if telling { try Notices.given(changed.filter(foreign.contains).compactMap { try? outcomes[$0]?.get() }, to: owner.id, scope) }
        return ids.map { id in
            guard let outcome = outcomes[id] else { return .failure(Rejection(.internalError)) }
            return outcome.map(\.id).mapError { refusal in
                refusal.code == .invalidData ? Rejection(.invalidData, message: refusal.message, .id(id)) : refusal
            }
        }
    }

    /// Those that are not the new owner's already.
    private func foreign(_ ids: [RecordID], _ module: Module, _ scope: WriteScope) throws -> Set<RecordID> {
        guard let table = module.table, let column = module.whole.field("Owner")?.columns.first else { return [] }
        let rows: SQL = "\(.memberIDs("t.id", ids.map(\.raw))) AND t.\(column) <> \(.integer(owner.id.raw))"
        return Set(try scope.tx.rows("SELECT t.id FROM \(table) t WHERE \(rows)") { RecordID(raw: $0.integer(0) ?? 0) })
    }

    private static func followed(_ related: Module, _ module: Module, _ catalog: Catalog) -> [Field] {
        catalog.inbound(to: module.id).filter { $0.module.id == related.id && related.linkPair == nil }.map(\.field)
    }

    /// One statement for each lookup; what is locked or under merge stays with its owner.
    func follow(_ other: Module, of module: Module, _ ids: [RecordID], _ scope: WriteScope) throws {
        guard other.table != nil, let column = other.field("Owner")?.columns.first, !ids.isEmpty else { return }
        try scope.access.require(.edit, other)
        let new = SQLValue.integer(owner.id.raw)
        for lookup in Self.followed(other, module, scope.catalog) {
            guard let held = lookup.columns.first else { continue }
            var rows: SQL = "\(.memberIDs("\(held, of: "t")", ids.map(\.raw))) AND t.\(column) <> \(new) AND t.in_merge IS NULL"
            if lookup.isAnyLookup, lookup.columns.count == 2 { rows += " AND \(lookup.columns[1], of: "t") = \(.literal(module.id.raw))" }
            if let locked = other.lockColumn { rows += " AND (t.\(locked) IS NULL OR t.\(locked) = 0)" }
            if let visible = scope.access.rows(of: other, for: .changeOwner, alias: "t") { rows += " AND \(visible)" }
            try Self.move(other, where: rows, to: owner.id, scope)
        }
    }

    /// Gives the rows of a module that a condition on `t` finds to another owner, and logs what they had. Two statements,
    /// however many rows.
    static func move(_ other: Module, where rows: SQL, to owner: UserID, _ scope: WriteScope) throws {
        guard let table = other.table, let field = other.field("Owner"), let column = field.columns.first else { return }
        let new = SQLValue.integer(owner.raw)
        let key = String(field.id.raw)
        let before: [(String, SQL)] = [(key, "t.\(column)")]
        let after = SQLValue.text(JSONValue.object([.init(key, .integer(owner.raw))]).text)
        try ChangeLog.appendRows(
            kind: .updated, field, of: other, table, before: "\(.jsonObject(before))", after: "\(after)", where: rows, scope)
        var settings: [SQL] = ["\(column) = \(new)", "row_version = row_version + 1"]
        if let modified = other.field("Modified_Time")?.columns.first { settings.append("\(modified) = \(scope.now)") }
        if let by = other.field("Modified_By")?.columns.first { settings.append("\(by) = \(.integer(scope.access.user.raw))") }
        try scope.tx.execute("UPDATE \(table) AS t SET \(.joined(settings, by: ", ")) WHERE \(rows)")
    }
}
