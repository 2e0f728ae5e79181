import Metadata
import SQLStore
import Wire

/// Takes a backup: the data in one read transaction, then the contents of files, all put away as files that can be downloaded for
/// some days. A run that was cut off starts again from the beginning. Contract: data-backup, 239 to 244.
package struct BackupJob: JobHandler {
    package static let kind = "backup"
    package static let lane = JobLane.exports

    /// The largest zip (data-backup, 242). Tests take less.
    private let partLimit: Int64

    package init(partLimit: Int64 = 1 << 30) { self.partLimit = partLimit }

    package func run(_ job: Job, _ services: Services) async throws {
        let id = RecordID(raw: job.payload["backup"]?.looseInt64 ?? 0)
        guard try await Backups(services).begin(id, job) else { return }
        do {
            let count = BackupCount()
            let files = try await JobQueue.reporting(job, services, { count.now }) { try await take(services, count) }
            try await Backups(services).complete(id, job, files)
        } catch {
            if job.isLastAttempt, !(error is CancellationError) { try? await Backups(services).fail(id, job) }
            throw error
        }
    }

    private func take(_ services: Services, _ count: BackupCount) async throws -> [Backups.NewFile] {
        let folder = services.files.store.spoolFolder
        let limit = partLimit
        let now = services.clock()
        let snapshot = try await services.database.run(.read) { tx in
            try BackupSnapshot(folder: folder, limit: limit, now: now, count: count).write(tx)
        }
        var files: [Backups.NewFile] = []
        for part in snapshot.parts { files.append(try await keep(part, "data", services)) }
        for part in try await contents(snapshot.contents, services, count) { files.append(try await keep(part, "attachment", services)) }
        return files
    }

    /// The archive is written by one worker at a time, so that its blocking steps keep off the cooperative threads.
    private func contents(_ list: ContentList, _ services: Services, _ count: BackupCount) async throws -> [ArchiveWriter.Part] {
        let archive = ContentArchive(folder: services.files.store.spoolFolder, limit: partLimit)
        try await list.forEach { content in
            try Task.checkCancellation()
            try await archive.begin("\(content.hash.hex)/\(Self.safe(content.name))")
            let bytes = FileBytes(store: services.files.store, hash: content.hash, size: content.size)
            for try await piece in bytes { try await archive.add(piece) }
            try await archive.end()
            count.add(1)
        }
        return try await archive.finish()
    }

    private func keep(_ part: ArchiveWriter.Part, _ kind: String, _ services: Services) async throws -> Backups.NewFile {
        let spool = try Spool(at: part.path, hash: part.hash, size: part.size)
        return Backups.NewFile(kind: kind, name: part.name, kept: try await services.files.keep(spool, named: part.name))
    }

    /// A name that is one step of a path wherever the archive is unpacked.
    private static func safe(_ name: String) -> String {
        let clean = String(String.UnicodeScalarView(name.unicodeScalars.map { "/\\:*?\"<>|".unicodeScalars.contains($0) ? "_" : $0 }))
        return [".", ".."].contains(clean) ? "file" : clean
    }
}

/// The archives of attachments, written on a thread of their own.
private actor ContentArchive {
    private nonisolated let thread = FileThread()
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    private let writer: ArchiveWriter

    init(folder: String, limit: Int64) { writer = ArchiveWriter(folder: folder, name: "Attachments", limit: limit) }

    func begin(_ name: String) throws { try writer.begin(name) }
    func add(_ bytes: [UInt8]) throws { try writer.add(bytes) }
    func end() throws { try writer.end() }
    func finish() throws -> [ArchiveWriter.Part] { try writer.finish() }
}
