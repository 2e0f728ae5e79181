import Metadata
import SQLStore
import Wire

/// An enrolment as people see it.
package struct EnrolmentReport: Sendable {
    package let record: RecordID
    /// How many steps had their turn.
    package let stepsOver: Int64
    /// When the next has its turn; `nil` when there is none.
    package let due: Instant?
    package let by: UserID
    package let at: Instant
    /// The steps that could not be done: `step` (from 0), `at`, `code`, `message`, `details`.
    package let refusals: [JSONValue]
}

/// Who is enrolled in a cadence, and which steps could not be done.
package struct CadenceReport: Sendable {
    private let services: Services

    package init(_ services: Services) { self.services = services }

    /// In the order of the records' ids; `nil` when there is no such cadence.
    package func page(
        of cadence: RecordID, refusedOnly: Bool, skipping: Int, limit: Int
    ) async throws -> (enrolments: [EnrolmentReport], more: Bool)? {
        guard Cadence.all(services.catalog.current()).contains(where: { $0.id == cadence }) else { return nil }
        let entries = try await services.database.run(.read) { tx in
            try CadenceRecords.page(of: cadence, refusedOnly: refusedOnly, skipping: skipping, limit: limit + 1, tx)
        }
        let shown = entries.prefix(limit).map {
            EnrolmentReport(
                record: $0.record, stepsOver: $0.step, due: $0.due, by: $0.by, at: $0.at, refusals: $0.refusals.array ?? [])
        }
        return (shown, entries.count > limit)
    }
}
