import Metadata
import SQLStore
import Wire

/// Takes a merge back, reading the change log of its group: the master's fields, the children, and every row that moved.
/// What has changed since stays as it is and is reported.
struct Unmerge {
    private let entry: MergeJournal.Entry
    private let module: Module
    private let table: TableName
    private let scope: WriteScope
    /// The scheduled undo whose hold on the master is our own.
    private let holder: RecordID?

    init(_ entry: MergeJournal.Entry, holder: RecordID? = nil, _ scope: WriteScope) throws {
        guard let module = scope.catalog.module(id: entry.module), let table = module.table else { throw Rejection.invalidModule() }
        self.entry = entry
        self.module = module
        self.table = table
        self.scope = scope
        self.holder = holder
    }

    func run() throws -> UnmergeOutcome {
        var outcome = UnmergeOutcome()
        let master = try lockedMaster()
        let buried = try openGraves()
        try restoreMaster(master, &outcome)
        outcome.restored = try restore(buried)
        for group in try moved() { try moveBack(group, &outcome) }
        try restoreLinks(&outcome)
        let merge = UndoneMerge(id: entry.id, master: entry.master, module: module)
        for follower in MergeFollowers.all { try follower.undo(merge, &outcome, scope) }
        try removeAdded()
        try scope.tx.execute("UPDATE sys_merge SET undone_at = \(scope.now) WHERE id = \(entry.id)")
        try ChangeLog.append([.init(record: master, kind: .unmerged, before: nil, after: .array(outcome.restored.map { .id($0) }))], scope)
        return outcome
    }

    /// The survivor, which must be there and free, or held by this undo. A lock refuses the undo as it would an edit.
    func lockedMaster() throws -> Record {
        let rows = try Planner(scope.catalog, scope.access).rows([entry.master], of: module, for: .edit, scope.tx)
        guard let master = rows[entry.master] else {
            let gone = Rejection(.notAllowed, message: "the surviving record is not there any more", .id(entry.master))
            throw rows.refusal(of: entry.master, else: gone)
        }
        if master.heldByMerge != holder { try RecordStore.refuseIfHeld(master) }
        try LockingConfiguration.refuse(.update, on: master, scope)
        return master
    }

    /// Fields still as the merge left them get their former value; the others are reported.
    private func restoreMaster(_ master: Record, _ outcome: inout UnmergeOutcome) throws {
        let logged = try scope.tx.first(
            "SELECT before, after FROM sys_change WHERE group_id = \(entry.id) AND record_id = \(entry.master) AND kind = \(kind(.merged))"
        ) { row in (try JSONValue.parse(row.text(0) ?? "{}"), try JSONValue.parse(row.text(1) ?? "{}")) }
        let (before, after) = logged ?? ([:], [:])
        var restored = master
        restored.values[module.mergeSlot] = .null
        // Written by every change, so never a sign of one.
        let stamps: Set<String> = ["Modified_Time", "Modified_By", "Last_Activity_Time"]
        var untouched = true
        let computed = Set(module.formulas.map(\.field.apiName))
        for field in module.fields where after[String(field.id.raw)] != nil && !stamps.union(computed).contains(field.apiName) {
            guard columns(after, field) == Array(master.columns(of: field)) else {
                if scope.access.right(on: field) != .hidden { outcome.keptFields.append(field.apiName) }
                untouched = false
                continue
            }
            restored.set(field, to: columns(before, field))
        }
        for field in module.fields where stamps.contains(field.apiName) && after[String(field.id.raw)] != nil {
            if columns(after, field) != Array(master.columns(of: field)) { untouched = false }
        }
        if untouched {
            for field in module.fields where stamps.contains(field.apiName) && after[String(field.id.raw)] != nil {
                restored.set(field, to: columns(before, field))
            }
        }
        if let followed = try Graves.followed([restored], scope).first { restored = followed }
        FormulaRule.apply(to: &restored, scope.catalog, at: scope.now)
        try Graves.refusingTakenValues(in: module, scope) { try RecordStore.update(restored, from: master, table, scope) }
        try SearchIndex.refresh([.init(before: master, after: restored)], scope.tx)
    }

