import Glibc
import Synchronization

/// Holds a data folder for this process. The kernel lets go of it when the process ends, however it ends.
final class FolderLock: Sendable {
    private let descriptor: Mutex<Int32>

    init(_ folder: String) throws(DatabaseError) {
        let opened = open("\(folder)/tributary.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw .cannotOpen("\(folder)/tributary.lock: \(String(cString: strerror(errno)))") }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(opened)
            throw .alreadyInUse(folder)
        }
        descriptor = Mutex(opened)
    }

    func release() {
        descriptor.withLock { descriptor in
            guard descriptor >= 0 else { return }
            // A child process between fork and exec shares the lock: closing alone would leave it there.
            flock(descriptor, LOCK_UN)
            Glibc.close(descriptor)
            descriptor = -1
        }
    }

    deinit { release() }
}
