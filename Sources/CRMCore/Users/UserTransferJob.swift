import Metadata
import SQLStore
import Wire

/// Gives all records of a user who is gone to another one. Contract: users, 122 and 123.
package struct UserTransferJob: JobHandler {
    package static let kind = "user_transfer"
    private static let batch: Int64 = 500

    package init() {}

    /// Records under merge cannot change hands; the job tries again later.
    private struct HeldByMerge: Error {}

    static func schedule(_ user: UserID, to heir: UserID?, by caller: UserID, _ scope: MetadataScope) throws -> RecordID {
        let id = scope.ids.next()
        let payload: JSONValue = [
            "user": .string(String(user.raw)), "heir": heir.map { .string(String($0.raw)) } ?? .null,
            "by": .string(String(caller.raw)), "module": .null, "after": .null,
        ]
        try JobQueue.enqueue(kind, payload, id: id, at: scope.now, scope.tx)
        if let heir { try Counters.keep(heir.raw, as: heirOf(user), scope.tx) }
        return id
    }

    /// Module by module in ascending order of id, a batch to a transaction; where one ended is kept with it.
    package func run(_ job: Job, _ services: Services) async throws {
        var goesOn = true
        while goesOn {
            try Task.checkCancellation()
            let by = UserID(raw: job.payload["by"]?.looseInt64 ?? 0)
            let access = AccessPolicy.system("all records of a deleted user go to another", for: by)
            let catalog = services.catalog.current()
            goesOn = try await services.write(catalog, access, .massChangeOwner, group: job.id) { scope in try Self.step(job, scope) }
        }
        // A second look for what a merge held.
        let left = try await services.database.run(.read) { tx in try Self.isAnyLeft(job, services.catalog.current(), tx) }
        guard left else { return }
        var payload = job.payload
        for key in ["module", "after"] { payload[key] = .null }
        let fresh = payload
        try await services.database.run(.write) { tx in try JobQueue.advance(job.id, done: 0, failed: 0, payload: fresh, tx) }
        throw HeldByMerge()
    }

    private static func step(_ job: Job, _ scope: WriteScope) throws -> Bool {
        guard var payload = try JobQueue.progress(job.id, kind: job.kind, scope.tx)?.payload,
            let user = payload["user"]?.looseInt64, let named = payload["heir"]?.looseInt64.map(UserID.init(raw:))
        else { return false }
        let heir = try living(named, scope)
        let modules = owned(scope.catalog)
        let reached = payload["module"]?.looseInt64 ?? 0
        guard let (module, table, column) = modules.first(where: { $0.module.id.raw >= reached }) else { return false }
        let after = module.id.raw == reached ? payload["after"]?.looseInt64 ?? 0 : 0
        let ids = try scope.tx.rows(
            """
            SELECT t.id FROM \(table) t WHERE t.\(column) = \(.integer(user)) AND t.id > \(.integer(after)) AND t.in_merge IS NULL \
            ORDER BY t.id LIMIT \(.integer(batch))\(.lockRowsForChange)
            """
        ) { RecordID(raw: $0.integer(0) ?? 0) }
        if !ids.isEmpty {
            try OwnerChange.move(
                module, where: "\(.memberIDs("t.id", ids.map(\.raw))) AND t.\(column) = \(.integer(user))", to: heir, scope)
            try TerritoryRules(module, scope)?.apply(to: ids)
        }
        let finished = Int64(ids.count) < batch
        payload["module"] = .string(String(finished ? module.id.raw + 1 : module.id.raw))
        payload["after"] = finished ? .null : ids.last.map { .id($0) } ?? .null
        try JobQueue.advance(job.id, done: ids.count, failed: 0, payload: payload, scope.tx)
        return true
    }

    private struct HeirIsGone: Error {}

    /// Under which name it is kept who took over from a user.
    private static func heirOf(_ user: UserID) -> String { "heir_of_user:\(user.raw)" }

    /// The user asked for, or whoever took over from that one meanwhile. An heir is there when somebody goes, so the way ends.
    private static func living(_ heir: UserID, _ scope: WriteScope) throws -> UserID {
        func isGone(_ user: UserID) -> Bool { scope.catalog.user(user).map { $0.status == "deleted" } ?? true }
        var found = heir
        while isGone(found), let next = try Counters.kept(heirOf(found), scope.tx) { found = UserID(raw: next) }
        guard !isGone(found) else { throw HeirIsGone() }
        return found
    }

    private static func isAnyLeft(_ job: Job, _ catalog: Catalog, _ tx: Transaction) throws -> Bool {
        guard let user = job.payload["user"]?.looseInt64, job.payload["heir"]?.looseInt64 != nil else { return false }
        // One probe for each module.
        return try owned(catalog).contains { _, table, column in
            try tx.first("SELECT 1 FROM \(table) t WHERE t.\(column) = \(.integer(user)) LIMIT 1") { _ in true } ?? false
        }
    }

    /// The modules whose records have an owner, in the order of their ids.
    private static func owned(_ catalog: Catalog) -> [(module: Module, table: TableName, column: ColumnName)] {
        catalog.modules.compactMap { module in
            guard let table = module.table, let column = module.field("Owner")?.columns.first else { return nil }
            return (module, table, column)
        }.sorted { $0.module.id < $1.module.id }
    }
}
