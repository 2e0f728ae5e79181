import Metadata
import Wire

/// The rows of a batch as items of a write body, and the outcomes of those that cannot be any.
struct BulkItems: Sendable {
    struct Item: Sendable {
        let row: Int
        let item: JSONCursor
    }

    let items: [Item]
    /// The items as new records, where that is all they can be and nobody has taken them yet.
    let drafts: Once<RecordDrafts>
    private let refused: [Int: BulkOutcome]
    private let count: Int

    init(_ rows: [[String]], _ cells: BulkCells, _ references: BulkReferences) {
        self.init(rows, cells, references) { _ in nil }
    }

    /// Rows that need nothing of the database to be read: new records, whose lookups hold ids and which no field is to find. `nil`
    /// for others, which are read in the transaction that writes them.
    init?(
        _ rows: [[String]], _ request: BulkWriteRequest, _ resource: BulkWriteRequest.Resource, _ module: Module,
        _ reading: RecordDrafts.Reading
    )
        throws(Rejection)
    {
        guard request.operation == .insert, resource.findBy == nil else { return nil }
        let cells = try BulkCells(request, resource, module, reading.catalog, reading.access)
        guard cells.columns.allSatisfy({ $0.found == nil }) else { return nil }
        self.init(rows, cells, BulkReferences()) { items in
            var drafts = RecordDrafts(items.map(\.item), module, reading)
            drafts.collectGrams()
            return drafts
        }
    }

    private init(
        _ rows: [[String]], _ cells: BulkCells, _ references: BulkReferences, drafts: ([Item]) -> RecordDrafts?
    ) {
        var items: [Item] = []
        var refused: [Int: BulkOutcome] = [:]
        items.reserveCapacity(rows.count)
        for (index, row) in rows.enumerated() {
            switch cells.item(row, references) {
            case .success(let members): items.append(Item(row: index, item: JSONCursor(.object(members))))
            case .failure(let refusal): refused[index] = .skipped("INVALID_DATA", refusal.field)
            }
        }
        self.items = items
        self.refused = refused
        self.drafts = Once(drafts(items))
        count = rows.count
    }

    /// What became of every row, given what became of the items.
    func outcomes(_ written: [(Int, BulkOutcome)]) -> [BulkOutcome] {
        var outcomes = [BulkOutcome](repeating: BulkOutcome(Rejection(.cannotProcess)), count: count)
        for (row, outcome) in refused { outcomes[row] = outcome }
        for (row, outcome) in written { outcomes[row] = outcome }
        return outcomes
    }
}
