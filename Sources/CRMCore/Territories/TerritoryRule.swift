import Metadata
import SQLStore
import Wire

/// Puts records into the territories whose criteria they meet, and takes them out when they meet them no more.
struct TerritoryRule: RecordRule {
    func concerns(_ module: Module) -> Bool { TerritorySetup.criteriaKeys.contains { $0.module == module.apiName } }

    func after(_ changes: [PendingChange], _ scope: WriteScope) throws {
        guard let module = changes.first?.after.module, let rules = TerritoryRules(module, scope) else { return }
        try rules.apply(to: changes.filter(rules.concern).map(\.after.id))
    }
}

/// Asks the criteria of a module's territories of all its records, after criteria have changed.
package struct TerritoryRulesJob: JobHandler {
    package static let kind = "territory_rules"
    private static let batch = 500

    package init() {}

    package static func schedule(_ module: Module, _ scope: MetadataScope) throws {
        try JobQueue.enqueue(
            kind, ["module": .string(String(module.id.raw)), "after": .null], id: scope.ids.next(), at: scope.now, scope.tx)
    }

    /// Batches in ascending order of id; where the last one ended is kept with it.
    package func run(_ job: Job, _ services: Services) async throws {
        var goesOn = true
        while goesOn {
            try Task.checkCancellation()
            let access = AccessPolicy.system("criteria of territories hold for all records")
            goesOn = try await services.write(services.catalog.current(), access, .system, group: job.id) { scope in
                guard var payload = try JobQueue.progress(job.id, kind: job.kind, scope.tx)?.payload,
                    let module = scope.catalog.module(id: ModuleID(raw: payload["module"]?.looseInt64 ?? 0)), let table = module.table,
                    let rules = TerritoryRules(module, scope)
                else { return false }
                let after = SQLValue.integer(payload["after"]?.looseInt64 ?? 0)
                let ids = try scope.tx.rows(
                    "SELECT t.id FROM \(table) t WHERE t.id > \(after) ORDER BY t.id LIMIT \(.integer(Int64(Self.batch)))"
                ) { RecordID(raw: $0.integer(0) ?? 0) }
                guard let last = ids.last else { return false }
                try rules.apply(to: ids, locking: true)
                payload["after"] = .id(last)
                try JobQueue.advance(job.id, done: ids.count, failed: 0, payload: payload, scope.tx)
                return ids.count == Self.batch
            }
        }
    }
}
