import SQLStore
import Synchronization

/// Sees every statement of a database; fails the one it was told to. Its `see` is the observer of `Database.Options`.
package final class StatementWatch: Sendable {
    private struct State {
        var seen = 0
        var failing: Int?
    }
    private let state = Mutex(State())

    package init() {}

    package func see() throws {
        try state.withLock { state in
            state.seen += 1
            if state.seen == state.failing { throw SQLFailure.other(DriverFailure(code: "fault", message: "made to fail")) }
        }
    }

    /// Starts counting; the statement of that number fails.
    package func arm(_ number: Int?) { state.withLock { $0 = State(seen: 0, failing: number) } }

    /// Stops, and tells how many statements there were.
    package func disarm() -> Int {
        state.withLock { state in
            defer { state.failing = nil }
            return state.seen
        }
    }
}
