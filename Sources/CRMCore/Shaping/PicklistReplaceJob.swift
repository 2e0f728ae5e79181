import Metadata
import SQLStore
import Wire

/// Gives records that hold one option of a picklist another one, a thousand at a time, with an entry in the change log for each.
package struct PicklistReplaceJob: JobHandler {
    package static let kind = "picklist_replace"
    private static let step = 1000

    package init() {}

    /// Part of the change of metadata: one job for each option and field. Chains of renames are refused.
    static func enqueue(
        _ renamed: [(old: String, new: String)], field: Field, of module: Module, list: RecordID? = nil, _ scope: MetadataScope
    ) throws {
        guard !field.columns.isEmpty else { return }
        // One job runs after another: with A to B and B to C in one call, records that held A would end at C.
        if let chained = renamed.first(where: { first in renamed.contains { $0.old == first.new } }) {
            throw Rejection(
                .notAllowed, message: "an option cannot take the name of another that is renamed in the same call",
                .apiName("display_value"),
                .other("value", .string(chained.new)))
        }
        for (old, new) in renamed {
            let payload: JSONValue = [
                "module": .integer(module.id.raw), "field": .integer(field.id.raw), "old": .string(old), "new": .string(new),
                "user": .integer(scope.user.raw), "list": list.map { .id($0) } ?? .null,
            ]
            try JobQueue.enqueue(kind, payload, id: scope.ids.next(), at: scope.now, scope.tx)
        }
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let user = UserID(raw: job.payload["user"]?.int64 ?? 0)
        try await JobQueue.countOnce(job, services) { tx in
            guard let (table, holds) = Self.target(job, services.catalog.current()) else { return 0 }
            return try tx.first("SELECT count(*) FROM \(table) WHERE \(holds)") { $0.integer(0) ?? 0 } ?? 0
        }
        while try await round(job, user, services) == Self.step {}
    }

    /// Where the records are that hold the option.
    private static func target(_ job: Job, _ catalog: Catalog) -> (table: TableName, holds: SQL)? {
        guard let module = catalog.module(id: ModuleID(raw: job.payload["module"]?.int64 ?? 0)),
            let field = module.field(FieldID(raw: job.payload["field"]?.int64 ?? 0)), let column = field.columns.first,
            let table = module.table, let old = job.payload["old"]?.string
        else { return nil }
        let many = field.type.comparison == .choices
        return (table, many ? "\(.arrayContains("\(column)", old))" : "\(column) = \(SQLValue.text(old))")
    }

    /// Returns how many records changed. What is done stays done, so a job that starts again goes on.
    private func round(_ job: Job, _ user: UserID, _ services: Services) async throws -> Int {
        let catalog = services.catalog.current()
        let access = AccessPolicy.system("an option of a picklist is replaced in all records", for: user)
        return try await services.write(catalog, access, .job, group: job.id) { scope in
            guard let module = catalog.module(id: ModuleID(raw: job.payload["module"]?.int64 ?? 0)),
                let field = module.field(FieldID(raw: job.payload["field"]?.int64 ?? 0)),
                let (table, holds) = Self.target(job, catalog), let old = job.payload["old"]?.string, let new = job.payload["new"]?.string
            else { return 0 }
            let many = field.type.comparison == .choices
            let ids = try scope.tx.rows("SELECT id FROM \(table) WHERE \(holds) ORDER BY id LIMIT \(.integer(Int64(Self.step)))") {
                RecordID(raw: $0.integer(0) ?? 0)
            }
            let rows = try Planner(catalog, access).rows(ids, of: module, for: .edit, scope.tx)
            var entries: [ChangeLog.Entry] = []
            for before in rows.values.sorted(by: { $0.id < $1.id }) {
                var after = before
                after[field] = many ? Self.replaced(before[field].text ?? "[]", old, new) : .text(new)
                FormulaRule.apply(to: &after, catalog, at: scope.now)
                try RecordStore.update(after, from: before, table, scope)
                entries.append(.change(from: before, to: after))
            }
            try ChangeLog.append(entries, scope)
            try JobQueue.advance(job.id, done: ids.count, failed: 0, scope.tx)
            return ids.count
        }
    }

    private static func replaced(_ stored: String, _ old: String, _ new: String) -> SQLValue {
        var chosen: [String] = []
        for value in ((try? JSONValue.parse(Array(stored.utf8)))?.array ?? []).compactMap(\.string) {
            let value = value == old ? new : value
            if !chosen.contains(value) { chosen.append(value) }
        }
        return chosen.isEmpty ? .null : .text(JSONValue.array(chosen.map(JSONValue.string)).text)
    }
}
