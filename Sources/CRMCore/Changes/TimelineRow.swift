import Metadata
import SQLStore
import Wire

/// A row of the change log on its way into a timeline.
struct TimelineRow {
    /// Fields that every change sets, so that they say nothing.
    static let stamps: Set<String> = ["Modified_Time", "Modified_By", "Last_Activity_Time", "Change_Log_Time__s"]

    let sequence: Int64
    let at: Instant
    let user: Int64
    let origin: String
    let module: ModuleID
    let record: RecordID
    let kind: ChangeLog.Kind?
    let field: FieldID?
    let before: JSONValue
    let after: JSONValue
    /// In whose name it happened, where a rule did it.
    let automation: JSONValue

    init(_ row: borrowing Row) {
        sequence = row.integer(0) ?? 0
        at = Instant(milliseconds: row.integer(1) ?? 0)
        user = row.integer(2) ?? 0
        origin = row.text(3) ?? ""
        module = ModuleID(raw: row.integer(4) ?? 0)
        record = RecordID(raw: row.integer(5) ?? 0)
        kind = row.text(6).flatMap(ChangeLog.Kind.init(rawValue:))
        field = row.integer(7).map(FieldID.init(raw:))
        before = row.text(8).flatMap { try? JSONValue.parse(Array($0.utf8)) } ?? .null
        after = row.text(9).flatMap { try? JSONValue.parse(Array($0.utf8)) } ?? .null
        automation = row.text(10).flatMap { try? JSONValue.parse(Array($0.utf8)) } ?? .null
    }

    /// The columns of a field before and after; `nil` when the row says nothing of it.
    func values(of field: Field) -> (old: [JSONValue], new: [JSONValue])? {
        if kind == .repoint { return self.field == field.id ? ([before], [after]) : nil }
        if kind == .carriedOver { return self.field == field.id ? (before.array ?? [], after.array ?? []) : nil }
        let key = String(field.id.raw)
        guard before[key] != nil || after[key] != nil else { return nil }
        if let cipher = field.cipher { return ([cipher.read(logged: before[key] ?? .null)], [cipher.read(logged: after[key] ?? .null)]) }
        func columns(_ value: JSONValue?) -> [JSONValue] { field.columns.count == 1 ? [value ?? .null] : value?.array ?? [] }
        return (columns(before[key]), columns(after[key]))
    }

    func action(_ fields: [Timeline.FieldChange]) -> String {
        switch kind {
        case .updated where fields.count == 1 && fields[0].field.apiName == "Owner": "owner_assigned"
        case .updated, .repoint, .carriedOver, .territories: "updated"
        case .tagged: gained ? "tag_added" : "tag_removed"
        case .shared: gained ? "shared" : "share_removed"
        case let other?: other.rawValue
        case nil: "updated"
        }
    }

    /// Whether the row says something of one of these fields.
    func touches(_ fields: [Field]) -> Bool {
        fields.contains { values(of: $0) != nil || (kind == .territories && $0.type.cell == .territories) }
    }

    private var gained: Bool { (after.array ?? []).contains { !(before.array ?? []).contains($0) } }
}

/// What the ids in a page of a timeline are called, found with one statement for each module.
struct TimelineNames {
    private struct Key: Hashable {
        let module: ModuleID
        let id: Int64
    }

    private let catalog: Catalog
    private let zone: TimeZoneRule
    private var names: [Key: String] = [:]
    private var tags: [Int64: String] = [:]

