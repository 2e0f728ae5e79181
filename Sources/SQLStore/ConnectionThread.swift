import Foundation
import Synchronization

/// A thread of our own for a connection: blocking calls never sit on the cooperative pool.
enum ConnectionThread {
    static func start(_ name: String, in group: ThreadGroup, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread {
            // From inside, or ps and profilers do not see it.
            Thread.current.name = name
            body()
            group.leave()
        }
        thread.start()
    }
}

/// The threads of a pool, to be waited for at the end.
final class ThreadGroup: Sendable {
    private struct State {
        let count: Int
        var left = 0
        var isDone = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>
    private let whenDone: @Sendable () -> Void

    /// `whenDone` is called on the last thread, before those who wait go on.
    init(count: Int, whenDone: @escaping @Sendable () -> Void) {
        state = Mutex(State(count: count))
        self.whenDone = whenDone
    }

    func leave() {
        let isLast = state.withLock { state in
            state.left += 1
            return state.left == state.count
        }
        guard isLast else { return }
        whenDone()
        let waiting = state.withLock { state in
            state.isDone = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if !state.isDone { state.waiting.append(continuation) }
                return state.isDone
            }
            if isDone { continuation.resume() }
        }
    }
}
