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

    /// Those that exist, and whether a merge holds them. One statement for each module.
    func hold(_ scope: WriteScope) throws -> [RecordID: Bool] {
        var found: [RecordID: Bool] = [:]
        for (module, ids) in wanted {
            guard let table = scope.catalog.module(id: module)?.table else { continue }
            let sql: SQL = "SELECT t.id, t.in_merge FROM \(table) t WHERE \(.memberIDs("t.id", ids)) ORDER BY t.id\(.keepRows)"
            try scope.tx.forEach(sql) { found[RecordID(raw: $0.integer(0) ?? 0)] = !$0.isNull(1) }
        }
        return found
    }
}
