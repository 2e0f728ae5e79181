import Metadata
import SQLStore
import Wire

/// Moves the deals of a pipeline that is gone to another, stage by stage, a thousand at a time.
package struct PipelineTransferJob: JobHandler {
    package static let kind = "pipeline_transfer"
    private static let step = 1000

    package init() {}

    /// `stages` are pairs of shown stages. Returns the job's id.
    package static func enqueue(from: String, to: String, stages: [(String, String)], _ scope: MetadataScope) throws -> RecordID {
        let id = scope.ids.next()
        let payload: JSONValue = [
            "from": .string(from), "to": .string(to), "stages": .object(stages.map { .init($0.0, .string($0.1)) }),
            "user": .integer(scope.user.raw),
        ]
        try JobQueue.enqueue(kind, payload, id: id, at: scope.now, scope.tx)
        return id
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let catalog = services.catalog.current()
        try await JobQueue.countOnce(job, services) { tx in
            guard let deals = catalog.module("Deals"), let table = deals.table, let column = deals.field("Pipeline")?.columns.first else {
                return 0
            }
            let from = SQLValue(job.payload["from"]?.string)
            return try tx.first("SELECT count(*) FROM \(table) WHERE \(column) = \(from)") { $0.integer(0) ?? 0 } ?? 0
        }
        while try await round(job, services) == Self.step {}
    }

    private func round(_ job: Job, _ services: Services) async throws -> Int {
        let catalog = services.catalog.current()
        let access = AccessPolicy.system("the deals of a deleted pipeline take another", for: UserID(raw: job.payload["user"]?.int64 ?? 0))
        return try await services.write(catalog, access, .job, group: job.id) { scope in
            guard let deals = catalog.module("Deals"), let table = deals.table, let column = deals.field("Pipeline")?.columns.first else {
                return 0
            }
            let from = SQLValue(job.payload["from"]?.string)
            let ids = try scope.tx.rows("SELECT id FROM \(table) WHERE \(column) = \(from) ORDER BY id LIMIT \(.integer(Int64(Self.step)))")
            {
                RecordID(raw: $0.integer(0) ?? 0)
            }
            let rows = try Planner(catalog, access).rows(ids, of: deals, for: .edit, scope.tx)
            let pipelines = Pipelines(catalog)
            var changes: [(before: Record?, after: Record)] = []
            for before in rows.values.sorted(by: { $0.id < $1.id }) {
                var after = before
                after["Pipeline"] = SQLValue(job.payload["to"]?.string)
                if let stage = before["Stage"].text, let new = job.payload["stages"]?[stage]?.string, new != stage {
                    after["Stage"] = .text(new)
                    pipelines.setProbability(of: &after)
                    pipelines.setExpectedRevenue(of: &after)
                }
                try RecordStore.update(after, from: before, table, scope)
                changes.append((before, after))
            }
            try ChangeLog.append(changes.compactMap { change in change.before.map { .change(from: $0, to: change.after) } }, scope)
            _ = try StageHistoryRule.append(changes.filter { $0.before?["Stage"] != $0.after["Stage"] }, scope)
            try JobQueue.advance(job.id, done: ids.count, failed: 0, scope.tx)
            return ids.count
        }
    }
}
