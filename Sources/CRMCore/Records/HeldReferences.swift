import Metadata
import SQLStore
import Wire

/// Records that rows about to be written point at. They are kept from being deleted or merged away until the write is done:
/// otherwise a row could come to point at a record that is gone.
///
/// Whoever holds references and locks rows does it in this order, so that writers do not wait in a circle with a merge, which
/// locks the records merged before the rows that point at them.
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

extension HeldReferences {
    /// What the lookups of a write body seem to point at, read before the rows to be changed are locked. It need not be complete
    /// or right: the references are checked when the body has been decoded.
    static func likely(in items: [JSONCursor], of module: Module, _ catalog: Catalog) -> [(module: ModuleID, id: Int64)] {
        let lookups = module.fields.filter { $0.isRecordLookup && !$0.columns.isEmpty }
        return items.flatMap { item in
            lookups.compactMap { field -> (module: ModuleID, id: Int64)? in
                guard let value = item.value[field.apiName], let id = (value["id"] ?? value).looseInt64 else { return nil }
                let named = value["module"]?["api_name"] ?? item.value["$se_module"]
                guard let target = field.target ?? named?.string.flatMap({ catalog.module($0)?.id }) else { return nil }
                return (target, id)
            }
        }
    }
}
