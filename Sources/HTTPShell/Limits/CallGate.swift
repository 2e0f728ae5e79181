import Synchronization

/// Counts the calls of each client that run at this moment, in this process.
final class CallGate: Sendable {
    struct Running: Sendable, Equatable {
        var places = 0
        var heavy = 0
    }

    private let running = Mutex<[String: Running]>([:])

    /// Takes places if there are so many; false, and nothing taken, when there are not.
    func enter(_ client: String, _ wanted: Running, _ limits: APILimits) -> Bool {
        running.withLock { running in
            var now = running[client] ?? Running()
            now.places += wanted.places
            now.heavy += wanted.heavy
            guard now.places <= limits.concurrency ?? .max, wanted.heavy == 0 || now.heavy <= limits.heavyConcurrency else { return false }
            running[client] = now
            return true
        }
    }

    func leave(_ client: String, _ taken: Running) {
        running.withLock { running in
            guard var now = running[client] else { return }
            now.places -= taken.places
            now.heavy -= taken.heavy
            running[client] = now == Running() ? nil : now
        }
    }
}
