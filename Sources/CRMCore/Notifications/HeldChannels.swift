import SQLStore
import Synchronization
import Wire

/// The channels that this process is calling.
final class HeldChannels: Sendable {
    private let claims = Mutex<[RecordID: DeliveryQueue.Claim]>([:])

    func add(_ claim: DeliveryQueue.Claim) { claims.withLock { $0[claim.channel] = claim } }

    /// Unless it has been taken anew meanwhile.
    func remove(_ claim: DeliveryQueue.Claim) {
        claims.withLock { claims in
            if claims[claim.channel]?.lease == claim.lease { claims[claim.channel] = nil }
        }
    }

    func hasRoom(_ most: Int) -> Bool { claims.withLock { $0.count < most } }
    func hasRoomForFailing(_ most: Int) -> Bool { claims.withLock { $0.values.count { $0.failures > 0 } < most } }

    /// Gives all of them back, so that another process need not wait for the leases to run out.
    func release(_ database: Database) async {
        let held = claims.withLock { claims in
            defer { claims = [:] }
            return claims.values.sorted { $0.channel < $1.channel }
        }
        guard !held.isEmpty else { return }
        try? await database.run(.write) { tx in
            for claim in held { try DeliveryQueue.release(claim, tx) }
        }
    }
}
