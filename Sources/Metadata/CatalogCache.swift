import SQLStore
import Synchronization
import Wire

/// The newest catalog of this process, swapped whole.
package final class CatalogCache: Sendable {
    private let held: Mutex<Catalog>
    private let database: Database

    package init(_ catalog: Catalog, _ database: Database) {
        held = Mutex(catalog)
        self.database = database
    }

    package func current() -> Catalog { held.withLock { $0 } }

    /// Loads again unless a version at least as new is there.
    package func refresh(ifOlderThan version: Int64) async throws {
        if current().version >= version { return }
        let vault = current().vault
        let loaded = try await database.run(.read) { tx in try MetadataStore.load(tx, vault) }
        held.withLock { if $0.version < loaded.version { $0 = loaded } }
    }

    /// Takes a catalog that has just been committed, unless a newer one is there.
    package func install(_ catalog: Catalog) { held.withLock { if $0.version < catalog.version { $0 = catalog } } }

    /// Follows changes made by other processes until cancelled. A missed message is caught by the poll.
    package func follow() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in self.database.notifications(MetadataStore.channel) { await self.catchUp() }
            }
            group.addTask {
                // 15 s: the longest a process may lag when the listener lost a message unnoticed.
                while (try? await Task.sleep(for: .seconds(15))) != nil { await self.catchUp() }
            }
        }
    }

    private func catchUp() async {
        guard let version = try? await database.run(.read, { tx in try MetadataStore.version(tx) }) else { return }
        try? await refresh(ifOlderThan: version)
    }
}
