import Metadata
import SQLStore
import Wire

/// Gives the linking modules of an older database the index that new ones are made with. An empty database has none yet.
enum LinkPairs {
    static func migrate(_ tx: Transaction) throws {
        for module in try MetadataStore.load(tx).modules {
            let steps = SchemaPlan.pairIndex(of: module)
            guard !steps.isEmpty else { continue }
            try removeRepeats(of: module, tx)
            try SchemaPlan(steps: steps).execute(tx)
        }
    }

    /// Of pairs linked more than once the oldest row stays: it is the one that lists showed first.
    private static func removeRepeats(of link: Module, _ tx: Transaction) throws {
        guard let table = link.table, let (left, right) = link.linkPair, let one = left.columns.first, let other = right.columns.first
        else { return }
        let ranked: SQL = """
            SELECT id, row_number() OVER (PARTITION BY \(one), \(other) ORDER BY id) AS n FROM \(table) \
            WHERE \(one) IS NOT NULL AND \(other) IS NOT NULL
            """
        try tx.execute("DELETE FROM \(table) WHERE id IN (SELECT r.id FROM (\(ranked)) r WHERE r.n > 1)")
    }
}
