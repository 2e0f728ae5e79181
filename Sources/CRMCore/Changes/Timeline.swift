import Metadata
import SQLStore
import Wire

/// The history of a record as people read it: its own changes, those of records merged into it, and what happened to the
/// notes, files and activities that hang on it. All of it comes from the change log. Contract: records, 134.
package struct Timeline: Sendable {
    /// Which entries, in which order, and where to begin.
    package struct Question: Sendable {
        package let module: Module
        package let record: RecordID
        package let filter: Filter
        package let descending: Bool
        /// Beyond this entry, or just ahead of it when going `back`; else `skipping` from the start.
        package let after: Int64?
        package let back: Bool
        package let skipping: Int
        package let limit: Int
        /// Whether entries tell which signal they are.
        package let signals: Bool

        package init(
            module: Module, record: RecordID, filter: Filter, descending: Bool, after: Int64?, back: Bool = false, skipping: Int,
            limit: Int,
            signals: Bool = false
        ) {
            self.module = module
            self.record = record
            self.filter = filter
            self.descending = descending
            self.after = after
            self.back = back
            self.skipping = skipping
            self.limit = limit
            self.signals = signals
        }
    }

    package indirect enum Filter: Sendable {
        case everything
        case all([Filter])
        case any([Filter])
        case modules([ModuleID])
        case users([RecordID])
        case sources([String])
        case between(Instant, Instant)
    }

    /// What happened to one field.
    package struct FieldChange: Sendable {
        package let field: Field
        package let old: String?
        package let new: String?
    }

    package struct Entry: Sendable {
        package let sequence: Int64
        package let action: String
        package let source: String
        package let at: Instant
        package let user: Int64
        package let module: Module
        package let record: RecordID
        package let name: String?
        /// Whether this is about something that hangs on the record rather than about the record.
        package let isRelated: Bool
        /// `{type, rule}`, or null.
        package let automation: JSONValue
        /// What the entry is a signal of, where that was asked for.
        package let signal: Signal?
        package let fields: [FieldChange]
    }

    /// The entries, and the record's own name.
    package struct Page: Sendable {
        package let entries: [Entry]
        package let name: String?
        package let more: Bool
    }

    static let schema: [SQL] = ["CREATE INDEX sys_grave_successor ON sys_grave (successor) WHERE successor IS NOT NULL"]

    private static let shownKinds: [ChangeLog.Kind] = [
        .added, .updated, .deleted, .restored, .merged, .unmerged, .tagged, .shared, .repoint, .carriedOver, .converted,
        .territories, .mailed,
    ]
    /// Modules whose records hang on others, and by which lookups.
    private static let hanging: [(module: String, lookups: [String])] = [
        ("Notes", ["Parent_Id"]), ("Attachments", ["Parent_Id"]), ("Tasks", ["What_Id", "Who_Id"]), ("Calls", ["What_Id", "Who_Id"]),
        ("Events", ["What_Id", "Who_Id"]),
    ]

    /// The lookups by which what a timeline tells of hangs on its record.
    static func hangingLookups(_ catalog: Catalog) -> [Field] {
        hanging.flatMap { name, lookups in
            catalog.module(name).map { module in lookups.compactMap { module.whole.field($0) } } ?? []
        }
    }

    /// Of so many notes and activities, the newest, a timeline tells.
    private static let mostHangers: Int64 = 10_000

    let question: Question
    let catalog: Catalog
    let access: AccessPolicy
    let zone: TimeZoneRule

    func page(named name: String?, _ tx: Transaction) throws -> Page {
        let own = try family(tx)
        let found = try tx.rows(sql(own.map(\.raw) + (try hangers(tx)))) { TimelineRow($0) }
        // Going back, the nearest entries are found in reverse, and there are more behind them: where the caller came from.
        let rows = question.back ? Array(found.prefix(question.limit).reversed()) : found
        let shown = Array(rows.prefix(question.limit))
        let names = try TimelineNames(shown, catalog, access, zone, tx)
        let family = Set(own.map(\.raw))
        let missed = question.signals ? try missedCalls(among: shown, tx) : []
        let entries = shown.compactMap { row -> Entry? in
            guard let module = catalog.module(id: row.module) else { return nil }
            let fields = names.changes(of: row, in: module)
            // What touched hidden fields only is as if it had not happened.
            if fields.isEmpty, row.touches(module.hiddenFields) { return nil }
            return Entry(
                sequence: row.sequence, action: row.action(fields), source: row.origin, at: row.at, user: row.user, module: module,
                record: row.record,
                name: row.record == question.record ? name : names.name(of: row.record, in: module.id),
                isRelated: !family.contains(row.record.raw), automation: row.automation,
                signal: row.kind == .added && missed.contains(row.record) ? Signal.named("Telephony_Missed__s") : nil, fields: fields)
        }
        return Page(entries: entries, name: name, more: question.back || rows.count > question.limit)
    }

    /// Those calls of a page that were missed.
    private func missedCalls(among rows: [TimelineRow], _ tx: Transaction) throws -> Set<RecordID> {
        guard let calls = catalog.module("Calls")?.whole, let table = calls.table, let type = calls.field("Call_Type")?.columns.first else {
            return []
        }
        let ids = rows.filter { $0.module == calls.id }.map(\.record.raw)
        guard !ids.isEmpty else { return [] }
        return Set(
            try tx.rows("SELECT c.id FROM \(table) c WHERE \(.memberIDs("c.id", ids)) AND c.\(type) = 'Missed'") {
                RecordID(raw: $0.integer(0) ?? 0)
            })
    }

    /// The record and all that were merged into it, and into those.
    private func family(_ tx: Transaction) throws -> [RecordID] {
        try tx.rows(
            """
            WITH RECURSIVE family (id) AS (SELECT \(.literal(question.record.raw)) UNION SELECT g.id FROM sys_grave g JOIN family f ON g.successor = f.id \
            WHERE g.kind = 'merged') SELECT id FROM family LIMIT 1000
            """
        ) { RecordID(raw: $0.integer(0) ?? 0) }
    }

    /// What hangs on the record now. They are asked for first, so that the log is read by record and never through.
    private func hangers(_ tx: Transaction) throws -> [Int64] {
        var parts: [SQL] = []
        for (name, lookups) in Self.hanging {
            guard let module = catalog.module(name)?.whole, let table = module.table, module.id != question.module.id,
                access.may(.view, module)
            else { continue }
            let visible: SQL = access.rows(of: module, for: .view, alias: "h").map { " AND \($0)" } ?? ""
            for lookup in lookups {
                guard let field = module.field(lookup), field.target == nil || field.target == question.module.id,
                    let column = field.columns.first
                else { continue }
                let kind: SQL = field.columns.count == 2 ? " AND \(field.columns[1], of: "h") = \(.literal(question.module.id.raw))" : ""
                parts.append("SELECT h.id AS id FROM \(table) h WHERE h.\(column) = \(question.record)\(kind)\(visible)")
            }
        }
        guard !parts.isEmpty else { return [] }
        let newest: SQL =
            "SELECT DISTINCT u.id FROM (\(.joined(parts, by: " UNION ALL "))) u ORDER BY u.id DESC LIMIT \(.literal(Self.mostHangers))"
        return try tx.rows(newest) { $0.integer(0) ?? 0 }
    }

    private func sql(_ ids: [Int64]) -> SQL {
        let kinds: SQL = .joined(Self.shownKinds.map { "\(SQLValue.text($0.rawValue))" }, by: ", ")
        let descending = question.descending != question.back
        let beyond: SQL =
            question.after.map { descending ? " AND c.sequence < \(.integer($0))" : " AND c.sequence > \(.integer($0))" } ?? ""
        // The sum keeps both engines from walking the whole log in its own order.
        let order: SQL = descending ? "c.sequence + 0 DESC" : "c.sequence + 0"
        return """
            SELECT c.sequence, c.at, c.user_id, c.origin, c.module_id, c.record_id, c.kind, c.field_id, c.before, c.after, c.automation FROM sys_change c \
            WHERE \(.memberIDs("c.record_id", ids)) AND c.kind IN (\(kinds)) AND \(question.filter.sql)\(beyond) \
            ORDER BY \(order) LIMIT \(.integer(Int64(question.limit) + 1)) OFFSET \(.integer(Int64(question.skipping)))
            """
    }
}

