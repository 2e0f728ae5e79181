import CRMCore
import Synchronization
import Wire

/// The limits of a server with what has been used of them.
struct LimitKeeper: Sendable {
    let limits: APILimits
    let ledger: CreditLedger
    let gate = CallGate()
}

/// What one call uses of the limits: charged once, however often the call is planned.
package final class CallMeter: Sendable {
    private struct State {
        /// Calls that cost nothing never begin.
        var hasBegun = false
        var client: String?
        var paid = 0
        var taken = CallGate.Running()
        var remaining: Int64?
    }

    private let keeper: LimitKeeper
    private let state = Mutex(State())

    init(_ keeper: LimitKeeper) { self.keeper = keeper }

    /// One credit and one place, before anything of the call is looked at.
    func begin(_ client: String) throws(Rejection) {
        state.withLock { state in
            state.hasBegun = true
            state.client = client
        }
        try bear(CallLoad(credits: 1))
    }

    /// The credits of a call inside another one; it has no place of its own.
    func begin() throws(Rejection) {
        state.withLock { $0.hasBegun = true }
        try bear(CallLoad(credits: 1, places: 0))
    }

    /// What the call costs when it is known, less what it has paid.
    package func bear(_ load: CallLoad) throws(Rejection) {
        guard state.withLock({ $0.hasBegun }) else { return }
        let allowed = state.withLock { state in
            if keeper.limits.concurrency != nil, let client = state.client {
                // A call that takes more places than there are takes all of them.
                let places = min(load.places, keeper.limits.concurrency ?? .max)
                let more = CallGate.Running(
                    places: max(0, places - state.taken.places), heavy: load.isHeavy && state.taken.heavy == 0 ? 1 : 0)
                guard keeper.gate.enter(client, more, keeper.limits) else { return false }
                state.taken.places += more.places
                state.taken.heavy += more.heavy
            }
            guard let limit = keeper.limits.credits, load.credits > state.paid else { return true }
            guard let remaining = keeper.ledger.use(load.credits - state.paid, of: limit) else { return false }
            state.paid = load.credits
            state.remaining = remaining
            return true
        }
        guard allowed else { throw Rejection(.tooManyRequests) }
    }

    /// Whether one client may have so many places at all.
    package func allows(places: Int) -> Bool { keeper.limits.concurrency.map { places <= $0 } ?? true }

    /// Credits of a call that has been carried out.
    package func add(_ credits: Int) {
        guard keeper.limits.credits != nil else { return }
        keeper.ledger.add(credits)
    }

    func end() {
        state.withLock { state in
            guard let client = state.client, state.taken != CallGate.Running() else { return }
            keeper.gate.leave(client, state.taken)
            state.taken = CallGate.Running()
        }
    }

    /// The meter of a call inside this one.
    func inner() -> CallMeter { CallMeter(keeper) }

    /// Told only once half the credits are used (common, §13).
    var header: (String, String)? {
        guard let limit = keeper.limits.credits, let remaining = state.withLock({ $0.remaining }), remaining <= limit / 2 else {
            return nil
        }
        return ("X-API-CREDITS-REMAINING", String(remaining))
    }
}
