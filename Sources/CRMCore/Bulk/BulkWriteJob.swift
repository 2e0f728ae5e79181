import Metadata
import SQLStore
import Wire

/// Imports the files of an upload. First all of them are looked through, so that a file that is no good changes nothing; then their
/// rows are written in batches. What became of a batch's rows, and how far the job is, commits with the rows: a run that was cut
/// off goes on with the next batch, and no row is written twice.
package struct BulkWriteJob: JobHandler {
    package static let kind = "bulk_write"
    /// Rows in one transaction: a twentieth of a second in which other writers wait (SQLite).
    private static let batch = 500

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
            let done = progress.counts[index].done
            try await file.rows(request.resources[index].head, lots: batch, from: done) { _, lines in
                try Task.checkCancellation()
                progress = try await writer.write(lines, progress)
            }
        }
        try await run.complete(progress.kept, entries: BulkWriteDetails.entries(request, services.catalog.current()))
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
            try await file.rows(request.resources[index].head, lots: 1_000) { _, lines in
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

/// Writes the batches of one file.
struct BulkResourceWriter: Sendable {
    let job: RecordID
    let user: UserID
    let request: BulkWriteRequest
    let index: Int
    let services: Services

    /// Tries on a catalog that keeps moving.
    private static let tries = 20

    private var resource: BulkWriteRequest.Resource { request.resources[index] }

    /// The header of the result: the first three mapped columns, then what became of the row (`bulk-write.md`, 248).
    func begin(_ before: BulkWriteProgress) async throws {
        let header = try BulkPart(CSVText.line(shown.map(\.field) + ["STATUS", "RECORD_ID", "ERRORS"]))
        let (job, index) = (job, index)
        try await services.database.run(.write) { tx in
            guard let found = try BulkJobs.find(job, locked: true, tx), BulkWriteProgress(found.progress) == before else {
                throw BulkTakenOver()
            }
            var after = before
            after.counts[index].parts = 1
            try BulkParts.add(header, 0, of: job, entry: index, tx)
            try BulkJobs.set(job, progress: after.kept, tx)
        }
    }

    private var shown: [BulkWriteRequest.Mapping] { Array(resource.mappings.filter { $0.index != nil }.prefix(3)) }

    func write(_ lines: [[String]], _ before: BulkWriteProgress) async throws -> BulkWriteProgress {
        for _ in 0..<Self.tries {
            do {
                let catalog = services.catalog.current()
                let access = try AccessPolicy.of(user, catalog)
                return try await services.write(catalog, access, .bulkWrite, group: job) { scope in try commit(lines, before, scope) }
            } catch let moved as CatalogMoved {
                try await services.catalog.refresh(ifOlderThan: moved.newest)
            }
        }
        throw SQLFailure.busy
    }

    private func commit(_ lines: [[String]], _ before: BulkWriteProgress, _ scope: WriteScope) throws -> BulkWriteProgress {
        guard let found = try BulkJobs.find(job, locked: true, scope.tx), BulkWriteProgress(found.progress) == before else {
            throw BulkTakenOver()
        }
        let outcomes = try outcomes(lines, scope)
        try BulkParts.add(try BulkPart(report(lines, outcomes)), before.counts[index].parts, of: job, entry: index, scope.tx)
        if index == 0 { try keepKeys(lines, outcomes, scope.tx) }
        var after = before
        after.counts[index].done += lines.count
        after.counts[index].parts += 1
        for outcome in outcomes {
            switch outcome.status {
            case .added: after.counts[index].added += 1
            case .updated: after.counts[index].updated += 1
            case .skipped: after.counts[index].skipped += 1
            }
        }
        try BulkJobs.set(job, progress: after.kept, scope.tx)
        let skipped = outcomes.count { $0.status == .skipped }
        try JobQueue.advance(job, done: outcomes.count - skipped, failed: skipped, scope.tx)
        return after
    }

    private func outcomes(_ lines: [[String]], _ scope: WriteScope) throws -> [BulkOutcome] {
        guard let module = scope.catalog.module(id: resource.module) else { throw Rejection(.moduleNotAvailable) }
        let records = services.records
        guard let (owner, rows) = BulkOwner.of(module, scope.catalog) else {
            return try BulkBatch(request: request, resource: resource, module: module, records: records, scope: scope).write(lines)
        }
        return try BulkRowBatch(
            job: job, request: request, resource: resource, owner: owner, rows: rows, records: records, scope: scope
        ).write(lines)
    }

    private func report(_ lines: [[String]], _ outcomes: [BulkOutcome]) -> [UInt8] {
        let columns = shown.compactMap(\.index)
        var text = CSVText(capacity: lines.count * 100)
        for (line, outcome) in zip(lines, outcomes) {
            for column in columns { text.cell(column < line.count ? line[column] : "") }
            text.plain(outcome.status.rawValue)
            text.plain(outcome.id.map(String.init(describing:)) ?? "")
            text.cell(outcome.errors)
            text.endLine()
        }
        return text.bytes
    }

    /// For the files whose rows hang on these.
    private func keepKeys(_ lines: [[String]], _ outcomes: [BulkOutcome], _ tx: Transaction) throws {
        let positions = Set(request.resources.dropFirst().flatMap(\.mappings).compactMap(\.parentIndex)).sorted()
        for position in positions {
            let column = BulkWriteRequest.Mapping(field: "", index: position)
            let pairs = zip(lines, outcomes).compactMap { line, outcome -> (String, RecordID)? in
                let text = BulkCells.text(line, column)
                guard outcome.status != .skipped, let id = outcome.id, !text.isEmpty else { return nil }
                return (text, id)
            }
            try BulkKeys.add(pairs, job, position, tx)
        }
    }
}

/// The record module that rows of a subform or a linking module belong to.
package enum BulkOwner {
    /// `nil` for modules of records.
    package static func of(_ module: Module, _ catalog: Catalog) -> (owner: Module, rows: RowField)? {
        guard module.isSubform || module.generatedType == "linking" else { return nil }
        for owner in catalog.modules where owner.table != nil && owner.id != module.id {
            if let rows = owner.rowFields(catalog).first(where: { $0.module.id == module.id }) { return (owner, rows) }
        }
        return nil
    }
}
