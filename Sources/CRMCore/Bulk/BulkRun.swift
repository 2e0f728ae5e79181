import Metadata
import SQLStore
import Wire

/// The common course of bulk jobs: done once, ended once, and told of where that was asked for.
struct BulkRun: Sendable {
    let bulk: BulkJob
    private let callback: Callback?
    private let details: @Sendable (BulkJob, Catalog) -> JSONValue
    private let services: Services

    /// `nil` when there is nothing left to do.
    init?(
        _ job: Job, _ services: Services, callback: (BulkJob) -> Callback?, details: @escaping @Sendable (BulkJob, Catalog) -> JSONValue
    ) async throws {
        guard let bulk = try await services.database.run(.read, { tx in try BulkJobs.find(job.id, tx) }),
            bulk.state == .added || bulk.state == .running
        else { return nil }
        self.bulk = bulk
        self.callback = callback(bulk)
        self.details = details
        self.services = services
    }

    /// What the job cannot do for reasons of its own ends it; after a failure of ours it is tried again, until its last attempt.
    func carryOut(_ job: Job, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let rejection as Rejection {
            try await fail(rejection)
        } catch is BulkPartLost {
            try await fail(Rejection(.internalServerError))
        } catch  where job.isLastAttempt && !(error is CancellationError) {
            try await fail(Rejection(.internalServerError))
            throw error
        }
    }

    func complete(_ progress: JSONValue, entries: [String]) async throws {
        let file = try await BulkResult(services, bulk.id).zip(entries)
        try await end { [services, bulk] _, now, tx in
            let entry = try services.files.register(file, owner: bulk.user, held: true, tx)
            try tx.execute("UPDATE sys_file SET expires_at = \(.integer(BulkJobs.expiry(now))) WHERE id = \(entry.id)")
            try BulkJobs.finish(bulk.id, progress: progress, result: entry.id, now: now, tx)
        }
    }

    private func fail(_ reason: Rejection) async throws {
        try await end { [bulk] found, now, tx in
            try BulkJobs.finish(bulk.id, progress: found.progress, failure: reason, now: now, tx)
        }
    }

    /// Nothing when another worker has ended it.
    private func end(_ finish: @Sendable @escaping (BulkJob, Instant, Transaction) throws -> Void) async throws {
        let (bulk, callback, details) = (bulk, callback, details)
        let now = services.clock()
        let catalog = services.catalog.current()
        let notice = services.ids.next()
        try await services.database.run(.write) { tx in
            guard let found = try BulkJobs.find(bulk.id, locked: true, tx), found.state == .running || found.state == .added else { return }
            try finish(found, now, tx)
            guard let callback, let ended = try BulkJobs.find(bulk.id, tx) else { return }
            try CallbackJob.enqueue(callback, details(ended, catalog), notice, now: now, tx)
        }
    }
}

/// Another worker has taken the job over: nothing of ours may stay.
struct BulkTakenOver: Error {}
