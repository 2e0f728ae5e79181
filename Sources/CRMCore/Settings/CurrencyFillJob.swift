import Metadata
import SQLStore
import Wire

/// Gives records that were there before several currencies were in use the base currency and its rate (currencies, 208). That is
/// what they were in all along, so it is no change anybody made: times and change log stay as they are.
package struct CurrencyFillJob: JobHandler {
    package static let kind = "currency_fill"
    private static let batch: Int64 = 1_000

    package init() {}

    /// Part of the change of metadata that turns currencies on.
    static func enqueue(_ scope: MetadataScope) throws {
        try JobQueue.enqueue(kind, [:], id: scope.ids.next(), at: scope.now, scope.tx)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let catalog = services.catalog.current()
        for module in catalog.modules where module.table != nil && module.field("Exchange_Rate") != nil {
            var last: RecordID? = RecordID(raw: 0)
            while let after = last {
                try Task.checkCancellation()
                last = try await services.write(catalog, .system("records get the base currency"), .job, group: job.id) { scope in
                    try Self.fill(module, after: after, scope)
                }
            }
        }
    }

    /// The last record of the batch; nothing when none is left.
    private static func fill(_ module: Module, after: RecordID, _ scope: WriteScope) throws -> RecordID? {
        guard let table = module.table, let currency = module.field("Currency")?.columns.first,
            let rate = module.field("Exchange_Rate")?.columns.first,
            let base = Currency.all(scope.catalog).first(where: \.isBase)
        else { return nil }
        let ids = try scope.tx.rows(
            "SELECT t.id FROM \(table) t WHERE t.id > \(after) AND t.\(currency) IS NULL ORDER BY t.id LIMIT \(.integer(batch))\(.lockRowsForChange)"
        ) { $0.integer(0) ?? 0 }
        guard let last = ids.last else { return nil }
        try scope.tx.execute(
            """
            UPDATE \(table) SET \(currency) = \(.text(base.code)), \(rate) = coalesce(\(rate), \(.real(base.rate))), row_version = row_version + 1 \
            WHERE \(.memberIDs("id", ids))
            """)
        return RecordID(raw: last)
    }
}
