import Metadata
import SQLStore
import Wire

/// A territory goes: its children to another one, its records there too or out of it, and what named it forgets it.
package enum TerritoryRemoval {
    /// Takes a territory out of the tree. `heir` takes its children and records; without one it has no children.
    package static func remove(_ territory: RecordID, heir: RecordID?, _ scope: MetadataScope) throws {
        for child in scope.catalog.territories.children(of: territory) {
            var body = child.body
            body["reporting_to"] = heir.map { ["id": .id($0)] } ?? .null
            try scope.replace(child.id, body: body)
        }
        try PeopleSources.remove(.territories, territory, heir: heir, scope)
        // A first batch at once, so that a territory of ordinary size is empty when the call is answered.
        if try TerritoryMoveJob.move(territory, to: heir, scope.tx) {
            try JobQueue.enqueue(
                TerritoryMoveJob.kind, ["territory": .id(territory), "heir": heir.map { .id($0) } ?? .null], id: scope.ids.next(),
                at: scope.now, scope.tx)
        }
    }
}

/// Empties a territory that is no more, into another one or out of all.
package struct TerritoryMoveJob: JobHandler {
    package static let kind = "territory_move"
    private static let batch = 5_000

    package init() {}

    package func run(_ job: Job, _ services: Services) async throws {
        let territory = RecordID(raw: job.payload["territory"]?.looseInt64 ?? 0)
        let heir = job.payload["heir"]?.looseInt64.map(RecordID.init(raw:))
        var goesOn = true
        while goesOn {
            try Task.checkCancellation()
            let access = AccessPolicy.system("what stood in a removed territory")
            goesOn = try await services.write(services.catalog.current(), access, .system, group: job.id) { scope in
                // A heir may itself have gone meanwhile.
                try Self.move(territory, to: heir.flatMap { scope.catalog.territories[$0]?.id }, scope.tx)
            }
        }
    }

    /// Moves a batch in ascending order of records; whether there may be more. A deal that stands elsewhere too, or a record
    /// that the heir has already, only leaves.
    static func move(_ territory: RecordID, to heir: RecordID?, _ tx: Transaction) throws -> Bool {
        let some: SQL = """
            SELECT r.record_id FROM sys_record_territory r WHERE r.territory_id = \(territory) ORDER BY r.record_id LIMIT \(.integer(Int64(batch)))\(.lockRows)
            """
        let records = try tx.rows(some) { $0.integer(0) ?? 0 }
        guard !records.isEmpty else { return false }
        let those: SQL = "\(.memberIDs("record_id", records))"
        if let heir {
            try tx.execute(
                """
                UPDATE sys_record_territory SET territory_id = \(heir) WHERE territory_id = \(territory) AND \(those) \
                AND record_id NOT IN (SELECT h.record_id FROM sys_record_territory h WHERE h.territory_id = \(heir) AND \(.memberIDs("h.record_id", records)))
                """)
        }
        try tx.execute("DELETE FROM sys_record_territory WHERE territory_id = \(territory) AND \(those)")
        return records.count == batch
    }
}
