import Logging
import Metadata
import SQLStore
import Wire

/// Puts a backup into a database that nobody has used, on either engine. The data is one transaction: it is there as a whole or not
/// at all, and a restore that broke off is simply started again.
package struct Restore: Sendable {
    package struct Summary: Sendable {
        package let rows: Int64
        package let contents: Int64
        package let createdAt: Instant
    }

    private static let batch = 500

    private let location: Database.Location
    private let place: FilePlace
    private let withoutFiles: Bool
    private let note: @Sendable (String) -> Void

    /// `note` is told what is being done. Without files, records keep their attachments' names and not the contents.
    package init(
        _ location: Database.Location, files place: FilePlace = .withDatabase, withoutFiles: Bool = false,
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.location = location
        self.place = place
        self.withoutFiles = withoutFiles
        self.note = note
    }

    package func run(_ paths: [String]) async throws -> Summary {
        let archive = try await ArchiveReader(paths)
        let manifest = try await archive.manifest()
        try check(manifest, archive)
        let database = try await Database.open(location)
        do {
            let summary = try await restore(archive, manifest, database)
            await database.close()
            return summary
        } catch {
            await database.close()
            throw error
        }
    }

    private func check(_ manifest: BackupManifest, _ archive: ArchiveReader) throws {
        let known = Set(Migrations.all.map(\.number))
        if let newer = manifest.migrations.first(where: { !known.contains($0) }) {
            throw RestoreFailure("the backup is of a newer version of this program (migration \(newer))")
        }
        for entry in manifest.entries where !archive.has(entry.path) {
            throw RestoreFailure("the files of the backup are not complete: \(entry.path) is missing")
        }
        let given = Set(archive.contents.map(\.hash)).count
        guard withoutFiles || given == Int(manifest.contents) else {
            throw RestoreFailure(
                "the backup has \(manifest.contents) attachments and images, the files given have \(given): name all Attachments_….zip too, or say --without-files"
            )
        }
    }

    private func restore(_ archive: ArchiveReader, _ manifest: BackupManifest, _ database: Database) async throws -> Summary {
        try await database.run(.write) { tx in
            _ = try Migrations.apply(tx, only: Set(manifest.migrations))
            guard try tx.first("SELECT 1 FROM sys_metadata LIMIT 1", { _ in true }) == nil else {
                throw RestoreFailure("this database holds an organisation already; a backup goes into a new folder or a new database")
            }
        }
        let store = try place.store(location, database)
        if !withoutFiles { try await restoreContents(archive, store, database) }
        var files: [UnpackedTable] = []
        for entry in manifest.entries {
            note("reading \(entry.path): \(entry.rows) rows")
            files.append(UnpackedTable(entry: entry, spool: try await archive.unpacked(entry.path, in: store.spoolFolder)))
        }
        note("writing \(manifest.entries.reduce(0) { $0 + $1.rows }) rows")
        let all = files
        let rows = try await database.run(.write) { tx in try Self.write(all, manifest, tx) }
        return Summary(rows: rows, contents: withoutFiles ? 0 : manifest.contents, createdAt: manifest.createdAt)
    }

    /// Contents before the rows that speak of them; each may be put away again.
    private func restoreContents(_ archive: ArchiveReader, _ store: any FileStore, _ database: Database) async throws {
        note("putting away \(archive.contents.count) attachments and images")
        for (hash, found) in archive.contents {
            let spool = try await ArchiveReader.unpack(found, in: store.spoolFolder)
            guard try await spool.finish() == hash else { throw RestoreFailure("\(found.entry.name) is damaged") }
            let size = await spool.size
            try await store.put(hash, from: spool)
            try await database.run(.write) { tx in
                try tx.execute(
                    """
                    INSERT INTO sys_blob (hash, size, stored) VALUES (\(.text(hash.hex)), \(.integer(size)), 1)
                    ON CONFLICT (hash) DO NOTHING
                    """)
            }
        }
    }

    private static func write(_ files: [UnpackedTable], _ manifest: BackupManifest, _ tx: Transaction) throws -> Int64 {
        let fixed = Dictionary(uniqueKeysWithValues: try BackupTables.fixed(tx).map { ($0.path, $0) })
        let metadata = "system/sys_metadata.csv"
        var rows: Int64 = 0
        // Settings first: they say which tables records have.
        for file in files where file.entry.table == metadata {
            if let table = fixed[metadata] { rows += try file.write(into: table, batch: batch, tx) }
        }
        try tx.execute("UPDATE sys_catalog_version SET version = \(.integer(manifest.catalogVersion))")
        let catalog = try MetadataStore.load(tx)
        guard !catalog.users.isEmpty else { throw RestoreFailure("the backup has no settings") }
        try SchemaPlan.between(nil, catalog).execute(tx)
        let records = Dictionary(uniqueKeysWithValues: BackupTables.records(catalog).map { ($0.path, $0) })
        // Migrations put first rows into some.
        for table in fixed.values where table.path != metadata { try tx.execute("DELETE FROM \(table.name)") }
        for file in files where file.entry.table != metadata {
            guard let table = fixed[file.entry.table] ?? records[file.entry.table] else {
                throw RestoreFailure("there is no table for \(file.entry.path)")
            }
            rows += try file.write(into: table, batch: batch, tx)
        }
        for table in fixed.values.sorted(by: { $0.path < $1.path }) {
            if let column = table.numbered { try tx.continueNumbers(of: table.name, column) }
        }
        // Whoever worked on a job is not here.
        try tx.execute("UPDATE sys_job SET state = 'waiting', lease_until = NULL WHERE state = 'running'")
        // Newer ones may change what the rows say.
        _ = try Migrations.apply(tx)
        try SearchIndex.fillIfEmpty(catalog, tx)
        return rows
    }
}

