import CSQLite
import Glibc

extension Pool {
    /// One thread that writes and several that read, in a folder that no other process uses.
    static func sqlite(_ folder: String, _ options: Database.Options) async throws -> Pool {
        // STRICT tables came with 3.37.
        guard sqlite3_libversion_number() >= 3_037_000 else { throw DatabaseError.unsuitable("SQLite is older than 3.37") }
        try makeFolder(folder)
        let lock = try FolderLock(folder)
        let file = "\(folder)/tributary.db"
        let count = max(1, options.readers)
        let reading = WorkQueue(limit: options.maximumQueue)
        let writing = WorkQueue(limit: options.maximumQueue)
        let hub = NotificationHub()
        let slots = (0..<count).map { _ in ConnectionSlot() }
        // The writer closes last: its checkpoint wants no readers.
        let writer = ThreadGroup(count: 1) { lock.release() }
        let readers = ThreadGroup(count: count) { writing.close() }
        try await withCheckedThrowingContinuation { opened in
            ConnectionThread.start("sqlite-writer", in: writer) {
                do {
                    let driver = try SQLiteDriver(file: file, role: .writer)
                    opened.resume()
                    GroupCommit(writing, hub, driver, observer: options.observer).run()
                    driver.checkpoint()
                    driver.close()
                } catch {
                    lock.release()
                    opened.resume(throwing: DatabaseError.cannotOpen("\(file): \((error as? DriverFailure)?.message ?? "\(error)")"))
                }
            }
        }
        for (number, slot) in slots.enumerated() {
            ConnectionThread.start("sqlite-\(number)", in: readers) {
                SQLiteReader(reading, slot, hub, observer: options.observer) { try SQLiteDriver(file: file, role: .reader) }.run()
            }
        }
        return Pool(
            engine: .sqlite, reading: reading, writing: writing, slots: slots, hub: hub, threads: writer,
            listen: { hub.listen($0) },
            stop: {
                hub.close()
                reading.close()
            })
    }

    /// With its parents, readable by its owner only.
    private static func makeFolder(_ folder: String) throws(DatabaseError) {
        var path = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            path += "/\(part)"
            if mkdir(path, 0o700) != 0, errno != EEXIST {
                throw .cannotOpen("\(path): \(String(cString: strerror(errno)))")
            }
        }
    }
}
