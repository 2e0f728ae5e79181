import Foundation
import Glibc
import Synchronization
import Wire

/// An HTTP server of a test on this machine: keeps what it gets, and answers what it is told to.
package final class LocalReceiver: Sendable {
    /// What came in.
    package struct Received: Sendable {
        package let method: String
        /// With the query.
        package let path: String
        package let headers: [String: String]
        package let body: [UInt8]
        package var json: JSONValue? { try? JSONValue.parse(body) }
    }

    package enum Reply: Sendable {
        case status(Int)
        case redirect(to: String)
        /// Nothing, until the receiver ends.
        case hang
        /// The connection ends without an answer.
        case drop
    }

    private struct State {
        var received: [Received] = []
        var inFlight = 0
        var mostInFlight = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let listener: Int32
    package let port: Int
    private let respond: @Sendable (Received) -> Reply

    package struct CannotListen: Error {}

    package init(_ respond: @escaping @Sendable (Received) -> Reply = { _ in .status(200) }) throws {
        self.respond = respond
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 128) == 0 && getsockname(listener, address, &length) == 0
            }
        }
        guard isBound else { throw CannotListen() }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread { [self] in accept() }.start()
    }

    package func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    package var received: [Received] { state.withLock { $0.received } }
    /// So many requests were there at once.
    package var mostInFlight: Int { state.withLock { $0.mostInFlight } }

    /// Waits until so many requests have come, for at most ten seconds.
    package func wait(for count: Int) async -> [Received] {
        for _ in 0..<1000 where received.count < count { try? await Task.sleep(for: .milliseconds(10)) }
        return received
    }

    package func close() {
        state.withLock { $0.isClosed = true }
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
    }

    private func accept() {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { return }
            Thread { [self] in
                serve(connection)
                Glibc.close(connection)
            }.start()
        }
    }

    private func serve(_ connection: Int32) {
        guard let request = Self.read(connection) else { return }
        state.withLock { state in
            state.inFlight += 1
            state.mostInFlight = max(state.mostInFlight, state.inFlight)
            state.received.append(request)
        }
        let reply = respond(request)
        defer { state.withLock { $0.inFlight -= 1 } }
        switch reply {
        case .status(let code): Self.write("HTTP/1.1 \(code) Status\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", to: connection)
        case .redirect(let location):
            Self.write("HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", to: connection)
        case .hang: while !state.withLock({ $0.isClosed }) { usleep(20_000) }
        case .drop: break
        }
    }

    private static func write(_ text: String, to connection: Int32) {
        let bytes = Array(text.utf8)
        _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private static func read(_ connection: Int32) -> Received? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        var head: (first: [Substring], headers: [String: String], end: Int)?
        while true {
            if head == nil, let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
                let headers = lines.dropFirst().compactMap { line -> (String, String)? in
                    let parts = line.split(separator: ":", maxSplits: 1)
                    return parts.count == 2 ? (parts[0].lowercased(), parts[1].trimmingCharacters(in: .whitespaces)) : nil
                }
                head = (
                    (lines.first ?? "").split(separator: " "), Dictionary(headers, uniquingKeysWith: { first, _ in first }), end.upperBound
                )
            }
            if let head, head.first.count >= 2, bytes.count >= head.end + (Int(head.headers["content-length"] ?? "0") ?? 0) {
                return Received(
                    method: String(head.first[0]), path: String(head.first[1]), headers: head.headers, body: Array(bytes[head.end...]))
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }
}
