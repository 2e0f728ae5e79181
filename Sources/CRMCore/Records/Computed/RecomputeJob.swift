import Metadata
import SQLStore
import Wire

/// Fills the formula and roll-up fields of a module's records after one was made or changed, some hundred records at a time.
package struct RecomputeJob: JobHandler {
    package static let kind = "recompute_fields"
    private static let step = 500

    package init() {}

    /// Part of the change of metadata.
    static func enqueue(_ module: Module, _ scope: MetadataScope) throws {
        let payload: JSONValue = ["module": .integer(module.id.raw), "user": .integer(scope.user.raw)]
        try JobQueue.enqueue(kind, payload, id: scope.ids.next(), at: scope.now, scope.tx)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        var last: Int64 = 0
        while let next = try await round(job, after: last, services) { last = next }
    }

    /// Every record is computed from what is stored, so a job that starts again only does some twice.
    private func round(_ job: Job, after last: Int64, _ services: Services) async throws -> Int64? {
        let catalog = services.catalog.current()
        let access = AccessPolicy.system("computed fields hold for every record", for: UserID(raw: job.payload["user"]?.int64 ?? 0))
        return try await services.write(catalog, access, .job, group: job.id) { scope in
            guard let module = catalog.module(id: ModuleID(raw: job.payload["module"]?.int64 ?? 0)), let table = module.table else {
                return nil
            }
            let ids = try scope.tx.rows(
                "SELECT t.id FROM \(table) t WHERE t.id > \(.integer(last)) ORDER BY t.id LIMIT \(.integer(Int64(Self.step)))"
            ) { $0.integer(0) ?? 0 }
            for (_, rollups) in Dictionary(grouping: catalog.rollups.filter { $0.owner == module.id }, by: \.via.id) {
                try RollupRefresh.compute(rollups, of: ids, scope)
            }
            if !module.formulas.isEmpty { try Formulas.compute(ids, of: module, scope) }
            return ids.last
        }
    }
}
