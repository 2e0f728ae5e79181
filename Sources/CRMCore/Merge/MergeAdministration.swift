import Metadata
import SQLStore
import Wire

/// Merges from the command line: the same calls as the API's, with the rights of a user.
struct MergeAdministration {
    let services: Services
    let user: UserID

    func perform(_ request: AdminRequest) async throws -> JSONValue {
        do {
            switch request {
            case .merge(let name, let ids, let master, let policy, let dryRun, _): return try await merge(name, ids, master, policy, dryRun)
            case .unmerge(let name, let master, let journal, _): return try await unmerge(name, master, journal)
            case .createClient, .listClients, .deleteClient, .jobs, .grant, .token, .password, .compact, .territories:
                throw AdminFailure("not about merging")
            }
        } catch let rejection as Rejection {
            throw AdminFailure("\(rejection.code.name): \(rejection.message) \(rejection.details.text)")
        }
    }

    private func merge(_ name: String, _ texts: [String], _ masterText: String?, _ policy: JSONValue, _ dryRun: Bool) async throws
        -> JSONValue
    {
        let catalog = services.catalog.current()
        let access = try AccessPolicy.of(user, catalog)
        let module = try MergeService.module(name, catalog, access)
        let ids = try texts.map(id)
        let master = try masterText.map(id)
        guard (2...MergeService.groupLimit).contains(ids.count) else {
            throw AdminFailure("a merge takes 2 to \(MergeService.groupLimit) records")
        }
        if let master, !ids.contains(master) { throw AdminFailure("the master must be one of the records") }
        let group = MergeService.Group(
            ids: ids, paths: ids.indices.map { JSONPath().appending("ids").appending($0) }, master: master,
            policy: try StoredPolicies.policy(JSONCursor(policy), for: module, catalog))
        let service = MergeService(services)
        if dryRun { return try await service.preview(group, in: module, catalog, access, zone: catalog.zone).json }
        switch try await service.merge(group, in: module, catalog, access) {
        case .merged(let survivor, let journal, let outcome):
            return MergeReport(master: survivor, children: ids.filter { $0 != survivor }, journal: journal, outcome: outcome).json
        case .scheduled(let survivor, let job):
            let outcome = try await awaited { tx in try MergeJournal.entry(job, tx).map { ($0.state, $0.outcome.json) } }
            return MergeReport(master: survivor, children: ids.filter { $0 != survivor }, journal: job, outcome: MergeOutcome(outcome)).json
        }
    }

    private func unmerge(_ name: String, _ masterText: String, _ journalText: String) async throws -> JSONValue {
        let catalog = services.catalog.current()
        let access = try AccessPolicy.of(user, catalog)
        let module = try MergeService.module(name, catalog, access)
        let answer = try await MergeService(services).unmerge(
            module, master: try id(masterText), journal: try id(journalText), at: JSONPath().appending("journal_id"), catalog, access)
        switch answer {
        case .undone(let outcome): return outcome.json
        case .scheduled(let job): return try await awaited { tx in try ScheduledUndos.entry(job, tx).map { ($0.state, $0.outcome) } }
        }
    }

    /// The outcome of scheduled work. A command waits for it, and does it when no server does.
    private func awaited(
        _ state: @Sendable @escaping (Transaction) throws -> (MergeJournal.State, JSONValue)?
    ) async throws -> JSONValue {
        while true {
            await JobWorker(services).drain()
            guard let (state, outcome) = try await services.database.run(.read, { tx in try state(tx) }) else { return .null }
            switch state {
            case .completed: return outcome
            case .failure: throw AdminFailure("the job failed and changed nothing")
            case .scheduled, .running: try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private func id(_ text: String) throws(AdminFailure) -> RecordID {
        guard let id = RecordID(text) else { throw AdminFailure("not a record id: \(text)") }
        return id
    }
}
