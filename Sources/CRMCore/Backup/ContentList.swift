import SQLStore
import Wire

/// The contents that belong to a snapshot, written down in a file of their own.
final class ContentList: Sendable {
    struct Content: Sendable {
        let hash: ContentHash
        let size: Int64
        let name: String
    }

    let count: Int64
    private let path: String
    private let digest: ContentHash
    private let size: Int64

    private init(count: Int64, path: String, digest: ContentHash, size: Int64) {
        self.count = count
        self.path = path
        self.digest = digest
        self.size = size
    }

    /// Contents of files that a record holds; what waits for one is not part of the data yet.
    static func write(in folder: String, _ tx: Transaction) throws -> ContentList {
        let path = "\(folder)/\(Spool.prefix)\(Secrets.hex(Secrets.randomBytes(16)))"
        let file = try Descriptor.create(path)
        let digest = Digest()
        var count: Int64 = 0
        var size: Int64 = 0
        var text = RawCSV()
        func put() throws {
            let bytes = text.take()
            try file.write(bytes)
            digest.add(bytes)
            size += Int64(bytes.count)
        }
        try tx.stream(
            """
            SELECT f.hash, min(f.size), min(f.name) FROM sys_file f WHERE f.expires_at IS NULL GROUP BY f.hash ORDER BY f.hash
            """
        ) { row in
            text.cell(row, 0, .plain(.text))
            text.cell(row, 1, .plain(.integer))
            text.cell(row, 2, .plain(.text))
            text.endLine()
            count += 1
            if text.bytes.count > 64 << 10 { try put() }
        }
        try put()
        try file.sync()
        guard let hash = ContentHash(digest.finish()) else { throw FileFailure(description: "no digest was made") }
        return ContentList(count: count, path: path, digest: hash, size: size)
    }

    /// Puts the list away, so that a later run finds it. Ends this one.
    func keep(_ files: FileLibrary) async throws -> FileLibrary.Kept {
        try await files.keep(try Spool(at: path, hash: digest, size: size), named: "contents.csv")
    }

    /// The contents of a kept list one after the other, with a portion of it in memory.
    static func forEach(in bytes: FileBytes, _ body: (Content) async throws -> Void) async throws {
        var reader = RawCSVReader()
        for try await piece in bytes {
            var contents: [Content] = []
            try reader.feed(piece) { cells in
                guard cells.count == 3, let hash = cells[0].flatMap(ContentHash.init), let size = cells[1].flatMap({ Int64($0) }) else {
                    return
                }
                contents.append(Content(hash: hash, size: size, name: cells[2] ?? "file"))
            }
            for content in contents { try await body(content) }
        }
    }

    deinit { SpoolFolder.remove(path) }
}
