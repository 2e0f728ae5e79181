import Metadata
import Wire

/// An event or task that is told to repeat gets its further occurrences by a job, in the transaction that says so. Those are records of
/// their own: what happens to one of them later happens to it alone.
struct RecurrenceRule: RecordRule {
    private static let field = "Recurring_Activity"

    func concerns(_ module: Module) -> Bool { ["Events", "Tasks"].contains(module.apiName) }

    func after(_ changes: [PendingChange], _ scope: WriteScope) throws {
        // The job's own records do not repeat once more.
        guard scope.origin != .job else { return }
        for change in changes where change.gave(Self.field) && !change.after[Self.field].isNull {
            guard change.before.map({ $0[Self.field].isNull }) ?? true else { continue }
            let payload: JSONValue = [
                "user": .string(String(scope.access.user.raw)), "module": .string(String(change.after.module.id.raw)),
                "record": .id(change.after.id),
                "made": 0,
            ]
            try JobQueue.enqueue(RecurrenceJob.kind, payload, id: scope.ids.next(), at: scope.now, scope.tx)
        }
    }
}
