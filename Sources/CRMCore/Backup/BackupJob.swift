import Metadata
import SQLStore
import Wire

/// Takes a backup: the data in one read transaction, then the contents of files, all put away as files that can be downloaded for
/// some days. The data are of one moment, so a run that was cut off before they were put away begins again; behind that, every archive
/// that is whole stays, and the next run goes on with the contents after it. Contract: data-backup, 239 to 244.
package struct BackupJob: JobHandler {
    package static let kind = "backup"
    package static let lane = JobLane.exports

    /// The largest zip (data-backup, 242). Tests take less.
    private let partLimit: Int64
    /// Told of each archive put away; tests stop there.
    private let onPart: @Sendable (String) throws -> Void

    package init(partLimit: Int64 = 1 << 30, onPart: @escaping @Sendable (String) throws -> Void = { _ in }) {
        self.partLimit = partLimit
        self.onPart = onPart
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let id = RecordID(raw: job.payload["backup"]?.looseInt64 ?? 0)
        let backups = Backups(services)
        guard try await backups.begin(id, job) else { return }
        do {
            let count = BackupCount()
            let files = try await JobQueue.reporting(job, services, { count.now }) { try await take(id, job, services, count) }
            try await backups.complete(id, job, files)
        } catch {
            // A content that is gone was deleted since the data were read: only new data can do without it.
            if error is FileFailure { try? await backups.keep([], BackupProgress(), id, job) }
            if job.isLastAttempt, !(error is CancellationError) { try? await backups.fail(id, job) }
            throw error
        }
    }

    private func take(_ id: RecordID, _ job: Job, _ services: Services, _ count: BackupCount) async throws -> [BackupProgress.File] {
        var progress = BackupProgress(job.payload)
        if progress.contents == nil {
            progress = try await data(id, job, services, count)
        } else {
            count.start(progress.total, done: progress.done)
        }
        guard let list = progress.contents else { throw BulkTakenOver() }
        guard let entry = try await services.files.file(list) else { throw FileFailure(description: "the list of contents is gone") }
        let whole = progress.files.count { $0.kind == "attachment" }
        let archive = ContentArchive(folder: services.files.store.spoolFolder, limit: partLimit, after: whole)
        let finished = progress.packed
        var number: Int64 = 0
        try await ContentList.forEach(in: services.files.bytes(of: entry)) { content in
            number += 1
            guard number > finished else { return }
            try Task.checkCancellation()
            try await archive.begin("\(content.hash.hex)/\(Self.safe(content.name))")
            let bytes = FileBytes(store: services.files.store, hash: content.hash, size: content.size)
            for try await piece in bytes { try await archive.add(piece) }
            let full = try await archive.end()
            count.add(1)
            guard !full.isEmpty else { return }
            // This content did not fit, and is in the next one.
            progress.packed = number - 1
            progress.done = progress.total - (count.now.total - count.now.done) - 1
            progress = try await keep(full, "attachment", progress, id, job, services)
        }
        progress.packed = number
        progress.done = progress.total
        return try await keep(try await archive.finish(), "attachment", progress, id, job, services).files
    }

    private func data(_ id: RecordID, _ job: Job, _ services: Services, _ count: BackupCount) async throws -> BackupProgress {
        let folder = services.files.store.spoolFolder
        let limit = partLimit
        let now = services.clock()
        let snapshot = try await services.database.run(.read) { tx in
            try BackupSnapshot(folder: folder, limit: limit, now: now, count: count).write(tx)
        }
        var progress = BackupProgress()
        progress.total = count.now.total
        progress.done = count.now.done
        let list = try await snapshot.contents.keep(services.files)
        return try await keep(snapshot.parts, "data", progress, list: list, id, job, services)
    }

    private func keep(
        _ parts: [ArchiveWriter.Part], _ kind: String, _ progress: BackupProgress, list: FileLibrary.Kept? = nil, _ id: RecordID,
        _ job: Job,
        _ services: Services
    ) async throws -> BackupProgress {
        var files: [Backups.NewFile] = []
        for part in parts {
            let spool = try Spool(at: part.path, hash: part.hash, size: part.size)
            files.append(Backups.NewFile(kind: kind, name: part.name, kept: try await services.files.keep(spool, named: part.name)))
        }
        let kept = try await Backups(services).keep(files, progress, list: list, id, job)
        for part in parts { try onPart(part.name) }
        return kept
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

    init(folder: String, limit: Int64, after count: Int) {
        writer = ArchiveWriter(folder: folder, name: "Attachments", limit: limit, after: count)
    }

    func begin(_ name: String) throws { try writer.begin(name) }
    func add(_ bytes: [UInt8]) throws { try writer.add(bytes) }
    /// Returns the archives that are full now.
    func end() throws -> [ArchiveWriter.Part] {
        try writer.end()
        return writer.takeFinished()
    }
    func finish() throws -> [ArchiveWriter.Part] { try writer.finish() }
}
