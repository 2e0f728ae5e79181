import Logging
import Metadata
import SQLStore
import Wire

/// Takes jobs and does them, one at a time, until cancelled.
package struct JobWorker: Sendable {
    private let services: Services
    private let handlers: [String: any JobHandler]
    /// The kinds of its lane; `nil` for all kinds, as tests work.
    private let kinds: [String]?
    /// Kinds it leaves alone.
    private let others: [String]

    /// Without a lane it does whatever is due. Kinds nobody knows belong to the lane of records.
    package init(_ services: Services, handlers: [any JobHandler] = JobHandlers.all, lane: JobLane? = nil) {
        self.services = services
        func kinds(_ belongs: (JobLane) -> Bool) -> [String] {
            handlers.filter { belongs(type(of: $0).lane) }.map { type(of: $0).kind }
        }
        switch lane {
        case nil: (self.kinds, others) = (nil, [])
        case .records: (self.kinds, others) = (nil, kinds { $0 != .records })
        case let lane?: (self.kinds, others) = (kinds { $0 == lane }, [])
        }
        self.handlers = Dictionary(handlers.map { (type(of: $0).kind, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Works when told that there is something, and looks by itself once a second.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            let (bells, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            group.addTask {
                for await _ in services.database.notifications(JobQueue.channel) { bell.yield() }
            }
            group.addTask {
                repeat { bell.yield() } while (try? await Task.sleep(for: .seconds(1))) != nil
                bell.finish()
            }
            for await _ in bells { await drain() }
            group.cancelAll()
        }
    }

    /// Does all jobs that are due. Tests call it instead of `run`.
    package func drain() async {
        while !Task.isCancelled {
            let now = services.clock()
            let kinds = kinds
            let others = others
            let claimed = try? await services.database.run(.write) { tx -> (Job, settings: Int64)? in
                guard let job = try JobQueue.claim(now: now, kinds: kinds, others: others, tx) else { return nil }
                return (job, try MetadataStore.version(tx))
            }
            guard let (job, settings) = claimed else { return }
            await perform(job, settings)
        }
    }

    private func perform(_ job: Job, _ settings: Int64) async {
        let failure = await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask { await attempt(job, settings) }
            group.addTask {
                // A third of the lease, so that two renewals may be missed.
                while (try? await Task.sleep(for: .milliseconds(JobQueue.leaseMilliseconds / 3))) != nil {
                    let now = services.clock()
                    try? await services.database.run(.write) { tx in try JobQueue.renew(job, now: now, tx) }
                }
                return nil
            }
            let result = await group.next() ?? nil
            group.cancelAll()
            return result
        }
        let now = services.clock()
        if let failure {
            services.logger.error("job failed", metadata: ["job": "\(job.id)", "kind": "\(job.kind)", "error": "\(failure)"])
        }
        try? await services.database.run(.write) { tx in
            if let failure {
                try JobQueue.fail(job, String(describing: failure), now: now, tx)
            } else {
                try JobQueue.finish(job, now: now, tx)
            }
        }
    }

    /// `settings` is the version that was there when the job was taken: a change of settings and the job that follows from it are there
    /// at once, and the job must see the change, though this process, or this task, may not have heard of it yet.
    private func attempt(_ job: Job, _ settings: Int64) async -> (any Error)? {
        guard let handler = handlers[job.kind] else { return UnknownJob(kind: job.kind) }
        do { try await services.catalog.refresh(ifOlderThan: settings) } catch { return error }
        var failure: (any Error)?
        // Settings that change meanwhile are no failure of the job: it goes on where it stopped.
        for _ in 0..<Self.mostMoves {
            do {
                try await handler.run(job, services)
                return nil
            } catch let moved as CatalogMoved {
                failure = moved
                try? await services.catalog.refresh(ifOlderThan: moved.newest)
            } catch {
                return error
            }
        }
        return failure
    }

    private static let mostMoves = 200

    private struct UnknownJob: Error { let kind: String }
}
