import Metadata
import SQLStore
import Wire

/// Deleted records that may come back, of all modules. What went with a record is not listed; it follows its record.
package enum RecycleBin {
    /// A line of the bin.
    package struct Entry: Sendable {
        package let id: RecordID
        package let module: ModuleID
        package let displayName: String?
        package let owner: Int64?
        package let deletedBy: Int64?
        package let deletedAt: Instant
    }

    package enum SortField: String, Sendable, CaseIterable {
        case displayName = "display_name"
        case deletedTime = "deleted_time"
        case deletedBy = "deleted_by"
    }

    /// Which entries, in which order, which part.
    package struct Question: Sendable {
        package let ids: [RecordID]?
        package let filter: Filter
        package let sort: SortField
        package let descending: Bool
        package let skipping: Int
        package let limit: Int

        package init(ids: [RecordID]?, filter: Filter, sort: SortField, descending: Bool, skipping: Int, limit: Int) {
            self.ids = ids
            self.filter = filter
            self.sort = sort
            self.descending = descending
            self.skipping = skipping
            self.limit = limit
        }
    }

    static let open: SQL = "g.kind = 'recycle' AND g.root IS NULL"

    static func list(_ question: Question, _ catalog: Catalog, _ access: AccessPolicy, _ tx: Transaction) throws -> [Entry] {
        let named: SQL = question.ids.map { " AND \(.memberIDs("g.id", $0.map(\.raw)))" } ?? ""
        return try tx.rows(
            """
            SELECT g.id, g.module_id, \(name(catalog, access)), g.deleted_by, g.deleted_at, g.image FROM sys_grave g WHERE \(open)\(named) \
            AND \(question.filter.sql(catalog, access))\(visible(access)) ORDER BY \(order(question, catalog, access)) \
            LIMIT \(.integer(Int64(question.limit))) OFFSET \(.integer(Int64(question.skipping)))
            """
        ) { row in
            let module = ModuleID(raw: row.integer(1) ?? 0)
            let owner = catalog.module(id: module)?.field("Owner")?.columns.first
            let image = try JSONValue.parse(row.text(5) ?? "{}")
            return Entry(
                id: RecordID(raw: row.integer(0) ?? 0), module: module, displayName: row.text(2),
                owner: owner.flatMap { image[$0.raw]?.int64 },
                deletedBy: row.integer(3), deletedAt: Instant(milliseconds: row.integer(4) ?? 0))
        }
    }

    /// The name of an entry, unless it is hidden from the caller.
    static func name(_ catalog: Catalog, _ access: AccessPolicy) -> SQL {
        let nameless = catalog.modules.filter { $0.whole.displayField.map { access.right(on: $0) == .hidden } ?? false }
        guard !nameless.isEmpty else { return "g.display_name" }
        return "CASE WHEN \(.memberIDs("g.module_id", nameless.map(\.id.raw))) THEN NULL ELSE g.display_name END"
    }

    /// How many entries `list` has in all.
    static func count(ids: [RecordID]?, _ filter: Filter, _ catalog: Catalog, _ access: AccessPolicy, _ tx: Transaction) throws -> Int64 {
        let named: SQL = ids.map { " AND \(.memberIDs("g.id", $0.map(\.raw)))" } ?? ""
        return try tx.first(
            "SELECT count(*) FROM sys_grave g WHERE \(open)\(named) AND \(filter.sql(catalog, access))\(visible(access))"
        ) { $0.integer(0) ?? 0 } ?? 0
    }

    /// Records that the caller could not see stay out.
    private static func visible(_ access: AccessPolicy) -> SQL { access.graves(for: .view).map { " AND \($0)" } ?? "" }

    private static func order(_ question: Question, _ catalog: Catalog, _ access: AccessPolicy) -> SQL {
        let last: SQL = question.descending ? ", g.id DESC" : ", g.id"
        switch question.sort {
        case .displayName: return "\(.orderKey(name(catalog, access), descending: question.descending))\(last)"
        case .deletedTime: return question.descending ? "g.deleted_at DESC\(last)" : "g.deleted_at\(last)"
        case .deletedBy:
            // People are few, and known here by name.
            let people = catalog.users.sorted { (TextFolding.fold($0.fullName), $0.id.raw) < (TextFolding.fold($1.fullName), $1.id.raw) }
            let ranks = people.enumerated().map { rank, user in " WHEN \(.literal(user.id.raw)) THEN \(.literal(Int64(rank)))" as SQL }
            guard !ranks.isEmpty else { return "g.id" }
            let direction: SQL = question.descending ? " DESC" : ""
            return "CASE g.deleted_by\(.joined(ranks, by: "")) ELSE -1 END\(direction)\(last)"
        }
    }

    /// How many rows would go for good: records and what went with them.
    static func weight(_ ids: [RecordID], _ tx: Transaction) throws -> Int {
        let raw = ids.map(\.raw)
        return try tx.first("SELECT count(*) FROM sys_grave g WHERE \(.memberIDs("g.id", raw)) OR \(.memberIDs("g.root", raw))") {
            Int($0.integer(0) ?? 0)
        } ?? 0
    }

    /// Deletes records for good, with what went with them. What remains is that they were. Returns those that were in the bin.
    package static func erase(_ ids: [RecordID], _ scope: WriteScope) throws -> Set<RecordID> {
        let mine: SQL = scope.access.graves(for: .delete).map { " AND \($0)" } ?? ""
        let found = try rows("\(open) AND \(.memberIDs("g.id", ids.map(\.raw)))\(mine)", scope)
        guard !found.isEmpty else { return [] }
        let all = found + (try rows("g.kind = 'recycle' AND \(.memberIDs("g.root", found.map(\.id)))", scope))
        let raw = all.map(\.id)
        try scope.tx.execute(
            """
            UPDATE sys_grave SET kind = 'permanent', image = '{}', display_name = NULL, root = NULL, deleted_by = \(.integer(scope.access.user.raw)), \
            deleted_at = \(scope.now) WHERE \(.memberIDs("id", raw))
            """)
        try scope.tx.execute("DELETE FROM sys_record_tag WHERE \(.memberIDs("record_id", raw))")
        try FieldFiles.removeAll(of: raw.map(RecordID.init(raw:)), at: scope.now, scope.tx)
        try scope.tx.execute("DELETE FROM sys_share WHERE \(.memberIDs("record_id", raw))")
        try RecordTerritories.forget(raw, scope.tx)
        try Emails.erase(raw.map(RecordID.init(raw:)), at: scope.now, scope.tx)
        try Scores.forget(raw, scope.tx)
        try ExternalValues.erase(raw.map(RecordID.init(raw:)), scope.tx)
        try scope.tx.execute("DELETE FROM sys_lock WHERE \(.memberIDs("record_id", raw))")
        try BlueprintRecords.remove(raw.map(RecordID.init(raw:)), scope.tx)
        try PortalUsers.remove(raw.map(RecordID.init(raw:)), scope.tx)
        try CadenceRecords.remove(raw.map(RecordID.init(raw:)), scope.tx)
        for (module, group) in Dictionary(grouping: all, by: \.module) { try unlink(group.map(\.id), of: module, scope) }
        return Set(found.map { RecordID(raw: $0.id) })
    }

    private static func rows(_ condition: SQL, _ scope: WriteScope) throws -> [(id: Int64, module: ModuleID)] {
        try scope.tx.rows("SELECT g.id, g.module_id FROM sys_grave g WHERE \(condition) ORDER BY g.id\(.lockRows)") {
            ($0.integer(0) ?? 0, ModuleID(raw: $0.integer(1) ?? 0))
        }
    }

    /// Rows that joined a record to others mean nothing without it.
    private static func unlink(_ ids: [Int64], of module: ModuleID, _ scope: WriteScope) throws {
        for (link, field) in scope.catalog.inbound(to: module) where link.linkPair != nil {
            guard let table = link.table, let column = field.columns.first else { continue }
            try scope.tx.execute("DELETE FROM \(table) WHERE \(.memberIDs("\(column)", ids))")
        }
    }
}

extension RecordQueries {
    package func recycleBin(_ question: RecycleBin.Question) async throws -> [RecycleBin.Entry] {
        let catalog = catalog
        let access = access
        return try await read { tx in try RecycleBin.list(question, catalog, access, tx) }
    }

    /// Whether a record of the module is in the bin, so that it may come back.
    package func isInRecycleBin(_ id: RecordID, of module: Module) async throws -> Bool {
        try access.require(.view, module)
        let sql: SQL =
            "SELECT 1 FROM sys_grave g WHERE g.id = \(id) AND g.module_id = \(.integer(module.id.raw)) AND g.kind = 'recycle'\(access.graves(for: .view).map { " AND \($0)" as SQL } ?? "")"
        return try await read { tx in try tx.first(sql) { _ in true } ?? false }
    }
}