    private func columns(_ logged: JSONValue, _ field: Field) -> [SQLValue] {
        let value = logged[String(field.id.raw)] ?? .null
        if let cipher = field.cipher {
            return cipher.columns(of: SQLValue(cipher.read(logged: value), as: cipher.plain.storage.first ?? .text))
        }
        let values = field.columns.count == 1 ? [value] : value.array ?? []
        return zip(values, field.type.storage).map { SQLValue($0, as: $1) }
    }

    /// What the merge buried: children and their subform rows. Their graves are gone at once, so that lookups among them are kept.
    private func openGraves() throws -> [Record] {
        let graves = try scope.tx.rows("SELECT module_id, image FROM sys_grave WHERE group_id = \(entry.id) ORDER BY id") { row in
            (ModuleID(raw: row.integer(0) ?? 0), try JSONValue.parse(row.text(1) ?? "{}"))
        }
        try scope.tx.execute("DELETE FROM sys_grave WHERE group_id = \(entry.id)")
        return graves.compactMap { moduleID, image in
            guard let owner = scope.catalog.module(id: moduleID), owner.table != nil else { return nil }
            var record = Graves.record(image, of: owner)
            record.values[owner.mergeSlot] = .null
            return record
        }
    }

    /// They come back under their old ids.
    private func restore(_ buried: [Record]) throws -> [RecordID] {
        for (_, group) in Dictionary(grouping: buried, by: \.module.id).sorted(by: { $0.key < $1.key }) {
            try Graves.reopen(group, scope)
        }
        return buried.filter { $0.module.id == module.id }.map(\.id)
    }

    private struct Moved {
        let module: Module
        let table: TableName
        let field: Field
        let column: ColumnName
    }

    /// The lookups in which rows were moved or filled.
    private func moved() throws -> [(Moved, ChangeLog.Kind)] {
        let sql: SQL = """
            SELECT DISTINCT module_id, field_id, kind FROM sys_change WHERE group_id = \(entry.id) AND kind IN (\(kind(.repoint)), \(kind(.linkFilled)))
            """
        return try scope.tx.rows(sql) { ($0.integer(0) ?? 0, $0.integer(1) ?? 0, $0.text(2) ?? "") }.compactMap { moduleID, fieldID, kind in
            guard let module = scope.catalog.module(id: ModuleID(raw: moduleID)), let table = module.table,
                let field = module.field(FieldID(raw: fieldID)), let column = field.columns.first
            else { return nil }
            return (
                Moved(module: module, table: table, field: field, column: column),
                kind == ChangeLog.Kind.repoint.rawValue ? .repoint : .linkFilled
            )
        }
    }

    /// One statement for each lookup. A row whose value in that field was written since stays.
    private func moveBack(_ group: (Moved, ChangeLog.Kind), _ outcome: inout UnmergeOutcome) throws {
        let (moved, what) = group
        let logged: SQL = "c.group_id = \(entry.id) AND c.kind = \(kind(what)) AND c.field_id = \(.integer(moved.field.id.raw))"
        let unchanged: SQL = """
            NOT EXISTS (SELECT 1 FROM sys_change l WHERE l.record_id = c.record_id AND l.sequence > c.sequence AND \
            (l.field_id = c.field_id OR (l.kind = \(kind(.updated)) AND l.after LIKE \(.text("%\"\(moved.field.id.raw)\":%")))) \
            AND NOT EXISTS (SELECT 1 FROM sys_merge m WHERE m.id = l.group_id AND m.undone_at IS NOT NULL))
            """
        let stillThere: SQL = what == .repoint ? " AND h.\(moved.column) = \(entry.master)" : ""
        let movable: SQL = """
            SELECT h.id FROM \(moved.table) h WHERE h.id IN (SELECT c.record_id FROM sys_change c WHERE \(logged) AND \(unchanged))\
            \(stillThere)\(unlinked(moved, what))
            """
        try scope.tx.lockForChange("\(movable) ORDER BY h.id")
        // The sum keeps the engines from reading the whole journal again for each row.
        let ours: SQL = "c.group_id + 0 = \(entry.id) AND c.kind = \(kind(what)) AND c.field_id = \(.integer(moved.field.id.raw))"
        let former: SQL = what == .repoint ? "CAST(c.before AS \(.type(.integer)))" : "NULL"
        let done = try scope.tx.execute(
            """
            UPDATE \(moved.table) AS t SET \(moved.column) = \(former), row_version = row_version + 1 \
            FROM (\(movable)) w JOIN sys_change c ON c.record_id = w.id AND \(ours) WHERE t.id = w.id
            """)
        guard what == .repoint else { return }
        let name = "\(moved.module.apiName).\(moved.field.apiName)"
        outcome.movedBack[name, default: 0] += done
        try reportKept(moved, logged, &outcome)
    }

