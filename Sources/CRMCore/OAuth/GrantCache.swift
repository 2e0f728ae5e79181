import Synchronization
import Wire

/// The grants of tokens seen lately. Entries live ten seconds at most, so another process's revocation is never
/// overlooked for longer, even when its notification is lost.
final class GrantCache: Sendable {
    private struct Entry {
        let grant: Grant
        let until: Int64
    }
    private struct State {
        /// Two generations: when the young one is full it becomes the old one. No request pays for a sweep.
        var young: [String: Entry] = [:], old: [String: Entry] = [:], epoch = 0
    }
    private let state = Mutex(State())
    private let capacity: Int
    private let lifeMilliseconds: Int64 = 10_000

    init(capacity: Int = 2048) { self.capacity = capacity }

    /// Asked before the database is read, and given back to `insert`: what was read before a revocation is not kept.
    var epoch: Int { state.withLock { $0.epoch } }

    func find(_ fingerprint: String, now: Instant) -> Grant? {
        state.withLock { state in
            guard let entry = state.young[fingerprint] ?? state.old[fingerprint], now.milliseconds < entry.until else { return nil }
            return entry.grant
        }
    }

    func insert(_ fingerprint: String, _ grant: Grant, now: Instant, epoch: Int) {
        let until = min(now.milliseconds + lifeMilliseconds, grant.expires.milliseconds)
        state.withLock { state in
            guard state.epoch == epoch else { return }
            if state.young.count >= capacity {
                state.old = state.young
                state.young = [:]
            }
            state.young[fingerprint] = Entry(grant: grant, until: until)
        }
    }

    func clear() {
        state.withLock { $0 = State(epoch: $0.epoch + 1) }
    }
}
