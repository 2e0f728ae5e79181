import Metadata
import SQLStore
import Synchronization
import Wire

/// How many rows and contents a backup has behind it, told while its transaction runs.
final class BackupCount: Sendable {
    private let counts = Mutex((total: Int64(0), done: Int64(0)))

    func start(_ total: Int64, done: Int64 = 0) { counts.withLock { $0 = (total, done) } }
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