    /// A link whose pair is there again stays where it is.
    private func unlinked(_ moved: Moved, _ what: ChangeLog.Kind) -> SQL {
        guard what == .repoint, let (left, right) = moved.module.linkPair else { return "" }
        let other = left === moved.field ? right : left
        guard let theirs = other.columns.first else { return "" }
        return """
             AND NOT EXISTS (SELECT 1 FROM sys_change b JOIN \(moved.table) o ON o.\(moved.column) = CAST(b.before AS \(.type(.integer))) \
            WHERE b.record_id = h.id AND b.group_id + 0 = \(entry.id) AND b.kind = \(kind(what)) AND b.field_id = \(.integer(moved.field.id.raw)) \
            AND o.\(theirs) = h.\(theirs))
            """
    }

    /// Rows that are not back where they were: changed since, or gone. At most 1,000 are named.
    private func reportKept(_ moved: Moved, _ logged: SQL, _ outcome: inout UnmergeOutcome) throws {
        let kept: SQL = """
            SELECT c.record_id FROM sys_change c LEFT JOIN \(moved.table) t ON t.id = c.record_id WHERE \(logged) \
            AND (t.id IS NULL OR t.\(moved.column) IS NULL OR t.\(moved.column) <> CAST(c.before AS \(.type(.integer)))) ORDER BY c.record_id LIMIT 1000
            """
        outcome.keptRows += try scope.tx.rows(kept) { RecordID(raw: $0.integer(0) ?? 0) }.map {
            UnmergeOutcome.Kept(module: moved.module.apiName, id: $0, field: moved.field.apiName)
        }
    }

    /// Link rows that were dropped return as they were; there are as many as there were collisions.
    private func restoreLinks(_ outcome: inout UnmergeOutcome) throws {
        let dropped = try scope.tx.rows(
            "SELECT module_id, before FROM sys_change WHERE group_id = \(entry.id) AND kind = \(kind(.linkDropped)) ORDER BY sequence"
        ) { row in (ModuleID(raw: row.integer(0) ?? 0), try JSONValue.parse(row.text(1) ?? "{}")) }
        for (moduleID, images) in Dictionary(grouping: dropped, by: \.0).sorted(by: { $0.key < $1.key }) {
            guard let link = scope.catalog.module(id: moduleID) else { continue }
            try UnmergeLinks(link, scope).restore(images.map { Graves.record($0.1, of: link) }, &outcome)
        }
    }

    private func removeAdded() throws {
        let added = try scope.tx.rows(
            "SELECT module_id, record_id FROM sys_change WHERE group_id = \(entry.id) AND kind = \(kind(.addedByMerge))"
        ) {
            (ModuleID(raw: $0.integer(0) ?? 0), $0.integer(1) ?? 0)
        }
        for (moduleID, rows) in Dictionary(grouping: added, by: \.0) {
            guard let target = scope.catalog.module(id: moduleID)?.table else { continue }
            try scope.tx.execute("DELETE FROM \(target) WHERE \(.memberIDs("id", rows.map(\.1)))")
        }
    }

    private func kind(_ kind: ChangeLog.Kind) -> SQL { "\(SQLValue.text(kind.rawValue))" }
}

/// What an undo brought back, and what it left because it had changed since.
package struct UnmergeOutcome: Sendable, Equatable {
    package struct Kept: Sendable, Equatable {
        package let module: String
        package let id: RecordID
        package let field: String
    }

    package var restored: [RecordID] = []
    package var movedBack: [String: Int] = [:]
    package var keptFields: [String] = []
    package var keptRows: [Kept] = []

    mutating func countBack(_ rows: Int, as name: String) {
        if rows > 0 { movedBack[name, default: 0] += rows }
    }

    package var json: JSONValue {
        [
            "restored": .array(restored.map { .id($0) }),
            "moved_back": .object(movedBack.sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) }),
            "kept_fields": .array(keptFields.map(JSONValue.string)),
            "kept_rows": .array(keptRows.map { ["module": .string($0.module), "id": .id($0.id), "field": .string($0.field)] }),
        ]
    }
}
