import Logging
import Metadata
import SQLStore
import Wire

/// Tells channels what has happened, until cancelled. Each call is a task of its own: an endpoint that hangs holds up its own channel
/// and no other.
package struct DeliveryWorker: Sendable {
    /// Calls of one process at a time, and how many of them may go to endpoints that failed last time.
    private static let mostCalls = 64, mostFailing = 32

    private let services: Services
    private var held: HeldChannels { services.deliveries }

    package init(_ services: Services) { self.services = services }

    /// Works when told that there is something, and looks by itself once a second.
    package func run() async {
        let bell = services.feeds.bell
        let rings = bell.rings()
        await withDiscardingTaskGroup { group in
            group.addTask {
                repeat { bell.ring() } while (try? await Task.sleep(for: .seconds(1))) != nil
                bell.silence()
            }
            for await _ in rings {
                await sweep()
                await FanOut(services).run()
                while let claim = await claim() {
                    group.addTask {
                        await deliver(claim)
                        bell.ring()
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// Does all that is due, one call after the other. Tests call it instead of `run`.
    package func drain() async {
        await sweep()
        await FanOut(services).run()
        while let claim = await claim() {
            await deliver(claim)
        }
    }

    private func sweep() async {
        let now = services.clock()
        let ids = services.ids
        let old: SQL = "SELECT 1 FROM sys_channel WHERE expires_at <= \(now) LIMIT 1"
        guard (try? await services.database.run(.read) { tx in try tx.first(old) { _ in true } }) == true else { return }
        try? await services.database.run(.write) { tx in try Channels.sweep(now: now, ids, tx) }
    }

    /// A healthy channel first. Without a look first an idle server would write every second.
    private func claim() async -> DeliveryQueue.Claim? {
        let now = services.clock()
        let due: SQL = "SELECT 1 FROM sys_channel WHERE due_at <= \(now) AND (lease_until IS NULL OR lease_until < \(now)) LIMIT 1"
        guard !Task.isCancelled, held.hasRoom(Self.mostCalls),
            (try? await services.database.run(.read) { tx in try tx.first(due) { _ in true } }) == true
        else { return nil }
        let vault = services.catalog.current().vault
        let takesFailing = held.hasRoomForFailing(Self.mostFailing)
        let claim = try? await services.database.run(.write) { tx in
            try DeliveryQueue.claim(includingFailing: false, now: now, vault, tx)
                ?? (takesFailing ? DeliveryQueue.claim(includingFailing: true, now: now, vault, tx) : nil)
        }
        guard let claim = claim ?? nil else { return nil }
        held.add(claim)
        return claim
    }

    private func deliver(_ claim: DeliveryQueue.Claim) async {
        let body = NotificationBody.json(claim, services.catalog.current(), now: services.clock())
        let failure: String?
        do {
            let answer = try await services.outgoing.send(.post(body.encoded(), to: claim.url))
            failure = answer.isSuccess ? nil : "the endpoint answered \(answer.status)"
        } catch .cancelled {
            // The process ends, and gives back what it holds.
            return
        } catch {
            failure = error.description
        }
        let now = services.clock()
        if let failure {
            services.logger.notice("notification failed", metadata: ["channel": "\(claim.channel)", "error": "\(failure)"])
        }
        // When even this fails the lease runs out, and the endpoint is told again.
        try? await services.database.run(.write) { tx in
            if let failure {
                try DeliveryQueue.fail(claim, failure, now: now, tx)
            } else {
                try DeliveryQueue.succeed(claim, now: now, tx)
            }
        }
        held.remove(claim)
    }
}
