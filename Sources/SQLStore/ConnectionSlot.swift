import Synchronization

/// Says which work a connection is running, so that another thread can stop that work and no other.
final class ConnectionSlot: Sendable {
    private struct State {
        var running: UInt64?
        var interrupt: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Nil before the connection is closed.
    func connect(_ interrupt: (@Sendable () -> Void)?) { state.withLock { $0.interrupt = interrupt } }

    func begin(_ id: UInt64) { state.withLock { $0.running = id } }

    /// Waits for an interrupt that is under way: it must not hit the next work.
    func end() { state.withLock { $0.running = nil } }

    func cancel(_ id: UInt64) {
        state.withLock { state in
            if state.running == id { state.interrupt?() }
        }
    }
}
