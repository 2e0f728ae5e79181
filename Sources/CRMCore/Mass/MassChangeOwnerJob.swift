import Metadata
import SQLStore
import Wire

/// Gives all records of a selection to another owner. Contract: mass-change-owner, 219 and 220.
package struct MassChangeOwnerJob: JobHandler {
    package static let kind = "mass_change_owner"
    /// Most records of one job.
    package static let limit = 50_000
    private static let batch = 500

    package init() {}

    package static func schedule(_ selection: MassSelection, to owner: User, _ scope: WriteScope) throws -> RecordID {
        try scope.access.require(.massTransfer, selection.module)
        try scope.access.require(.edit, selection.module)
        let count = try selection.count(upTo: limit, scope)
        guard count <= limit else { throw Rejection(.recordLimitExceeded, .other("limit", .integer(limit))) }
        let id = scope.ids.next()
        let payload: JSONValue = [
            "selection": selection.json, "owner": .string(String(owner.id.raw)), "user": .string(String(scope.access.user.raw)),
            "after": .null,
        ]
        try JobQueue.enqueue(kind, payload, id: id, at: scope.now, scope.tx)
        try JobQueue.setTotal(id, count, scope.tx)
        return id
    }

    /// Batches in ascending order of id; where the last one ended is kept with it.
    package func run(_ job: Job, _ services: Services) async throws {
        let user = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        let ownerID = UserID(raw: job.payload["owner"]?.looseInt64 ?? 0)
        var payload = job.payload
        while true {
            try Task.checkCancellation()
            let catalog = services.catalog.current()
            let access = try AccessPolicy.of(user, catalog)
            let kept = payload
            guard let owner = catalog.user(ownerID), let selection = MassSelection(payload["selection"] ?? .null, catalog) else { return }
            let last = try await services.write(catalog, access, .massChangeOwner, group: job.id) { scope -> RecordID? in
                let after = kept["after"]?.looseInt64.map(RecordID.init(raw:))
                let ids = try selection.next(after: after, limit: Self.batch, scope)
                guard let last = ids.last else { return nil }
                let rows = try Planner(scope.catalog, scope.access).rows(ids, of: selection.module, for: .edit, scope.tx)
                let changing = ids.filter { rows[$0]?["Owner"].integer != owner.id.raw }
                let outcomes = try OwnerChange(to: owner).apply(to: changing, of: selection.module, services.records, scope)
                let done = outcomes.filter { (try? $0.get()) != nil }.count
                var next = kept
                next["after"] = .id(last)
                try JobQueue.advance(job.id, done: done, failed: outcomes.count - done, payload: next, scope.tx)
                return last
            }
            guard let last else { return }
            payload["after"] = .id(last)
        }
    }
}