    init(_ rows: [TimelineRow], _ catalog: Catalog, _ access: AccessPolicy, _ zone: TimeZoneRule, _ tx: Transaction) throws {
        self.catalog = catalog
        self.zone = zone
        var wanted: [ModuleID: Set<Int64>] = [:]
        var tagIDs: Set<Int64> = []
        for row in rows {
            wanted[row.module, default: []].insert(row.record.raw)
            if row.kind == .tagged { tagIDs.formUnion(((row.before.array ?? []) + (row.after.array ?? [])).compactMap(\.int64)) }
            for field in catalog.module(id: row.module)?.fields ?? [] where field.isRecordLookup {
                guard let values = row.values(of: field) else { continue }
                for columns in [values.old, values.new] {
                    guard let id = columns.first?.looseInt64, let target = Self.target(field, columns) else { continue }
                    wanted[target, default: []].insert(id)
                }
            }
        }
        for (moduleID, ids) in wanted {
            let list = ids.sorted()
            if let module = catalog.module(id: moduleID), let table = module.table, let display = module.displayColumn {
                let visible: SQL = access.rows(of: module, for: .view, alias: "n").map { " AND \($0)" } ?? ""
                try tx.forEach("SELECT n.id, n.\(display) FROM \(table) n WHERE \(.memberIDs("n.id", list))\(visible)") { row in
                    names[Key(module: moduleID, id: row.integer(0) ?? 0)] = row.text(1)
                }
            }
            let missing = list.filter { names[Key(module: moduleID, id: $0)] == nil }
            let name = catalog.module(id: moduleID)?.whole.displayField
            guard !missing.isEmpty, name.map({ access.right(on: $0) != .hidden }) ?? true else { continue }
            let visible: SQL = access.graves(for: .view).map { " AND \($0)" } ?? ""
            try tx.forEach("SELECT g.id, g.display_name FROM sys_grave g WHERE \(.memberIDs("g.id", missing))\(visible)") { row in
                names[Key(module: moduleID, id: row.integer(0) ?? 0)] = row.text(1)
            }
        }
        guard !tagIDs.isEmpty else { return }
        try tx.forEach("SELECT id, name FROM sys_tag WHERE \(.memberIDs("id", tagIDs.sorted()))") { row in
            tags[row.integer(0) ?? 0] = row.text(1)
        }
    }

    func name(of record: RecordID, in module: ModuleID) -> String? { names[Key(module: module, id: record.raw)] }

    func changes(of row: TimelineRow, in module: Module) -> [Timeline.FieldChange] {
        switch row.kind {
        case .tagged:
            guard let field = module.field("Tag") else { return [] }
            return [.init(field: field, old: tagList(row.before), new: tagList(row.after))]
        case .territories:
            guard let field = module.fields.first(where: { $0.type.cell == .territories }) else { return [] }
            return [.init(field: field, old: territoryList(row.before), new: territoryList(row.after))]
        case .updated, .merged, .repoint, .carriedOver, .converted:
            return module.fields.compactMap { field in
                guard !TimelineRow.stamps.contains(field.apiName), let values = row.values(of: field) else { return nil }
                return .init(field: field, old: shown(values.old, field), new: shown(values.new, field))
            }
        default: return []
        }
    }

    private func tagList(_ ids: JSONValue) -> String? {
        let named = (ids.array ?? []).compactMap { $0.int64.flatMap { tags[$0] } }
        return named.isEmpty ? nil : named.joined(separator: ", ")
    }

    /// Those that are no more have no name.
    private func territoryList(_ places: JSONValue) -> String? {
        let named = (places.array ?? []).compactMap { place in
            place["territory"]?.looseInt64.flatMap { catalog.territories[RecordID(raw: $0)]?.name }
        }
        return named.isEmpty ? nil : named.joined(separator: ", ")
    }

    private static func target(_ field: Field, _ columns: [JSONValue]) -> ModuleID? {
        field.target ?? (columns.count == 2 ? columns[1].looseInt64.map(ModuleID.init(raw:)) : nil)
    }

    /// A value as text, whatever its type: that is what the answer holds.
    private func shown(_ columns: [JSONValue], _ field: Field) -> String? {
        guard let first = columns.first, !first.isNull else { return nil }
        switch field.plainType.cell {
        case .flag: return first.int64 == 1 ? "true" : "false"
        case .instant:
            guard let milliseconds = first.int64 else { return nil }
            let instant = Instant(milliseconds: milliseconds)
            return instant.iso(offsetMinutes: zone.offsetMinutes(at: instant))
        case .user: return first.int64.map { id in catalog.user(UserID(raw: id))?.fullName ?? String(id) }
        case .layout: return catalog.documents(.layout).first { $0.id.raw == first.int64 }?.body["name"]?.string
        case .lookup, .anyLookup:
            guard let id = first.looseInt64 else { return nil }
            return Self.target(field, columns).flatMap { names[Key(module: $0, id: id)] } ?? String(id)
        case .json where field.type.comparison == .choices:
            let chosen = first.string.flatMap { try? JSONValue.parse(Array($0.utf8)) }?.array ?? []
            return chosen.compactMap(\.string).joined(separator: ", ")
        default: return first.string ?? first.text
        }
    }
}
