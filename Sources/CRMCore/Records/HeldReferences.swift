import Metadata
import SQLStore
import Wire

/// Records that rows about to be written point at. They are kept from being deleted or merged away until the write is done:
/// otherwise a row could come to point at a record that is gone.
///
/// Rows to be changed are locked before, because only the first lock of a transaction waits (`Transaction`): references are rarely
/// taken, rows of a busy record are.
struct HeldReferences {
    private let wanted: [(module: ModuleID, ids: [Int64])]

    init(_ references: [(module: ModuleID, id: Int64)]) {
        wanted = Dictionary(grouping: references, by: \.module).sorted { $0.key < $1.key }.map {
            ($0.key, Set($0.value.map(\.id)).sorted())
        }
    }

    /// What is with a record that is there.
    struct State {
        let isUnderMerge: Bool
        let isConverted: Bool
    }

    /// Those that exist. One statement for each module.
    @discardableResult
    func hold(_ scope: WriteScope) throws -> [RecordID: State] {
        var found: [RecordID: State] = [:]
        for (id, ids) in wanted {
            guard let module = scope.catalog.module(id: id), let table = module.table else { continue }
            let converted: SQL = module.convertedField?.columns.first.map { "\($0, of: "t")" } ?? "NULL"
            let sql: SQL =
                "SELECT t.id, t.in_merge, \(converted) FROM \(table) t WHERE \(.memberIDs("t.id", ids)) ORDER BY t.id\(.keepRows)"
            try scope.tx.forEach(sql) { row in
                found[RecordID(raw: row.integer(0) ?? 0)] = State(isUnderMerge: !row.isNull(1), isConverted: row.integer(2) == 1)
            }
        }
        return found
    }
}
