import Glibc
import Logging
import Metadata
import SQLStore
import Wire

package enum BootstrapError: Error {
    /// All 1,024 process numbers are leased.
    case tooManyProcesses
    /// Nobody has started a server on it yet, and a command is not what makes a database.
    case noDatabase
}

/// The database has encrypted fields whose keys are not there. Nothing can be written without them.
package struct MissingEncryptionKeys: Error, CustomStringConvertible {
    package let names: Set<String>
    package var description: String {
        "fields are encrypted with keys that are not given: \(names.sorted().joined(separator: ", ")) (--encryption-key-file)"
    }
}

/// Opens a database, brings it to the present shape, fills an empty one with the standard organisation, and hands out the services.
package enum Bootstrap {
    package struct Result: Sendable {
        package let services: Services
        package let firstStart: Bool
        package let administrator: User
        /// Two records of the demo that are one person, to try a merge on.
        package let demoPair: (module: String, master: RecordID, child: RecordID)?
        let lease: ProcessLease
    }

    /// Holds the process number while the process lives.
    struct ProcessLease: Sendable {
        let number: Int64
        let owner: String
    }

    package static func start(
        _ location: Database.Location, options: Database.Options = .init(), files place: FilePlace = .withDatabase,
        outgoing: any OutgoingHTTP = NoOutgoingHTTP(), mailer: any MailSender = NoMailSender(), undo: UndoPeriod = .standard, demo: Bool,
        vault: FieldVault? = nil, logger: Logger, creating: Bool = true, clock: @Sendable @escaping () -> Instant = { .now() }
    ) async throws -> Result {
        let database = try await Database.open(location, options)
        let owner = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let alone = database.engine == .sqlite
        let now = clock()
        let first: Bool
        let number: Int64
        let key: [UInt8]
        do {
            (first, number, key) = try await prepare(database, owner: owner, creating: creating, now)
        } catch {
            await database.close()
            throw error
        }
        let catalog = try await database.run(.read) { tx in try MetadataStore.load(tx, vault) }
        guard catalog.missingKeys.isEmpty else {
            await database.close()
            throw MissingEncryptionKeys(names: catalog.missingKeys)
        }
        if !first { try await database.run(.write) { tx in try SearchIndex.fillIfEmpty(catalog, tx) } }
        let ids = TimedIDs(process: number, clock: clock)
        let store = try place.store(location, database)
        // Alone on a folder of its own, whatever upload lies there has broken off.
        if alone, store is FolderStore { try await store.clearSpool(before: now) }
        let services = Services(
            database: database, catalog: CatalogCache(catalog, database), ids: ids, clock: clock, logger: logger, pageKey: key,
            files: FileLibrary(store: store, database: database, ids: ids, clock: clock), outgoing: outgoing, mailer: mailer,
            undoPeriod: undo,
            renderCache: RenderCache())
        guard let administrator = catalog.users.first else { throw StandardSeed.Failure.malformed("no user") }
        let pair = demo ? try await DemoData(services, administrator.id).createIfEmpty() : nil
        return Result(
            services: services, firstStart: first, administrator: administrator, demoPair: pair,
            lease: ProcessLease(number: number, owner: owner))
    }

    /// Brings the tables to their present shape, and takes a process number.
    private static func prepare(_ database: Database, owner: String, creating: Bool, _ now: Instant) async throws -> (Bool, Int64, [UInt8])
    {
        let alone = database.engine == .sqlite
        return try await database.run(.write) { tx in
            let first = try Migrations.apply(tx)
            // What was made is undone with the transaction.
            if first, !creating { throw BootstrapError.noDatabase }
            if first { try seed(now, tx) }
            try TerritorySetup.install(at: now, tx)
            if alone {
                try tx.execute("DELETE FROM sys_process")
                try JobQueue.freeAll(tx)
                try DeliveryQueue.freeAll(tx)
            }
            return (first, try ProcessNumbers.lease(owner: owner, now: now, tx), try SharedSecrets.key("page_token", tx))
        }
    }

    private static func seed(_ now: Instant, _ tx: Transaction) throws {
        let seed = try StandardSeed(administratorName: "Ada Admin", email: "admin@tributary.test", organization: "Tributary")
        try MetadataStore.insert(seed.documents, at: now, tx)
        try MetadataStore.bumpVersion(tx)
        try SchemaPlan.between(nil, try MetadataStore.load(tx)).execute(tx)
    }
}

extension Bootstrap.Result {
    /// What runs beside the requests: following metadata, doing jobs, keeping the process number. Ends when cancelled.
    /// Jobs that are over are forgotten after so many days.
    package func runInBackground(keepingJobsDays jobDays: Int = JobSweep.usualDays) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await services.catalog.follow() }
            for lane in JobLane.allCases { group.addTask { await JobWorker(services, lane: lane).run() } }
            group.addTask { await JobSweep(services, keepingDays: jobDays).run() }
            group.addTask { await FileSweep(services).run() }
            group.addTask { await BulkSweep(services).run() }
            group.addTask { await JournalSweep(services).run() }
            group.addTask { await DeliveryWorker(services).run() }
            group.addTask { await keepLease() }
        }
    }

    /// A third of the lease, so that two renewals may be missed.
    private func keepLease() async {
        while (try? await Task.sleep(for: .milliseconds(ProcessNumbers.leaseMilliseconds / 3))) != nil {
            let now = services.clock()
            let lease = lease
            let kept = try? await services.database.run(.write) { tx in
                try ProcessNumbers.renew(lease.number, owner: lease.owner, now: now, tx)
            }
            guard kept == false else { continue }
            // Another process makes ids with this number now; ours must not make any more.
            services.logger.critical("process number lost, stopping", metadata: ["number": "\(lease.number)"])
            kill(getpid(), SIGTERM)
            return
        }
    }

    /// Gives the process number back and closes the database.
    package func close() async {
        let lease = lease
        await services.deliveries.release(services.database)
        try? await services.database.run(.write) { tx in try ProcessNumbers.release(lease.number, owner: lease.owner, tx) }
        await services.database.close()
    }
}
