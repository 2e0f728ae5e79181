import Synchronization

/// The listeners of this process, by channel.
final class NotificationHub: Sendable {
    private struct State {
        var listeners: [String: [UInt64: AsyncStream<String>.Continuation]] = [:]
        var nextID: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    /// The payload that says: messages were lost, look for yourself.
    static let lost = ""

    func listen(_ channel: String) -> AsyncStream<String> {
        // A listener that is 1,024 messages behind loses the oldest, and is told so.
        let (stream, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1024))
        let id: UInt64? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.nextID += 1
            state.listeners[channel, default: [:]][state.nextID] = continuation
            return state.nextID
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in
                state.listeners[channel]?[id] = nil
                if state.listeners[channel]?.isEmpty == true { state.listeners[channel] = nil }
            }
        }
        return stream
    }

    func deliver(_ channel: String, _ payload: String) {
        for listener in state.withLock({ Array(($0.listeners[channel] ?? [:]).values) }) {
            if case .dropped = listener.yield(payload) { listener.yield(Self.lost) }
        }
    }

    /// What a committed transaction wanted to happen, in its order; equal messages once, as PostgreSQL does it.
    func carryOut(_ effects: [Transaction.Effect]) {
        var sent: Set<[String]> = []
        for effect in effects {
            switch effect {
            case .call(let body): body()
            case .notice(let channel, let payload):
                if sent.insert([channel, payload]).inserted { deliver(channel, payload) }
            }
        }
    }

    func close() {
        let listeners = state.withLock { state in
            state.isClosed = true
            defer { state.listeners = [:] }
            return state.listeners.values.flatMap(\.values)
        }
        for listener in listeners { listener.finish() }
    }
}
