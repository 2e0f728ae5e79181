import Metadata
import SQLStore
import Wire

/// Imports the files of an upload. First all of them are looked through, so that a file that is no good changes nothing; then their
/// rows are written in batches. What became of a batch's rows, and how far the job is, commits with the rows: a run that was cut
/// off goes on with the next batch, and no row is written twice.
package struct BulkWriteJob: JobHandler {
    package static let kind = "bulk_write"
    /// Rows in one transaction: a thirtieth of a second in which other writers wait (SQLite). The engine writes each page of an
    /// index once for all of them.
    private static let batch = 2_000

    private let batch: Int

    package init() { self.init(batch: Self.batch) }
    package init(batch: Int) { self.batch = batch }

    package static func schedule(_ request: BulkWriteRequest, _ scope: WriteScope) throws -> RecordID {
        let progress = BulkWriteProgress(resources: request.resources.count)
        // The uploads stay as long as the job does.
        let files = request.resources.map(\.file.raw)
        let until = SQLValue.integer(BulkJobs.expiry(scope.now))
        try scope.tx.execute("UPDATE sys_file SET expires_at = \(until) WHERE \(.memberIDs("id", files)) AND expires_at IS NOT NULL")
        return try BulkJobs.add(request.operation, kind: kind, request.kept, progress: progress.kept, scope)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        guard
            let run = try await BulkRun(
                job, services, callback: { BulkWriteRequest(kept: $0.request).callback }, details: BulkWriteDetails.body)
        else { return }
        try await run.carryOut(job) {
            do {
                try await write(run, services)
            } catch let failure as ZipFailure {
                throw Rejection(.invalidFileFormat, message: failure.description)
            } catch let failure as CSVFailure {
                throw Rejection(.invalidFileFormat, message: failure.description)
            }
        }
    }

    private func write(_ run: BulkRun, _ services: Services) async throws {
        let request = BulkWriteRequest(kept: run.bulk.request)
        var progress = BulkWriteProgress(run.bulk.progress)
        let files = try await files(request, services)
        if !progress.isChecked { progress = try await check(run.bulk.id, request, files, progress, services) }
        for (index, file) in files.enumerated() {
            let writer = BulkResourceWriter(job: run.bulk.id, user: run.bulk.user, request: request, index: index, services: services)
            if progress.counts[index].parts == 0 { try await writer.begin(progress) }
            progress.counts[index].parts = max(progress.counts[index].parts, 1)
            progress = try await write(file, by: writer, progress)
        }
        try await run.complete(progress.kept, entries: BulkWriteDetails.entries(request, services.catalog.current()))
    }

    /// The next batch is read while the last is written: two threads share the work, and the database is never kept waiting.
    private func write(_ file: BulkFile, by writer: BulkResourceWriter, _ before: BulkWriteProgress) async throws -> BulkWriteProgress {
        var progress = before
        let done = before.counts[writer.index].done
        try await withThrowingTaskGroup(of: BulkWriteProgress.self) { writing in
            try await file.rows(writer.resource.head, lots: batch, from: done) { _, lines in
                try Task.checkCancellation()
                let lot = try writer.read(lines)
                if let written = try await writing.next() { progress = written }
                let before = progress
                writing.addTask { try await writer.write(lot, before) }
            }
            if let written = try await writing.next() { progress = written }
        }
        return progress
    }

    private func files(_ request: BulkWriteRequest, _ services: Services) async throws -> [BulkFile] {
        var files: [BulkFile] = []
        for resource in request.resources {
            guard let upload = try await services.files.file(resource.file) else { throw Rejection(.invalidFileID) }
            guard let file = BulkFile(try await BulkFile.zip(upload, services.files), named: resource.name) else {
                throw Rejection(.invalidFileFormat)
            }
            files.append(file)
        }
        return files
    }

    /// Every row of every file is read once, and none is kept.
    private func check(
        _ id: RecordID, _ request: BulkWriteRequest, _ files: [BulkFile], _ before: BulkWriteProgress, _ services: Services
    ) async throws -> BulkWriteProgress {
        var progress = before
        for (index, file) in files.enumerated() {
            progress.counts[index].total = 0
            try await file.rows(request.resources[index].head, lots: 1_000, keepsCells: false) { _, lines in
                try Task.checkCancellation()
                progress.counts[index].total += lines.count
                guard progress.counts[index].total <= BulkFile.rowLimit else {
                    throw Rejection(
                        .limitExceeded, message: "\(file.name) has more than \(BulkFile.rowLimit) rows",
                        .other("limit", .integer(BulkFile.rowLimit)))
                }
            }
        }
        progress.isChecked = true
        let checked = progress
        try await services.database.run(.write) { tx in
            guard let found = try BulkJobs.find(id, locked: true, tx), BulkWriteProgress(found.progress) == before else {
                throw BulkTakenOver()
            }
            try BulkJobs.set(id, state: .running, progress: checked.kept, tx)
            try JobQueue.setTotal(id, checked.counts.reduce(0) { $0 + $1.total }, tx)
        }
        return checked
    }
}
