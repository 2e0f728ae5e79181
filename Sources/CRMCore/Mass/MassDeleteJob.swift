import Metadata
import Wire

/// Moves a whole view to the recycle bin. Contract: mass-delete, 203.
package struct MassDeleteJob: JobHandler {
    package static let kind = "mass_delete"

    package init() {}

    package static func schedule(_ selection: MassSelection, _ scope: WriteScope) throws -> RecordID {
        try scope.access.require(.massDelete, selection.module)
        try scope.access.require(.delete, selection.module)
        return try MassRun.schedule(
            kind, selection, [:], scope, conflicts: { $0["selection"]?["module"] == selection.json["module"] },
            refusal: Rejection(.alreadyScheduled))
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let records = services.records
        try await MassRun.run(job, services) { ids, module, scope in
            try records.delete(ids.map { ($0, JSONPath()) }, module, scope).filter { (try? $0.get()) != nil }.count
        }
    }
}
