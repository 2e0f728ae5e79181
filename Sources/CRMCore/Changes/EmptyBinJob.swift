import Metadata
import SQLStore
import Wire

/// Deletes many records of the recycle bin for good: those named, or all that a filter finds.
package struct EmptyBinJob: JobHandler {
    package static let kind = "empty_bin"
    /// So many rows, with what went with them, are deleted at once; more become a job (recycle-bin, 217).
    package static let synchronousLimit = 1000
    private static let batch = 200

    package init() {}

    package static func schedule(ids: [RecordID]?, filter: RecycleBin.Filter, _ scope: WriteScope) throws {
        let payload: JSONValue = [
            "user": .string(String(scope.access.user.raw)), "ids": ids.map { .array($0.map { .id($0) }) } ?? .null, "filter": filter.json,
        ]
        try JobQueue.enqueue(kind, payload, id: scope.ids.next(), at: scope.now, scope.tx)
    }

    /// Deletes those named that are in the bin, or leaves them to a job when too much went with them; then the answer is nil.
    package static func eraseOrSchedule(_ ids: [RecordID], _ scope: WriteScope) throws -> Set<RecordID>? {
        guard try RecycleBin.weight(ids, scope.tx) > synchronousLimit else { return try RecycleBin.erase(ids, scope) }
        try schedule(ids: ids, filter: .init(), scope)
        return nil
    }

    /// What is erased leaves the bin, so each batch, and each run, begins where the last ended.
    package func run(_ job: Job, _ services: Services) async throws {
        let user = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        let filter = RecycleBin.Filter(job.payload["filter"] ?? .null)
        let ids = job.payload["ids"]?.array?.compactMap { $0.looseInt64.map(RecordID.init(raw:)) }
        try await JobQueue.countOnce(job, services) { tx in
            let catalog = services.catalog.current()
            return try RecycleBin.count(ids: ids, filter, catalog, try AccessPolicy.of(user, catalog), tx)
        }
        var more = true
        while more {
            try Task.checkCancellation()
            let catalog = services.catalog.current()
            let access = try AccessPolicy.of(user, catalog)
            more = try await services.write(catalog, access, .job, group: job.id) { scope in
                let question = RecycleBin.Question(
                    ids: ids, filter: filter, sort: .deletedTime, descending: false, skipping: 0, limit: Self.batch)
                let found = try RecycleBin.list(question, scope.catalog, scope.access, scope.tx).map(\.id)
                let gone = try RecycleBin.erase(found, scope)
                try JobQueue.advance(job.id, done: gone.count, failed: 0, scope.tx)
                return found.count == Self.batch
            }
        }
    }
}
