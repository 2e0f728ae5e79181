import Metadata
import SQLStore
import Wire

/// Runs a scheduled undo.
package struct UnmergeJob: JobHandler {
    package static let kind = "unmerge"

    package init() {}

    package func run(_ job: Job, _ services: Services) async throws {
        let id = job.id
        let found = try await services.database.run(.read) { tx -> (ScheduledUndos.Entry, ModuleID)? in
            guard let undo = try ScheduledUndos.entry(id, tx), let merge = try MergeJournal.entry(undo.merge, tx) else { return nil }
            return (undo, merge.module)
        }
        guard let (undo, moduleID) = found else { return }
        let work = HeldWork(id: id, table: ScheduledUndos.table, module: moduleID, held: [undo.master])
        try await work.run(job, services) {
            let catalog = services.catalog.current()
            guard let module = catalog.module(id: moduleID) else { throw Rejection.invalidModule() }
            let access = try AccessPolicy.of(undo.user, catalog)
            try await services.write(catalog, access, .merge, group: id) { scope in
                // Accepted in time, it is carried out whenever its turn comes.
                let merge = try MergeService.undoable(undo.merge, of: undo.master, in: module, at: JSONPath(), .forever, scope)
                let outcome = try Unmerge(merge, holder: id, scope).run()
                try work.complete(outcome.json, scope)
            }
        }
    }
}
