import Metadata
import SQLStore
import Wire

/// Files: contents put away once however often they are uploaded, under opaque ids that nobody can guess.
package struct FileLibrary: Sendable {
    /// How long a file stays that no record holds. A day, so that a form can be filled in calmly.
    package static let graceMilliseconds: Int64 = 24 * 3_600_000

    package let store: any FileStore
    let database: Database
    let ids: any IDSource
    let clock: @Sendable () -> Instant

    /// A content that is in the store, with the name it came under.
    package struct Kept: Sendable {
        package let hash: ContentHash
        package let size: Int64
        package let name: FileName
        /// What the bytes say, for images; otherwise what the name says.
        package let mediaType: String
        package let image: ImageHeader?
    }

    /// A file as its row has it.
    package struct Entry: Sendable, Equatable {
        package let id: RecordID
        package let token: String
        package let hash: ContentHash
        package let size: Int64
        package let name: String
        package let mediaType: String
    }

    package func spool() -> Spool { Spool(in: store.spoolFolder) }

    /// Puts a content away. It stays for the grace time unless a file is registered for it.
    package func keep(_ spool: Spool, named name: String) async throws -> Kept {
        let hash = try await spool.finish()
        let size = await spool.size
        let image = try await ImageHeader.read { try await spool.read(at: $0, count: $1) }
        if try await reserve(hash, size) == false {
            try await store.put(hash, from: spool)
            try await database.run(.write) { tx in try tx.execute("UPDATE sys_blob SET stored = 1 WHERE hash = \(.text(hash.hex))") }
        }
        let name = FileName(name)
        return Kept(hash: hash, size: size, name: name, mediaType: image?.kind.rawValue ?? name.mediaType, image: image)
    }

    /// Writes a content down before it is put away. Returns whether it is in the store already.
    private func reserve(_ hash: ContentHash, _ size: Int64) async throws -> Bool {
        let until = Instant(milliseconds: clock().milliseconds + Self.graceMilliseconds)
        // A content that is being removed is free again when that is done; 10 seconds are a slow disk's.
        for _ in 0..<100 {
            let stored = try await database.run(.write) { tx in
                try tx.first(
                    """
                    INSERT INTO sys_blob (hash, size, stored, expires_at) VALUES (\(.text(hash.hex)), \(.integer(size)), 0, \(until))
                    ON CONFLICT (hash) DO UPDATE SET expires_at = CASE WHEN sys_blob.expires_at IS NULL THEN NULL ELSE \(until) END
                    WHERE sys_blob.removing_since IS NULL RETURNING stored
                    """
                ) { $0.integer(0) == 1 }
            }
            if let stored { return stored }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw SQLFailure.busy
    }

    /// Makes a file of a kept content, inside the caller's transaction. One that no record will hold `expires`.
    package func register(_ kept: Kept, owner: UserID, held: Bool, _ tx: Transaction) throws -> Entry {
        try register(kept, owner: owner, until: held ? nil : Instant(milliseconds: clock().milliseconds + Self.graceMilliseconds), tx)
    }

    /// One that stays until the moment given, or as long as a record holds it.
    package func register(_ kept: Kept, owner: UserID, until expires: Instant?, _ tx: Transaction) throws -> Entry {
        let now = clock()
        let hash = SQLValue.text(kept.hash.hex)
        let entry = Entry(
            id: ids.next(), token: Secrets.hex(Secrets.randomBytes(32)), hash: kept.hash, size: kept.size, name: kept.name.text,
            mediaType: kept.mediaType)
        // Only a day's pause between keeping and registering could have lost it.
        guard try tx.execute("UPDATE sys_blob SET expires_at = NULL WHERE hash = \(hash) AND removing_since IS NULL") == 1 else {
            throw SQLFailure.busy
        }
        try tx.insert(
            into: "sys_file", ["id", "token", "hash", "size", "name", "content_type", "owner", "created_at", "expires_at"],
            rows: [
                [
                    .integer(entry.id.raw), .text(entry.token), hash, .integer(entry.size), .text(entry.name), .text(entry.mediaType),
                    .integer(owner.raw), .integer(now.milliseconds), .init(expires?.milliseconds),
                ]
            ])
        return entry
    }

    /// Files that wait for a record to hold them, in the order given.
    package func register(_ kept: [Kept], owner: UserID) async throws -> [Entry] {
        try await database.run(.write) { tx in try kept.map { try register($0, owner: owner, held: false, tx) } }
    }

    package func file(token: String) async throws -> Entry? {
        guard !token.utf8.contains(0) else { return nil }
        return try await file(where: "token = \(.text(token))")
    }

    package func file(_ id: RecordID) async throws -> Entry? { try await file(where: "id = \(id)") }

    /// A file that this user has uploaded, whose id may be guessed.
    package func file(_ id: RecordID, of owner: UserID) async throws -> Entry? {
        try await file(where: "id = \(id) AND owner = \(.integer(owner.raw))")
    }

    private func file(where condition: SQL) async throws -> Entry? {
        try await database.run(.read) { tx in
            try tx.first("SELECT id, token, hash, size, name, content_type FROM sys_file WHERE \(condition)") { row in
                ContentHash(row.text(2) ?? "").map {
                    Entry(
                        id: RecordID(raw: row.integer(0) ?? 0), token: row.text(1) ?? "", hash: $0, size: row.integer(3) ?? 0,
                        name: row.text(4) ?? "", mediaType: row.text(5) ?? "application/octet-stream")
                }
            } ?? nil
        }
    }

    /// The bytes of a file, piece by piece.
    package func bytes(of entry: Entry) -> FileBytes { FileBytes(store: store, hash: entry.hash, size: entry.size) }
}

/// A content as an asynchronous sequence. A content that ends early throws: what went out already cannot be taken back.
package struct FileBytes: AsyncSequence, Sendable {
    let store: any FileStore
    let hash: ContentHash
    package let size: Int64

    package struct Iterator: AsyncIteratorProtocol {
        let bytes: FileBytes
        private var offset: Int64 = 0

        init(_ bytes: FileBytes) { self.bytes = bytes }

        /// Half a megabyte, as a database chunk has: large enough for the disk, small enough for a thousand downloads at once.
        package mutating func next() async throws -> [UInt8]? {
            guard offset < bytes.size else { return nil }
            let wanted = Int(Swift.min(512 << 10, bytes.size - offset))
            guard let piece = try await bytes.store.read(bytes.hash, at: offset, count: wanted), piece.count == wanted else {
                throw FileFailure(description: "the content \(bytes.hash.hex) is not whole")
            }
            offset += Int64(wanted)
            return piece
        }
    }

    package func makeAsyncIterator() -> Iterator { Iterator(self) }
}
