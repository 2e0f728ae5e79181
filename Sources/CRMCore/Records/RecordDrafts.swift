import Metadata
import Wire

/// New records as far as they can be made without a database: read, of the right types and whole, each under an id of its own. What
/// they point at and the values that must be theirs alone are looked up when they are written, so that one thread can make the next
/// drafts while another writes the last.
struct RecordDrafts: Sendable {
    /// What drafts are made by.
    struct Reading: Sendable {
        let catalog: Catalog
        let access: AccessPolicy
        let origin: Origin
        let ids: any IDSource

        init(_ catalog: Catalog, _ access: AccessPolicy, _ origin: Origin, _ ids: any IDSource) {
            self.catalog = catalog.whole
            self.access = access
            self.origin = origin
            self.ids = ids
        }
    }

    let module: Module
    private(set) var items: DecodedItems

    init(_ items: [JSONCursor], _ module: Module, _ reading: Reading) {
        let module = module.whole
        let decoder = RecordDecoder(catalog: reading.catalog, module: module, access: reading.access, for: reading.origin)
        self.module = module
        self.items = DecodedItems(reserving: items.count)
        for (number, item) in items.enumerated() {
            self.items.add(number) { () throws(Rejection) in
                try decoder.decode(item, into: Record(module, id: reading.ids.next()), .insert)
            }
        }
    }

    /// Collects what the search index will hold of them.
    mutating func collectGrams() {
        guard var drafting = SearchIndex.Drafting(module) else { return }
        for place in items.changes.indices { items.changes[place].draftedGrams = drafting.draft(items.changes[place].after) }
    }
}