extension Timeline.Filter {
    var sql: SQL {
        switch self {
        case .everything: "1 = 1"
        case .all(let parts): "(\(.joined(parts.map(\.sql), by: " AND ")))"
        case .any(let parts): "(\(.joined(parts.map(\.sql), by: " OR ")))"
        case .modules(let ids): "\(.memberIDs("c.module_id", ids.map(\.raw)))"
        case .users(let ids): "\(.memberIDs("c.user_id", ids.map(\.raw)))"
        case .sources(let names): "\(.memberTexts("c.origin", names))"
        // Moments are shown in whole seconds.
        case .between(let from, let to): "c.at BETWEEN \(from) AND \(.integer(to.milliseconds / 1000 * 1000 + 999))"
        }
    }
}

extension RecordQueries {
    /// A page of a record's history; `nil` when the record is not there for the caller.
    package func timeline(_ question: Timeline.Question) async throws -> Timeline.Page? {
        try access.require(.view, question.module)
        try access.require(.timeline, question.module)
        let planner = Planner(catalog, access)
        let timeline = Timeline(question: question, catalog: catalog, access: access, zone: zone)
        return try await read { tx in
            guard let record = try planner.rows([question.record], of: question.module, for: .view, locked: false, tx)[question.record]
            else { return nil }
            return try timeline.page(named: access.name(of: record), tx)
        }
    }
}
