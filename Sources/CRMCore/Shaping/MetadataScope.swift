import Metadata
import SQLStore
import Wire

/// What a change of metadata works with. It lives and dies with its transaction.
package final class MetadataScope {
    package let tx: Transaction
    /// The newest catalog, with what this change has done up to the last `reload`.
    package private(set) var catalog: Catalog
    package let user: UserID
    package let now: Instant
    package let ids: any IDSource
    /// What runs when the tables have their new shape, with the new catalog.
    private(set) var followUps: [(Catalog) throws -> Void] = []
    /// Whether anything was written, so that there is a new version at the end.
    package private(set) var hasWritten = false
    /// Whether `catalog` lacks some of it.
    private var isStale = false
    private var reloads = 0

    init(tx: Transaction, catalog: Catalog, user: UserID, now: Instant, ids: any IDSource) {
        self.tx = tx
        self.catalog = catalog
        self.user = user
        self.now = now
        self.ids = ids
    }

    @discardableResult
    package func add(_ kind: Document.Kind, _ apiName: String?, _ body: JSONValue, parent: RecordID? = nil, id: RecordID? = nil) throws
        -> RecordID
    {
        let id = id ?? ids.next()
        note()
        try MetadataStore.insert([Document(id: id, kind: kind, parent: parent, apiName: apiName, body: body)], at: now, tx)
        return id
    }

    package func add(_ documents: [Document]) throws {
        guard !documents.isEmpty else { return }
        note()
        try MetadataStore.insert(documents, at: now, tx)
    }

    package func replace(_ id: RecordID, body: JSONValue) throws {
        note()
        try MetadataStore.replace(id, body: body, at: now, tx)
    }

    package func rename(_ id: RecordID, _ apiName: String?) throws {
        note()
        try MetadataStore.rename(id, apiName, at: now, tx)
    }

    package func remove(_ ids: [RecordID]) throws {
        guard !ids.isEmpty else { return }
        note()
        try MetadataStore.remove(ids, tx)
    }

    private func note() { (hasWritten, isStale) = (true, true) }

    package func then(_ step: @escaping (Catalog) throws -> Void) { followUps.append(step) }

    /// Makes the changes so far visible in `catalog`.
    package func reload() throws {
        guard isStale else { return }
        catalog = try MetadataStore.load(tx, catalog.vault)
        isStale = false
        reloads += 1
    }

    /// One result for each item. A refused item leaves nothing behind; the next ones see what the earlier ones did.
    package func each<Item, T>(_ items: [Item], _ body: (Item) throws -> T) throws -> [Result<T, Rejection>] {
        var results: [Result<T, Rejection>] = []
        for (index, item) in items.enumerated() {
            let (steps, wrote, stale, loads) = (followUps.count, hasWritten, isStale, reloads)
            do {
                results.append(.success(try tx.savepoint { try body(item) }))
                if index < items.count - 1 { try reload() }
            } catch let rejection as Rejection {
                followUps.removeSubrange(steps...)
                // What `catalog` took in of a refused item has to go again.
                isStale = stale || reloads != loads
                hasWritten = wrote
                if isStale, index < items.count - 1 { try reload() }
                results.append(.failure(rejection))
            }
        }
        return results
    }

    /// Who made or changed a thing, as settings name a person; null for the system.
    package var actor: JSONValue {
        guard let user = catalog.user(user) else { return .null }
        return ["name": .string(user.fullName), "id": .string(String(user.id.raw))]
    }

    package var time: JSONValue { .string(now.iso(offsetMinutes: catalog.zone.offsetMinutes(at: now))) }
}
