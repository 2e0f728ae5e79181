import CLibPQ
import Synchronization

/// Listens for all processes' notifications on a connection and a thread of its own, and hands them to the hub.
///
/// After each (re)connection the listeners are told that messages may have been lost.
final class PostgresListener: Sendable {
    private struct State {
        var channels: Set<String> = []
        /// Asked for since the thread last looked.
        var requested: [String] = []
        var isStopped = false
    }

    private let url: String
    private let hub: NotificationHub
    private let state = Mutex(State())
    private let wake: WakePipe

    init(_ url: String, _ hub: NotificationHub) throws(DatabaseError) {
        self.url = url
        self.hub = hub
        wake = try WakePipe()
    }

    func listen(_ channel: String) -> AsyncStream<String> {
        let stream = hub.listen(channel)
        state.withLock { state in
            state.channels.insert(channel)
            state.requested.append(channel)
        }
        wake.ring()
        return stream
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        wake.ring()
    }

    /// The thread's loop; returns after `stop`.
    func run() {
        var connection: OpaquePointer?
        defer { PQfinish(connection) }
        var pause: Int32 = 100
        while let requested = takeRequested() {
            do throws(DriverFailure) {
                if let connection {
                    try start(requested, on: connection)
                    try receive(on: connection)
                } else if state.withLock({ !$0.channels.isEmpty }) {
                    connection = try PostgresConnection.open(url, lockTimeoutMilliseconds: 0, purpose: "tributary-listener")
                    pause = 100
                    request(state.withLock { Array($0.channels) })
                    continue
                }
                wake.wait(orFor: connection.map(PQsocket), milliseconds: -1)
            } catch {
                PQfinish(connection)
                connection = nil
                wake.wait(orFor: nil, milliseconds: pause)
                // A server that restarts is back within seconds; one that is gone need not be asked more often.
                pause = min(pause * 2, 5000)
            }
        }
    }

    private func start(_ channels: [String], on connection: OpaquePointer) throws(DriverFailure) {
        for channel in Set(channels) {
            guard let name = PQescapeIdentifier(connection, channel, channel.utf8.count) else { continue }
            defer { PQfreemem(name) }
            try PostgresConnection.run("LISTEN \(String(cString: name))", on: connection)
            hub.deliver(channel, NotificationHub.lost)
        }
    }

    private func receive(on connection: OpaquePointer) throws(DriverFailure) {
        guard PQconsumeInput(connection) == 1 else {
            throw DriverFailure(code: "08006", message: String(cString: PQerrorMessage(connection)))
        }
        while let notice = PQnotifies(connection) {
            defer { PQfreemem(notice) }
            hub.deliver(String(cString: notice.pointee.relname), String(cString: notice.pointee.extra))
        }
    }

    /// Nil when it is time to stop.
    private func takeRequested() -> [String]? {
        state.withLock { state in
            defer { state.requested = [] }
            return state.isStopped ? nil : state.requested
        }
    }

    private func request(_ channels: [String]) { state.withLock { $0.requested += channels } }
}
