import Dispatch
import Synchronization

/// What waits for a connection: bounded, first come first served, shared by the threads of a pool.
final class WorkQueue: Sendable {
    private struct State {
        /// Taken ones are nil, up to `head`.
        var items: [Work?] = []
        var head = 0
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
    /// Counts at least the waiting items. A thread that finds nothing simply waits again.
    private let available = DispatchSemaphore(value: 0)
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.count } }

    /// Why the work was not taken, or nil.
    func add(_ work: Work) -> SQLFailure? {
        let refusal: SQLFailure? = state.withLock { state in
            if state.isClosed { return .cancelled }
            if state.count >= limit { return .busy }
            state.items.append(work)
            return nil
        }
        if refusal == nil { available.signal() }
        return refusal
    }

    /// Waits. Nil when the queue is closed and empty.
    func take() -> Work? {
        while true {
            available.wait()
            let (work, isOver) = state.withLock { state in
                let work = state.pop()
                return (work, work == nil && state.isClosed)
            }
            if let work { return work }
            if isOver { return nil }
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
    func close(threads: Int) {
        state.withLock { $0.isClosed = true }
        for _ in 0..<threads { available.signal() }
    }
}
