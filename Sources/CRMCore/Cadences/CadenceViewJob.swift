import Metadata
import SQLStore
import Wire

/// Enrols the records of a cadence's view, every so often for as long as the cadence is there.
package struct CadenceViewJob: JobHandler {
    package static let kind = "cadence_view"
    private static let batch = 200

    package init() {}

    /// One job waits for a cadence; `version` tells it from those of former settings.
    static func schedule(
        _ cadence: RecordID, version: Int64, by user: UserID, id: RecordID, at now: Instant, due: Instant, _ tx: Transaction
    ) throws {
        let payload: JSONValue = ["cadence": .id(cadence), "version": .integer(version), "user": .string(String(user.raw))]
        try JobQueue.enqueue(kind, payload, id: id, at: now, due: due, tx)
    }

    /// A cadence was made or changed.
    package static func follow(_ body: JSONValue, id: RecordID, _ scope: MetadataScope) throws {
        let cadence = Cadence(Document(id: id, kind: .cadence, body: body))
        guard cadence.isActive, cadence.enrolment == .view else { return }
        try schedule(
            id, version: body["version"]?.int64 ?? 0, by: scope.user, id: scope.ids.next(), at: scope.now, due: scope.now, scope.tx)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let user = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        var after: RecordID?
        while true {
            try Task.checkCancellation()
            let catalog = services.catalog.current()
            guard let cadence = Cadence.all(catalog).first(where: { $0.id.raw == job.payload["cadence"]?.looseInt64 }), cadence.isActive,
                cadence.body["version"]?.int64 == job.payload["version"]?.int64, let view = cadence.view,
                let module = catalog.module(id: cadence.module),
                let selection = MassSelection(module, view: view, criteria: .null, catalog)
            else { return }
            let from = after
            let access = AccessPolicy.system("a cadence enrols the records of its view", for: user)
            after = try await services.write(catalog, access, .system, group: job.id) { scope -> RecordID? in
                let ids = try selection.next(after: from, limit: Self.batch, scope)
                try Self.enrol(ids, in: cadence, module, by: user, scope)
                guard ids.count < Self.batch else { return ids.last }
                // Once, though the job may run again when its worker dies before it is noted as done.
                guard var payload = try JobQueue.progress(job.id, kind: Self.kind, locked: true, scope.tx)?.payload, payload["next"] == nil
                else { return nil }
                payload["next"] = true
                try JobQueue.advance(job.id, done: 0, failed: 0, payload: payload, scope.tx)
                try Self.schedule(
                    cadence.id, version: job.payload["version"]?.int64 ?? 0, by: user, id: scope.ids.next(), at: scope.now,
                    due: Instant(milliseconds: max(cadence.interval.after(scope.now).milliseconds, scope.now.milliseconds + 60_000)),
                    scope.tx)
                return nil
            }
            if after == nil { return }
        }
    }

    /// Those that never were in it.
    private static func enrol(_ ids: [RecordID], in cadence: Cadence, _ module: Module, by user: UserID, _ scope: WriteScope) throws {
        let rows = try Planner(scope.catalog, scope.access).rows(ids, of: module, for: .edit, scope.tx)
        let known = Set(try CadenceRecords.of(ids, scope.tx).filter { $0.cadence == cadence.id }.map(\.record))
        let new = ids.filter { id in !known.contains(id) && rows[id].map { $0.heldByMerge == nil && !$0.isConverted } ?? false }
        try CadenceEnrolment.begin(
            new.map {
                .init(cadence: cadence.id, record: $0, module: module.id, due: cadence.firstDue(at: scope.now), by: user, at: scope.now)
            }, scope)
    }
}
