import Dispatch
import Synchronization

/// What waits for a connection: bounded, first come first served, shared by the threads of a pool.
final class WorkQueue: Sendable {
    private struct State {
        /// Taken ones are nil, up to `head`.
        var items: [Work?] = []
        var head = 0
        /// Threads that wait for work and have not been called. Whichever slept last is called first: its connection has what the
        /// work before needed, statements prepared among it, and where there is little to do the others are left alone.
        var sleeping: [DispatchSemaphore] = []
        var isClosed = false

        var count: Int { items.count - head }

        mutating func pop() -> Work? {
            guard head < items.count else { return nil }
            let work = items[head]
            items[head] = nil
            head += 1
            if head == items.count {
                items.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= 256 {
                items.removeFirst(head)
                head = 0
            }
            return work
        }
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.count } }

    /// Why the work was not taken, or nil.
    func add(_ work: Work) -> SQLFailure? {
        let (refusal, sleeper): (SQLFailure?, DispatchSemaphore?) = state.withLock { state in
            if state.isClosed { return (.cancelled, nil) }
            if state.count >= limit { return (.busy, nil) }
            state.items.append(work)
            // A thread that is awake looks at the queue before it sleeps.
            return (nil, state.sleeping.popLast())
        }
        sleeper?.signal()
        return refusal
    }

    /// Waits. Nil when the queue is closed and empty.
    func take() -> Work? {
        let wake = DispatchSemaphore(value: 0)
        while true {
            let (work, isOver): (Work?, Bool) = state.withLock { state in
                if let work = state.pop() { return (work, false) }
                if !state.isClosed { state.sleeping.append(wake) }
                return (nil, state.isClosed)
            }
            if work != nil || isOver { return work }
            wake.wait()
        }
    }

    /// Does not wait.
    func takeWaiting(atMost most: Int) -> [Work] {
        state.withLock { state in
            var taken: [Work] = []
            while taken.count < most, let work = state.pop() { taken.append(work) }
            return taken
        }
    }

    /// Takes one out of the line, if it still stands there.
    func remove(_ id: UInt64) -> Work? {
        state.withLock { state in
            guard let index = state.items[state.head...].firstIndex(where: { $0?.id == id }) else { return nil }
            return state.items.remove(at: index)
        }
    }

    /// Nothing more comes in; the threads finish what waits and end.
    func close() {
        let sleeping = state.withLock { state in
            state.isClosed = true
            defer { state.sleeping = [] }
            return state.sleeping
        }
        for sleeper in sleeping { sleeper.signal() }
    }
}
