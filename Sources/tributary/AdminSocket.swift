import Glibc
import Wire

/// The Unix socket in the data folder over which commands reach the running server: one line of JSON each way.
enum AdminSocket {
    static let name = "admin.sock"
    /// A request is a few hundred bytes.
    private static let longestLine = 65_536

    /// Asks the server that holds the folder. Nil when none listens.
    static func ask(folder: String, _ request: JSONValue) throws -> JSONValue? {
        guard let connection = try open(folder: folder, { connect($0, $1, $2) }) else { return nil }
        defer { close(connection) }
        guard send(line: request.encoded(), to: connection), let answer = receiveLine(from: connection) else {
            throw CommandFailure("the running server did not answer")
        }
        guard let json = try? JSONValue.parse(answer) else { throw CommandFailure("the running server's answer is not JSON") }
        return json
    }

    /// Starts to listen; only the owner of the process may connect. The caller holds the folder's lock, so a socket that
    /// is there already belongs to nobody.
    static func listen(folder: String) throws -> Int32 {
        unlink("\(folder)/\(name)")
        let listener = try open(folder: folder) { descriptor, address, length in
            guard bind(descriptor, address, length) == 0 else { return -1 }
            // Before listening starts, nobody can connect: there is no moment with other rights.
            guard chmod("\(folder)/\(name)", 0o600) == 0 else { return -1 }
            return Glibc.listen(descriptor, 8)
        }
        guard let listener else { throw CommandFailure("cannot listen on \(folder)/\(name)") }
        return listener
    }

    /// Makes a socket and does `action` with the address. The address names the folder by its descriptor: socket paths
    /// have 108 bytes at most, folders may have more.
    private static func open(folder: String, _ action: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32) throws -> Int32? {
        let directory = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return nil }
        defer { close(directory) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        limitWaiting(descriptor)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "/proc/self/fd/\(directory)/\(name)".utf8) }
        let done = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { action(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard done == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Ten seconds for each read and write: a silent peer must not hold a thread for ever.
    static func limitWaiting(_ descriptor: Int32) {
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    static func send(line: [UInt8], to descriptor: Int32) -> Bool {
        var rest = (line + [UInt8(ascii: "\n")])[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    static func receiveLine(from descriptor: Int32) -> [UInt8]? {
        var line: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while line.count <= longestLine {
            let received = recv(descriptor, &chunk, chunk.count, 0)
            guard received > 0 else { return nil }
            line += chunk[..<received]
            if let end = line.firstIndex(of: UInt8(ascii: "\n")) { return Array(line[..<end]) }
        }
        return nil
    }
}