/// A file of rows, unpacked.
private struct UnpackedTable: Sendable {
    let entry: BackupManifest.Entry
    let spool: Spool

    /// Columns are found by their titles: the order may be another one, and a newer table may have more of them.
    func write(into table: BackupTables.Table, batch: Int, _ tx: Transaction) throws -> Int64 {
        guard let file = try Descriptor.existing(spool.path) else { throw RestoreFailure("\(entry.path) is gone") }
        var reader = RawCSVReader()
        var columns: [BackupTables.Column]?
        var waiting: [[SQLValue]] = []
        var rows: Int64 = 0
        func flush() throws {
            guard let columns, !waiting.isEmpty else { return }
            try tx.insert(into: table.name, columns.map(\.name), rows: waiting)
            rows += Int64(waiting.count)
            waiting = []
        }
        func take(_ cells: [String?]) throws {
            guard let known = columns else {
                columns = try cells.map { title in
                    guard let column = table.columns.first(where: { $0.title == title }) else {
                        throw RestoreFailure("\(entry.path) has a column \(title ?? "") that the table has not")
                    }
                    return column
                }
                return
            }
            guard cells.count == known.count else { throw RestoreFailure("\(entry.path) is damaged near row \(rows)") }
            waiting.append(
                try zip(cells, known).map { cell, column in
                    guard let value = RawCSV.value(cell, column.form) else {
                        throw RestoreFailure("\(entry.path) has a value in \(column.title) that does not fit: \(cell ?? "")")
                    }
                    return value
                })
            if waiting.count == batch { try flush() }
        }
        var offset: Int64 = 0
        while true {
            let piece = try file.read(at: offset, count: 256 << 10)
            if piece.isEmpty { break }
            offset += Int64(piece.count)
            try reader.feed(piece) { try take($0) }
        }
        try reader.finish()
        try flush()
        guard rows == entry.rows else { throw RestoreFailure("\(entry.path) has \(rows) rows instead of \(entry.rows)") }
        return rows
    }
}
