import Metadata
import SQLStore
import Wire

/// Reads a piece of the feed and what is needed to tell of it: the entries, the rows they speak of, and the records around them.
struct EventReader {
    let catalog: Catalog
    /// All that was read, news or not.
    private(set) var sequences: [Int64] = []
    private(set) var events: [ChangeEvent] = []
    private var entries: [TimelineRow] = []
    private var rows: [RecordID: Record] = [:]
    private(set) var graves: [RecordID: Record] = [:]

    init(_ catalog: Catalog, limit: Int64, _ tx: Transaction) throws {
        self.catalog = catalog
        entries = try tx.rows(
            """
            SELECT c.sequence, c.at, c.user_id, c.origin, c.module_id, c.record_id, c.kind, c.field_id, c.before, c.after \
            FROM sys_feed f JOIN sys_change c ON c.sequence = f.sequence ORDER BY f.sequence LIMIT \(.literal(limit))
            """
        ) { TimelineRow($0) }
        sequences = entries.map(\.sequence)
        events = entries.compactMap { ChangeEvent($0, catalog) }
    }

    /// The fields of a record that hold something; of one that is gone, those it held.
    func filled(_ record: RecordID) -> [Field] {
        if let user = catalog.user(UserID(raw: record.raw)) { return UserChanges.filled(user, catalog) }
        guard let row = rows[record] ?? graves[record] else { return [] }
        return row.module.fields.filter { !TimelineRow.stamps.contains($0.apiName) && !row[$0].isNull }
    }

    /// The modules whose channels may have to be told: those of the entries, and those their records point into.
    var reach: Set<ModuleID> {
        var found: Set<ModuleID> = []
        for id in Set(entries.map(\.module)) {
            found.insert(id)
            guard let module = catalog.module(id: id), Channel.tellsOthers(module) else { continue }
            let lookups = module.fields.filter(\.isRecordLookup)
            found.formUnion(lookups.compactMap(\.target))
            if lookups.contains(where: { $0.target == nil }) { found.formUnion(catalog.modules.filter(Channel.supports).map(\.id)) }
        }
        return found
    }

    /// Loads the rows of the entries, live or buried.
    mutating func loadRows(_ tx: Transaction) throws {
        let planner = Planner(catalog, .system("what channels are told is checked against their users' rights afterwards"))
        for (moduleID, group) in Dictionary(grouping: entries, by: \.module) {
            guard let module = catalog.module(id: moduleID), !module.isUsers else { continue }
            let ids = Set(group.map(\.record))
            let live = try planner.rows(ids.sorted(), of: module, for: .view, locked: false, tx)
            rows.merge(live.byID) { first, _ in first }
            try loadGraves(ids.subtracting(live.keys), tx)
        }
    }

    private mutating func loadGraves(_ ids: Set<RecordID>, _ tx: Transaction) throws {
        guard !ids.isEmpty else { return }
        let found = try tx.rows("SELECT id, module_id, image FROM sys_grave WHERE \(.memberIDs("id", ids.map(\.raw).sorted()))") { row in
            (RecordID(raw: row.integer(0) ?? 0), ModuleID(raw: row.integer(1) ?? 0), try JSONValue.parse(row.text(2) ?? "{}"))
        }
        for (id, moduleID, image) in found {
            guard let module = catalog.module(id: moduleID) else { continue }
            graves[id] = Graves.record(image, of: module)
        }
    }

    /// An event for each record around those that changed, once however many of them there are: that of the last.
    mutating func addRelated(watched: Set<ModuleID>) {
        guard !watched.isEmpty else { return }
        var around: [RecordID: ChangeEvent] = [:]
        for entry in entries {
            guard let module = catalog.module(id: entry.module), Channel.tellsOthers(module) else { continue }
            for target in targets(of: entry, in: module) where watched.contains(target.module) && target.id != entry.record {
                guard let targetModule = catalog.module(id: target.module), Channel.supports(targetModule) else { continue }
                around[target.id] = ChangeEvent(around: (targetModule, target.id), entry)
            }
        }
        events = (events + around.values).sorted {
            ($0.sequence, $0.isRelated ? 1 : 0, $0.record.raw) < ($1.sequence, $1.isRelated ? 1 : 0, $1.record.raw)
        }
    }

    /// The records it points at, and pointed at before.
    private func targets(of entry: TimelineRow, in module: Module) -> [(module: ModuleID, id: RecordID)] {
        let row = rows[entry.record] ?? graves[entry.record]
        return module.fields.filter(\.isRecordLookup).flatMap { field -> [(module: ModuleID, id: RecordID)] in
            let now = row?.target(of: field).map { ($0.module, RecordID(raw: $0.id)) }
            let former = entry.values(of: field)?.old
            let before = former?.first?.looseInt64.flatMap { id in
                (field.target ?? former?.last?.looseInt64.map(ModuleID.init(raw:))).map { ($0, RecordID(raw: id)) }
            }
            return [now, before].compactMap(\.self)
        }
    }

    /// Those of a module that the events speak of and that are there.
    func live(_ module: ModuleID) -> [RecordID] {
        Set(events.filter { $0.module.id == module }.map(\.record)).subtracting(graves.keys).sorted()
    }
}
