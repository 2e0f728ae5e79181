import Metadata
import SQLStore
import Wire

/// Deletes many tags of a module. Contract: tags, 57 and 58.
package struct TagMassDeleteJob: JobHandler {
    package static let kind = "tag_mass_delete"

    package init() {}

    /// Leaves the work to a job. Every tag must be there when it is asked for.
    package static func schedule(_ tags: [(id: RecordID, path: JSONPath)], of module: Module, _ scope: WriteScope) throws -> RecordID {
        let known = Set(try TagDirectory.tags(of: module.id, scope.tx).map(\.id))
        if let unknown = tags.first(where: { !known.contains($0.id) }) { throw Rejection.unknownRecord(at: unknown.path) }
        let id = scope.ids.next()
        let payload: JSONValue = [
            "module": .string(String(module.id.raw)), "user": .string(String(scope.access.user.raw)),
            "tags": .array(tags.map { .id($0.id) }),
        ]
        try JobQueue.enqueue(kind, payload, id: id, at: scope.now, scope.tx)
        try JobQueue.setTotal(id, tags.count, scope.tx)
        return id
    }

    /// One transaction: tags are few. Those gone meanwhile count as failed, once: a run that was cut off behind it has told all.
    package func run(_ job: Job, _ services: Services) async throws {
        let ids = (job.payload["tags"]?.array ?? []).compactMap { $0.looseInt64.map(RecordID.init(raw:)) }
        let module = ModuleID(raw: job.payload["module"]?.looseInt64 ?? 0)
        let user = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        let access = AccessPolicy.system("the right to delete tags was checked when the job was asked for", for: user)
        try await services.write(services.catalog.current(), access, .job, group: job.id) { scope in
            guard let kept = try JobQueue.progress(job.id, kind: Self.kind, locked: true, scope.tx), kept.done + kept.failed == 0 else {
                return
            }
            let gone = try TagDirectory.delete(ids, of: module, scope)
            try JobQueue.advance(job.id, done: gone.count, failed: ids.count - gone.count, scope.tx)
        }
    }
}
