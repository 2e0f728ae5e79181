import Metadata
import SQLStore
import Wire

/// Adds a row to a deal's stage history whenever its stage changes.
struct StageHistoryRule: RecordRule {
    func concerns(_ module: Module) -> Bool { module.apiName == "Deals" }

    func after(_ changes: [PendingChange], _ scope: WriteScope) throws {
        _ = try Self.append(changes.filter { $0.before?["Stage"] != $0.after["Stage"] }.map { ($0.before, $0.after) }, scope)
    }

    /// Also used by merge, when the surviving deal takes another stage.
    static func append(_ deals: [(before: Record?, after: Record)], _ scope: WriteScope) throws -> [Record] {
        guard let history = scope.catalog.module("DealHistory"), let table = history.table, !deals.isEmpty else { return [] }
        let rows = deals.map { _, after -> Record in
            var row = Record(history, id: scope.ids.next())
            row["Potential_Name"] = .integer(after.id.raw)
            for name in ["Stage", "Amount", "Probability", "Expected_Revenue", "Closing_Date"] { row[name] = after[name] }
            row["Moved_To__s"] = after["Stage"]
            row["Last_Activity_Time"] = .integer(scope.now.milliseconds)
            for name in ["Created_Time", "Modified_Time"] { row[name] = .integer(scope.now.milliseconds) }
            for name in ["Created_By", "Modified_By"] { row[name] = .integer(scope.access.user.raw) }
            return row
        }
        try scope.tx.insert(into: table, history.storedColumns.map(\.name), rows: rows.map(\.values))
        return rows
    }
}
