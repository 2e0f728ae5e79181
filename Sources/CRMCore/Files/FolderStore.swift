import Glibc
import Wire

/// Contents as files named by their hash, in 256 folders named by its first two digits.
package struct FolderStore: FileStore {
    private let folder: String
    package var spoolFolder: String { folder + "/incoming" }

    /// Makes the folder if it is not there.
    package init(_ folder: String) throws {
        self.folder = folder
        try Self.make(folder + "/incoming")
    }

    private func parent(_ hash: ContentHash) -> String { "\(folder)/\(hash.hex.prefix(2))" }
    private func path(_ hash: ContentHash) -> String { "\(parent(hash))/\(hash.hex)" }

    package func put(_ hash: ContentHash, from spool: Spool) async throws {
        let place = path(hash)
        let parent = parent(hash)
        let folder = folder
        try await FileThread.run {
            if mkdir(parent, 0o700) == 0 { return try Self.sync(folder) }
            guard errno == EEXIST else { throw FileFailure.last("cannot make \(parent)") }
        }
        try await spool.move(to: place)
        // The name is durable only when its folder is.
        try await FileThread.run { try Self.sync(parent) }
    }

    package func read(_ hash: ContentHash, at offset: Int64, count: Int) async throws -> [UInt8]? {
        let place = path(hash)
        return try await FileThread.run { try Descriptor.existing(place)?.read(at: offset, count: count) }
    }

    package func remove(_ hash: ContentHash) async throws {
        let place = path(hash)
        try await FileThread.run {
            guard unlink(place) == 0 || errno == ENOENT else { throw FileFailure.last("cannot remove \(place)") }
        }
    }

    package func clearSpool(before moment: Instant) async throws { try await SpoolFolder.clear(spoolFolder, before: moment) }

    private static func sync(_ folder: String) throws {
        let number = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw FileFailure.last("cannot open \(folder)") }
        defer { close(number) }
        guard fsync(number) == 0 else { throw FileFailure.last("cannot sync \(folder)") }
    }

    /// With its parents, readable by its owner only.
    private static func make(_ folder: String) throws {
        var path = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            path += "/\(part)"
            if mkdir(path, 0o700) != 0, errno != EEXIST { throw FileFailure.last("cannot make \(path)") }
        }
    }
}

/// The folder in which uploads are collected.
package enum SpoolFolder {
    /// The system's folder for files that do not last, for stores without a folder of their own.
    package static var standard: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

    static func remove(_ path: String) { unlink(path) }

    /// Removes files last written before `moment`: what a process that is gone left behind.
    package static func clear(_ folder: String, before moment: Instant) async throws {
        try await FileThread.run {
            guard let entries = opendir(folder) else { throw FileFailure.last("cannot list \(folder)") }
            defer { closedir(entries) }
            while let entry = readdir(entries) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                var status = stat()
                // The folder may be one that others use too.
                guard name.hasPrefix(Spool.prefix), lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                    continue
                }
                if Int64(status.st_mtim.tv_sec) * 1000 < moment.milliseconds { unlink("\(folder)/\(name)") }
            }
        }
    }
}
