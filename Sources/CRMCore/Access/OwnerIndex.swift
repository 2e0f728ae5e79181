import Metadata
import SQLStore
import Wire

/// Brings a database that is older than rights on records to where new ones begin: records indexed by owner, and graves that know
/// whose records they hold.
enum OwnerIndex {
    private static let batch: Int64 = 1_000

    static func build(_ tx: Transaction) throws {
        let catalog = try MetadataStore.load(tx)
        for module in catalog.modules { try SchemaPlan.ownerIndex(of: module).execute(tx) }
        try fillGraves(catalog, tx)
    }

    /// One statement for each owner in a batch of graves.
    private static func fillGraves(_ catalog: Catalog, _ tx: Transaction) throws {
        var last: Int64 = 0
        while true {
            let rows = try tx.rows(
                "SELECT id, module_id, image FROM sys_grave WHERE id > \(.integer(last)) ORDER BY id LIMIT \(.integer(batch))"
            ) { row -> (id: Int64, owner: Int64?) in
                let column = catalog.module(id: ModuleID(raw: row.integer(1) ?? 0))?.field("Owner")?.columns.first
                let image = try JSONValue.parse(row.text(2) ?? "{}")
                return (row.integer(0) ?? 0, column.flatMap { image[$0.raw]?.int64 })
            }
            guard let newest = rows.last?.id else { return }
            for (owner, graves) in Dictionary(grouping: rows.filter { $0.owner != nil }, by: \.owner) {
                try tx.execute("UPDATE sys_grave SET owner = \(.init(owner)) WHERE \(.memberIDs("id", graves.map(\.id)))")
            }
            last = newest
        }
    }
}
