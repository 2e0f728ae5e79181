import Metadata
import SQLStore
import Wire

/// Runs a scheduled merge, of three or of a group.
package struct MergeJob: JobHandler {
    package static let kind = "merge"

    package init() {}

    package func run(_ job: Job, _ services: Services) async throws {
        let id = job.id
        guard let entry = try await services.database.run(.read, { tx in try MergeJournal.entry(id, tx) }) else { return }
        let work = HeldWork(id: id, table: "sys_merge", module: entry.module, held: [entry.master] + entry.children)
        try await work.run(job, services) {
            let catalog = services.catalog.current()
            guard let module = catalog.module(id: entry.module) else { throw Rejection.invalidModule() }
            let access = try AccessPolicy.of(entry.user, catalog)
            try await services.write(catalog, access, .merge, group: entry.id) { scope in
                guard case .merged(_, _, let outcome) = try Self.perform(entry, module, scope) else { return }
                try work.complete(outcome.json, scope)
            }
        }
    }

    private static func perform(_ entry: MergeJournal.Entry, _ module: Module, _ scope: WriteScope) throws -> MergeService.Answer {
        if let group = entry.request["group"] {
            return try MergeService.perform(try MergeService.Group(kept: group, for: module), module, holder: entry.id, scope)
        }
        let object = JSONCursor(entry.request, at: JSONPath().appending("merge").appending(0))
        return try MergeService.perform(object, module, master: entry.master, holder: entry.id, scope)
    }
}
