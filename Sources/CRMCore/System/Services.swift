import Logging
import Metadata
import SQLStore
import Wire

/// What every request and job is handed.
package struct Services: Sendable {
    package private(set) var database: Database
    package internal(set) var catalog: CatalogCache
    package let ids: any IDSource
    package let clock: @Sendable () -> Instant
    package let logger: Logger
    /// Seals page tokens; the same in every process on one database.
    package let pageKey: [UInt8]
    package let files: FileLibrary
    /// Requests to servers that callers name.
    package private(set) var outgoing: any OutgoingHTTP
    package private(set) var mailer: any MailSender
    /// How long merges can be undone.
    package let undoPeriod: UndoPeriod
    let feeds = FeedCache()
    let deliveries = HeldChannels()
    private(set) var renderCache: RenderCache
    /// Inside `together`: what is known of the catalog may never be committed, so nobody else may come to know it.
    package private(set) var isUnited = false

    /// How values are shown to a caller, with the parts that depend on the catalog made once for each version.
    package func render(_ catalog: Catalog, _ zone: TimeZoneRule) -> RenderContext { renderCache.context(catalog, zone) }

    package var records: RecordStore { RecordStore(rules: RecordRules.all) }

    /// Keeps writers out while metadata changes, and changes of metadata out while writers run.
    private static let fence: Int64 = 0x6361_7461

    /// The only way to write: opens the transaction, checks that the catalog is the newest, and names the change group.
    package func write<T: Sendable>(
        _ catalog: Catalog, _ access: AccessPolicy, _ origin: Origin, group: RecordID? = nil,
        _ body: @Sendable @escaping (WriteScope) throws -> T
    ) async throws -> T {
        // A value that cannot be sealed must not be lost.
        let missing = catalog.missingKeys
        guard missing.isEmpty else { throw MissingEncryptionKeys(names: missing) }
        let now = clock()
        let group = group ?? ids.next()
        let ids = ids
        let feeds = feeds
        return try await database.run(.write) { tx in
            let (newest, epoch) = try tx.pipelined {
                // Two statements: in one, a waiter would read the version from before its wait.
                try tx.advisoryLock(Self.fence, exclusive: false)
                return try MetadataStore.version(tx, and: Channels.epoch)
            }
            guard newest == catalog.version else { throw CatalogMoved(newest: newest) }
            let feed = try feeds.feed(epoch, catalog.whole, tx)
            let scope = WriteScope(
                tx: tx, catalog: catalog.whole, access: access, origin: origin, now: now, group: group, ids: ids, feed: feed)
            let rollups = try RollupRefresh(before: scope)
            let result = try body(scope)
            try rollups?.run()
            return result
        }
    }

    /// Changes metadata: alone, on the newest catalog, with the tables changed in the same transaction. `user` is who asks.
    package func changeMetadata<T: Sendable>(
        by user: UserID = UserID(raw: 0), _ body: @Sendable @escaping (MetadataScope) throws -> T
    ) async throws -> T {
        let now = clock()
        let ids = ids
        let known = catalog.current()
        let bell = feeds.bell
        let (result, after) = try await database.run(.write) { tx -> (T, Catalog) in
            try tx.advisoryLock(Self.fence, exclusive: true)
            let before = try MetadataStore.version(tx) == known.version ? known : try MetadataStore.load(tx, known.vault)
            let scope = MetadataScope(tx: tx, catalog: before, user: user, now: now, ids: ids)
            let result = try body(scope)
            // A call that was refused leaves no new version behind, for which every process would load everything again.
            guard scope.hasWritten else { return (result, before) }
            try MetadataStore.bumpVersion(tx)
            let after = try MetadataStore.load(tx, known.vault)
            try SchemaPlan.between(before, after).execute(tx)
            for step in scope.followUps { try step(after) }
            try UserChanges(from: before, to: after)?.log(by: user, group: ids.next(), at: now, bell: bell, tx)
            return (result, after)
        }
        catalog.install(after)
        return result
    }
}

extension Services {
    /// Puts the one settings document that a module has of this kind.
    package func store(_ kind: Document.Kind, for module: ModuleID, _ body: JSONValue) async throws {
        try await changeMetadata { scope in
            if let stored = scope.catalog.documents(kind).first(where: { $0.parent?.raw == module.raw }) {
                try scope.replace(stored.id, body: body)
            } else {
                try scope.add(kind, nil, body, parent: RecordID(raw: module.raw))
            }
        }
    }
}

extension Services {
    /// Everything `body` does through the services it is given is one transaction, undone when it throws. Whoever changes settings in
    /// it says so at the start: all other writers then wait.
    package func together<T: Sendable>(changingSettings: Bool = false, _ body: @Sendable (Services) async throws -> T) async throws -> T {
        let known = catalog
        let (result, after) = try await database.together { database in
            var services = self
            services.database = database
            services.isUnited = true
            services.renderCache = RenderCache()
            services.catalog = CatalogCache(known.current(), database)
            if changingSettings {
                let newest = try await database.run(.write) { tx in
                    try tx.advisoryLock(Self.fence, exclusive: true)
                    return try MetadataStore.version(tx)
                }
                try await services.catalog.refresh(ifOlderThan: newest)
            }
            return (try await body(services), services.catalog.current())
        }
        known.install(after)
        return result
    }
}

extension Services {
    /// The same, with another way to the outside.
    package func speaking(through outgoing: any OutgoingHTTP) -> Services {
        var services = self
        services.outgoing = outgoing
        return services
    }

    /// The same, with another way for mails.
    package func mailing(through mailer: any MailSender) -> Services {
        var services = self
        services.mailer = mailer
        return services
    }

    /// Fails when the database does not answer.
    package func checkHealth() async throws {
        _ = try await database.run(.read) { tx in try tx.first("SELECT 1") { row in row.integer(0) } }
    }

    /// Whether a failure says that the database is away for the moment.
    package static func isOutage(_ error: any Error) -> Bool { error as? SQLFailure == .connectionLost }

    /// Whether a failure says that too much was asked at once, so that asking again later may do.
    package static func isOverload(_ error: any Error) -> Bool {
        guard let failure = error as? SQLFailure else { return false }
        return [.busy, .serialization].contains(failure)
    }
}
