import CRMCore
import Metadata
import Synchronization
import Wire

/// The access policies of the newest catalog version seen, so that a request need not work its user's rights out again.
/// Holds one entry per user of the organisation at most.
final class AccessCache: Sendable {
    private let held = Mutex<(version: Int64, policies: [UserID: AccessPolicy])>((-1, [:]))

    func policy(of user: UserID, _ catalog: Catalog) throws(Rejection) -> AccessPolicy {
        if let known = held.withLock({ $0.version == catalog.version ? $0.policies[user] : nil }) { return known }
        let policy = try AccessPolicy.of(user, catalog)
        held.withLock { held in
            if held.version < catalog.version { held = (catalog.version, [:]) }
            if held.version == catalog.version { held.policies[user] = policy }
        }
        return policy
    }
}
