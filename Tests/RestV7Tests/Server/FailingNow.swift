import Synchronization
import TributaryTestKit

/// An endpoint that fails every third time, always, or by never answering, until it recovers.
final class FailingNow: Sendable {
    private struct State {
        var answers: [Bool] = []
        var isWell = false
    }

    private let state = Mutex(State())
    private let always: Bool
    private let hangs: Bool

    init(always: Bool = false, hangs: Bool = false) {
        self.always = always
        self.hangs = hangs
    }

    func next() -> LocalReceiver.Reply {
        state.withLock { state in
            let isGood = state.isWell || !(always || hangs || state.answers.count % 3 == 1)
            state.answers.append(isGood)
            return isGood ? .status(204) : hangs ? .hang : .status(500)
        }
    }

    func recover() { state.withLock { $0.isWell = true } }

    /// Which calls were answered well, in the order they came.
    var answers: [Bool] { state.withLock { $0.answers } }
}
