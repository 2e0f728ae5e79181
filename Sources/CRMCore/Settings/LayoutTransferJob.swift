import Metadata
import SQLStore
import Wire

/// Gives the records of a layout that is gone or off another one, a thousand at a time.
package struct LayoutTransferJob: JobHandler {
    package static let kind = "layout_transfer"
    private static let step = 1000

    package init() {}

    static func enqueue(from: RecordID, to: RecordID, of module: Module, _ scope: MetadataScope) throws {
        let payload: JSONValue = ["module": .integer(module.id.raw), "from": .id(from), "to": .id(to), "user": .integer(scope.user.raw)]
        try JobQueue.enqueue(kind, payload, id: scope.ids.next(), at: scope.now, scope.tx)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let catalog = services.catalog.current()
        try await JobQueue.countOnce(job, services) { tx in
            guard let module = catalog.module(id: ModuleID(raw: job.payload["module"]?.int64 ?? 0)), let table = module.table,
                let column = module.field("Layout")?.columns.first, let from = job.payload["from"]?.looseInt64
            else { return 0 }
            return try tx.first("SELECT count(*) FROM \(table) WHERE \(column) = \(.integer(from))") { $0.integer(0) ?? 0 } ?? 0
        }
        while try await round(job, services) == Self.step {}
    }

    private func round(_ job: Job, _ services: Services) async throws -> Int {
        let catalog = services.catalog.current()
        let access = AccessPolicy.system("the records of a layout take another", for: UserID(raw: job.payload["user"]?.int64 ?? 0))
        return try await services.write(catalog, access, .job, group: job.id) { scope in
            guard let module = catalog.module(id: ModuleID(raw: job.payload["module"]?.int64 ?? 0)), let table = module.table,
                let field = module.field("Layout"), let column = field.columns.first, let from = job.payload["from"]?.looseInt64
            else { return 0 }
            let held: SQL = "SELECT id FROM \(table) WHERE \(column) = \(.integer(from)) ORDER BY id LIMIT \(.integer(Int64(Self.step)))"
            let ids = try scope.tx.rows(held) { RecordID(raw: $0.integer(0) ?? 0) }
            let rows = try Planner(catalog, access).rows(ids, of: module, for: .edit, scope.tx)
            var entries: [ChangeLog.Entry] = []
            for before in rows.values.sorted(by: { $0.id < $1.id }) {
                var after = before
                after[field] = SQLValue(job.payload["to"]?.looseInt64)
                try RecordStore.update(after, from: before, table, scope)
                entries.append(.change(from: before, to: after))
            }
            try ChangeLog.append(entries, scope)
            try JobQueue.advance(job.id, done: ids.count, failed: 0, scope.tx)
            return ids.count
        }
    }
}
