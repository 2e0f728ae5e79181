import Metadata
import SQLStore
import Wire

/// The common course of mass actions on a view: one job, its records in ascending order of id, a batch to a transaction. Where
/// a batch ended is kept with it, so that a run that was cut off goes on behind the last one that was committed.
enum MassRun {
    /// Most records of one job (mass-update and mass-delete, section notes).
    static let limit = 50_000
    private static let batch = 200

    /// Refuses when the view is empty or too large, or when an action of that kind that `conflicts` waits or runs.
    static func schedule(
        _ kind: String, _ selection: MassSelection, _ more: JSONValue, _ scope: WriteScope, conflicts: (JSONValue) -> Bool,
        refusal: Rejection
    ) throws -> RecordID {
        if try JobQueue.unfinished(kind, scope.tx).contains(where: conflicts) { throw refusal }
        let count = try selection.count(upTo: limit, scope)
        guard count > 0 else { throw Rejection(.noRecordsFound) }
        guard count <= limit else { throw Rejection(.limitExceeded, .other("limit", .integer(limit))) }
        return try enqueue(kind, selection, more, total: count, scope)
    }

    static func enqueue(_ kind: String, _ selection: MassSelection, _ more: JSONValue, total: Int, _ scope: WriteScope) throws -> RecordID {
        let id = scope.ids.next()
        let payload: JSONValue = [
            "selection": selection.json, "user": .string(String(scope.access.user.raw)), "after": .null, "more": more,
        ]
        try JobQueue.enqueue(kind, payload, id: id, at: scope.now, scope.tx)
        try JobQueue.setTotal(id, total, scope.tx)
        return id
    }

    /// `apply` says how many of the batch went well.
    static func run(
        _ job: Job, _ services: Services, batch: Int = batch, as origin: Origin = .job,
        _ apply: @Sendable @escaping ([RecordID], Module, WriteScope) throws -> Int
    ) async throws {
        let user = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        var goesOn = true
        while goesOn {
            try Task.checkCancellation()
            let catalog = services.catalog.current()
            let access = try AccessPolicy.of(user, catalog)
            goesOn = try await services.write(catalog, access, origin, group: job.id) { scope in
                // As it stands now, and held: another worker may have taken the job over, and goes on behind this batch.
                guard var payload = try JobQueue.progress(job.id, kind: job.kind, locked: true, scope.tx)?.payload else { return false }
                guard let selection = MassSelection(payload["selection"] ?? .null, scope.catalog) else { return false }
                let ids = try selection.next(after: payload["after"]?.looseInt64.map(RecordID.init(raw:)), limit: batch, scope)
                guard let last = ids.last else { return false }
                let done = try apply(ids, selection.module, scope)
                payload["after"] = .id(last)
                try JobQueue.advance(job.id, done: done, failed: ids.count - done, payload: payload, scope.tx)
                return ids.count == batch
            }
        }
    }
}

extension JobQueue {
    /// What jobs of a kind that wait or run were asked to do.
    static func unfinished(_ kind: String, _ tx: Transaction) throws -> [JSONValue] {
        try tx.rows("SELECT payload FROM sys_job WHERE state IN ('waiting', 'running') AND kind = \(.text(kind)) LIMIT 1000") { row in
            try JSONValue.parse(row.text(0) ?? "null")
        }
    }
}
