import Wire

/// The archives that a restore is given, with what they hold.
final class ArchiveReader: Sendable {
    /// Entries of our own zips, and bytes of their lists: 60,000 names of up to 400 bytes.
    private static let entryLimit = 65_535
    private static let listLimit: Int64 = 64 << 20

    struct Found: Sendable {
        let zip: ZipReader
        let entry: ZipReader.Entry
    }

    private let entries: [String: Found]
    /// Contents by hash.
    let contents: [(hash: ContentHash, found: Found)]

    init(_ paths: [String]) async throws {
        var entries: [String: Found] = [:]
        var contents: [(ContentHash, Found)] = []
        for path in paths {
            let file = try ArchiveFile(path)
            let zip = try await ZipReader(size: file.size, entryLimit: Self.entryLimit, listLimit: Self.listLimit) { offset, count in
                try await FileThread.run { try file.read(at: offset, count: count) }
            }
            for entry in zip.files {
                let found = Found(zip: zip, entry: entry)
                if let hash = entry.name.split(separator: "/").first.flatMap({ ContentHash(String($0)) }) {
                    contents.append((hash, found))
                } else {
                    entries[entry.name] = found
                }
            }
        }
        self.entries = entries
        self.contents = contents
    }

    func manifest() async throws -> BackupManifest {
        guard let found = entries[BackupManifest.path] else {
            throw RestoreFailure("none of the files is the last one of a backup's data (it holds \(BackupManifest.path))")
        }
        var bytes: [UInt8] = []
        try await found.zip.unpack(found.entry, limit: 64 << 20) { piece in
            bytes += piece
            return true
        }
        guard let json = try? JSONValue.parse(bytes), let manifest = BackupManifest(json) else {
            throw RestoreFailure("\(BackupManifest.path) is not as this program writes it")
        }
        return manifest
    }

    func has(_ path: String) -> Bool { entries[path] != nil }

    /// Unpacks an entry to a file, which goes with what is returned.
    func unpacked(_ path: String, in folder: String) async throws -> Spool {
        guard let found = entries[path] else { throw RestoreFailure("the files of the backup are not complete: \(path) is missing") }
        return try await Self.unpack(found, in: folder)
    }

    static func unpack(_ found: Found, in folder: String) async throws -> Spool {
        let spool = Spool(in: folder)
        try await found.zip.unpack(found.entry, limit: .max) { piece in
            try await spool.append(piece)
            return true
        }
        return spool
    }
}

/// A zip on disk.
private final class ArchiveFile: Sendable {
    let size: Int64
    private let file: Descriptor

    init(_ path: String) throws {
        guard let file = try Descriptor.existing(path) else { throw RestoreFailure("there is no file \(path)") }
        self.size = try file.size()
        self.file = file
    }

    func read(at offset: Int64, count: Int) throws -> [UInt8] { try file.read(at: offset, count: count) }
}

/// Why a backup cannot be restored, for the person who asked.
package struct RestoreFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
