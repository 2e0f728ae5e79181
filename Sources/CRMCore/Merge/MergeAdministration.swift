import Metadata
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
            case .createClient, .grant, .token, .password, .compact, .territories: throw AdminFailure("not about merging")
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
        guard case .merged(let survivor, let journal, let outcome) = try await service.merge(group, in: module, catalog, access) else {
            throw AdminFailure("the merge was scheduled")
        }
        return MergeReport(master: survivor, children: ids.filter { $0 != survivor }, journal: journal, outcome: outcome).json
    }

    private func unmerge(_ name: String, _ masterText: String, _ journalText: String) async throws -> JSONValue {
        let catalog = services.catalog.current()
        let access = try AccessPolicy.of(user, catalog)
        let module = try MergeService.module(name, catalog, access)
        let outcome = try await MergeService(services).unmerge(
            module, master: try id(masterText), journal: try id(journalText), at: JSONPath().appending("journal_id"), catalog, access)
        return outcome.json
    }

    private func id(_ text: String) throws(AdminFailure) -> RecordID {
        guard let id = RecordID(text) else { throw AdminFailure("not a record id: \(text)") }
        return id
    }
}
