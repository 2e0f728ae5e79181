import SQLStore
import Wire

/// Contents in rows of the database: for PostgreSQL, which several processes on several machines may share.
package struct DatabaseStore: FileStore {
    /// Half a megabyte: a transaction and a row of it disturb nobody.
    private static let chunk = 512 << 10

    private let database: Database
    package let spoolFolder: String

    package init(_ database: Database) {
        self.database = database
        spoolFolder = SpoolFolder.standard
    }

    package func put(_ hash: ContentHash, from spool: Spool) async throws {
        let size = await spool.size
        for position in 0..<(size + Int64(Self.chunk) - 1) / Int64(Self.chunk) {
            let bytes = try await spool.read(at: position * Int64(Self.chunk), count: Self.chunk)
            try await database.run(.write) { tx in
                try tx.execute(
                    """
                    INSERT INTO sys_file_chunk (hash, position, bytes) VALUES (\(.text(hash.hex)), \(.integer(position)), \(.blob(bytes)))
                    ON CONFLICT (hash, position) DO NOTHING
                    """)
            }
        }
    }

    package func read(_ hash: ContentHash, at offset: Int64, count: Int) async throws -> [UInt8]? {
        let first = offset / Int64(Self.chunk)
        let last = (offset + Int64(max(count, 1)) - 1) / Int64(Self.chunk)
        let chunks = try await database.run(.read) { tx in
            try tx.rows(
                """
                SELECT bytes FROM sys_file_chunk WHERE hash = \(.text(hash.hex)) AND position BETWEEN \(.integer(first)) AND \(.integer(last))
                ORDER BY position
                """
            ) { $0.blob(0) ?? [] }
        }
        guard let only = chunks.first else { return nil }
        let start = Int(offset - first * Int64(Self.chunk))
        if chunks.count == 1, start == 0, only.count <= count { return only }
        return Array(chunks.joined().dropFirst(start).prefix(count))
    }

    package func remove(_ hash: ContentHash) async throws {
        try await database.run(.write) { tx in try tx.execute("DELETE FROM sys_file_chunk WHERE hash = \(.text(hash.hex))") }
    }

    package func clearSpool(before moment: Instant) async throws { try await SpoolFolder.clear(spoolFolder, before: moment) }
}
