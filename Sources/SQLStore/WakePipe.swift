import Glibc

/// Wakes a thread out of poll(2).
final class WakePipe: Sendable {
    private let reading: Int32
    private let writing: Int32

    init() throws(DatabaseError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .cannotOpen("no pipe: \(String(cString: strerror(errno)))") }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// A full pipe wakes as well as one with one byte.
    func ring() {
        var byte: UInt8 = 1
        _ = write(writing, &byte, 1)
    }

    /// Waits for `ring`, for something to read at the socket, or for the time to pass (-1: for ever).
    func wait(orFor socket: Int32?, milliseconds: Int32) {
        var watched = [pollfd(fd: reading, events: Int16(POLLIN), revents: 0)]
        if let socket { watched.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0)) }
        poll(&watched, nfds_t(watched.count), milliseconds)
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(reading, &bytes, bytes.count) > 0 {}
    }
}
