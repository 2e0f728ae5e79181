import Metadata
import SQLStore
import Wire

/// Takes the transitions that happen by themselves: one job waits for each, and finds nothing to do when the record has gone on meanwhile.
package struct BlueprintClock: JobHandler {
    package static let kind = "blueprint_clock"

    package init() {}

    /// Has the clock look at records that have come into their state now. One statement for all.
    static func set(_ blueprint: Blueprint, _ records: [Record], _ scope: WriteScope) throws {
        let automatic = blueprint.transitions.filter { $0.kind == .automatic }
        guard !automatic.isEmpty, let field = records.first?.module.field(blueprint.field) else { return }
        let jobs = records.flatMap { record in
            automatic.filter { $0.from.contains(Blueprint.state(of: record, field)) }.map { transition -> [SQLValue] in
                let payload: JSONValue = [
                    "module": .string(String(record.module.id.raw)), "record": .id(record.id), "transition": .id(transition.id),
                    "since": .integer(scope.now.milliseconds), "user": .string(String(scope.access.user.raw)),
                ]
                let due = transition.delay?.after(scope.now) ?? scope.now
                return [
                    .integer(scope.ids.next().raw), .text(kind), .text(payload.text), .text("waiting"), .init(due), .init(scope.now),
                ]
            }
        }
        try scope.tx.insert(into: "sys_job", ["id", "kind", "payload", "state", "run_at", "created_at"], rows: jobs)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let id = RecordID(raw: job.payload["record"]?.looseInt64 ?? 0)
        let wanted = job.payload["transition"]?.looseInt64
        let since = job.payload["since"]?.int64
        let user = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        let catalog = services.catalog.current()
        let access = AccessPolicy.system("a transition happens by itself", for: user)
        guard let module = catalog.module(id: ModuleID(raw: job.payload["module"]?.looseInt64 ?? 0)) else { return }
        try await services.write(catalog, access, .blueprint, group: job.id) { scope in
            guard let record = try Planner(scope.catalog, scope.access).rows([id], of: module, for: .edit, scope.tx)[id],
                let state = try BlueprintState.of(record, scope.catalog, scope.tx), state.place.since.milliseconds == since,
                let transition = state.transitions.first(where: { $0.id.raw == wanted && $0.kind == .automatic }), !record.isConverted
            else { return }
            // Held by a merge: tried again when that is done.
            if record.heldByMerge != nil { throw Rejection(.recordLocked, .id(id)) }
            try TransitionRun(module, scope, on: id).happen(transition, state, record)
        }
    }
}

extension TransitionRun {
    /// What the rules refuse leaves the record where it is.
    fileprivate func happen(_ transition: Transition, _ state: BlueprintState, _ record: Record) throws {
        guard try matches(transition.criteria, record) else { return }
        do { try scope.tx.savepoint { try complete(transition, state, record) } } catch is Rejection {}
    }
}
