import Metadata
import SQLStore
import Synchronization
import Wire

/// How many rows and contents a backup has behind it, told while its transaction runs.
final class BackupCount: Sendable {
    private let counts = Mutex((total: Int64(0), done: Int64(0)))

    func start(_ total: Int64) { counts.withLock { $0 = (total, 0) } }
    func add(_ done: Int64) { counts.withLock { $0.done += done } }
    var now: (total: Int64, done: Int64) { counts.withLock { $0 } }
}

/// Everything the database holds at one moment, written to archives inside one read transaction. A row at a time: memory does not
/// grow with the organisation.
struct BackupSnapshot {
    struct Result: Sendable {
        let parts: [ArchiveWriter.Part]
        /// A file with a line for each content: its hash, its size and a name.
        let contents: ContentList
    }

    let folder: String
    let limit: Int64
    let now: Instant
    let count: BackupCount

    func write(_ tx: Transaction) throws -> Result {
        let catalog = try MetadataStore.load(tx)
        let tables = try BackupTables.all(catalog, tx)
        let contents = try ContentList.write(in: folder, tx)
        var total = contents.count
        for table in tables {
            total += try tx.first("SELECT count(*) FROM \(table.name) WHERE \(table.condition)") { $0.integer(0) ?? 0 } ?? 0
        }
        count.start(total)
        let archive = ArchiveWriter(folder: folder, name: "Data", limit: limit)
        var entries: [BackupManifest.Entry] = []
        for table in tables { entries += try dump(table, archive, tx) }
        let manifest = BackupManifest(
            createdAt: now, catalogVersion: catalog.version, migrations: try Migrations.applied(tx), entries: entries,
            contents: contents.count)
        try archive.add(BackupManifest.path, manifest.json.encoded())
        return Result(parts: try archive.finish(), contents: contents)
    }

    /// One file, or several where one would not fit a zip.
    private func dump(_ table: BackupTables.Table, _ archive: ArchiveWriter, _ tx: Transaction) throws -> [BackupManifest.Entry] {
        let header = RawCSV.line(table.columns.map(\.title))
        var entries: [BackupManifest.Entry] = []
        var path = table.path
        var rows: Int64 = 0
        var text = RawCSV()
        func close() throws {
            try archive.add(text.take())
            try archive.end()
            entries.append(.init(path: path, table: table.path, rows: rows))
            count.add(rows)
            rows = 0
        }
        try archive.begin(path)
        try archive.add(header)
        try tx.stream("SELECT \(.joined(table.columns.map(\.name))) FROM \(table.name) WHERE \(table.condition)") { row in
            // Half of what a zip takes, so that zips are filled well.
            if archive.entrySize > limit / 2 {
                try close()
                path = table.path.dropLast(4) + ".\(entries.count + 1).csv"
                try archive.begin(path)
                try archive.add(header)
            }
            for (index, column) in table.columns.enumerated() { text.cell(row, index, column.form) }
            text.endLine()
            rows += 1
            if text.bytes.count > 256 << 10 { try archive.add(text.take()) }
        }
        try close()
        return entries
    }
}

/// The contents that belong to a snapshot, written down in a file of their own.
final class ContentList: Sendable {
    struct Content: Sendable {
        let hash: ContentHash
        let size: Int64
        let name: String
    }

    let count: Int64
    private let path: String

    private init(count: Int64, path: String) {
        self.count = count
        self.path = path
    }

    /// Contents of files that a record holds; what waits for one is not part of the data yet.
    static func write(in folder: String, _ tx: Transaction) throws -> ContentList {
        let path = "\(folder)/\(Spool.prefix)\(Secrets.hex(Secrets.randomBytes(16)))"
        let file = try Descriptor.create(path)
        var count: Int64 = 0
        var text = RawCSV()
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
            if text.bytes.count > 64 << 10 { try file.write(text.take()) }
        }
        try file.write(text.take())
        return ContentList(count: count, path: path)
    }

    /// One after the other, with a portion of the list in memory.
    func forEach(_ body: (Content) async throws -> Void) async throws {
        var reader = RawCSVReader()
        var offset: Int64 = 0
        while true {
            let path = path
            let start = offset
            let piece = try await FileThread.run { try Descriptor.existing(path)?.read(at: start, count: 64 << 10) ?? [] }
            if piece.isEmpty { break }
            offset += Int64(piece.count)
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
