import Metadata
import SQLStore
import Wire

/// Runs a scheduled merge. It is one transaction, so a crash leaves it to be run again from the start.
package struct MergeJob: JobHandler {
    package static let kind = "merge"

    package init() {}

    package func run(_ job: Job, _ services: Services) async throws {
        let id = job.id
        guard let entry = try await services.database.run(.read, { tx in try MergeJournal.entry(id, tx) }) else { return }
        guard entry.state == .scheduled || entry.state == .running else { return }
        let now = services.clock()
        guard try await services.database.run(.write, { tx in try MergeJournal.advance(id, to: .running, at: now, tx) }) else { return }
        do {
            try await carryOut(entry, services)
        } catch let refusal as MergeRefusal {
            try await giveUp(entry, refusal.rejection, services)
        } catch let rejection as Rejection {
            try await giveUp(entry, rejection, services)
        } catch  where job.isLastAttempt {
            // Nobody will try again: the records may not stay locked.
            try await giveUp(entry, Rejection(.internalError), services)
            throw error
        }
    }

    private func carryOut(_ entry: MergeJournal.Entry, _ services: Services) async throws {
        let catalog = services.catalog.current()
        guard let module = catalog.module(id: entry.module) else { throw Rejection.invalidModule() }
        let access = try AccessPolicy.of(entry.user, catalog)
        let object = JSONCursor(entry.request, at: JSONPath().appending("merge").appending(0))
        try await services.write(catalog, access, .merge, group: entry.id) { scope in
            guard case .merged(_, _, let outcome) = try MergeService.perform(object, module, master: entry.master, holder: entry.id, scope)
            else { return }
            // Another worker that took this one for dead may have finished it: then nothing of ours may stay.
            guard try MergeJournal.advance(entry.id, to: .completed, outcome: outcome.json, at: scope.now, scope.tx) else {
                throw Rejection(.notAllowed)
            }
        }
    }

    /// Nothing has changed; the records are free again.
    private func giveUp(_ entry: MergeJournal.Entry, _ reason: Rejection, _ services: Services) async throws {
        let now = services.clock()
        let table = services.catalog.current().module(id: entry.module)?.table
        try await services.database.run(.write) { tx in
            guard try MergeJournal.advance(entry.id, to: .failure, outcome: reason.result, at: now, tx), let table else { return }
            let held = ([entry.master] + entry.children).map(\.raw)
            try tx.execute("UPDATE \(table) SET in_merge = NULL WHERE \(.memberIDs("id", held)) AND in_merge = \(entry.id)")
        }
    }
}
