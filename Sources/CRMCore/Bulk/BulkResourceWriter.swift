import Metadata
import SQLStore
import Wire

/// Writes the batches of one file.
struct BulkResourceWriter: Sendable {
    let job: RecordID
    let user: UserID
    let request: BulkWriteRequest
    let index: Int
    let services: Services

    /// Tries on a catalog that keeps moving.
    private static let tries = 20

    var resource: BulkWriteRequest.Resource { request.resources[index] }

    /// Rows with what could be made of them without the database, on the catalog of that version.
    struct Lot: Sendable {
        let lines: [[String]]
        let items: BulkItems?
        let version: Int64
    }

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

    func read(_ lines: [[String]]) throws -> Lot {
        let catalog = services.catalog.current()
        return try read(lines, catalog, try AccessPolicy.of(user, catalog))
    }

    private func read(_ lines: [[String]], _ catalog: Catalog, _ access: AccessPolicy) throws -> Lot {
        let module = try module(catalog)
        let reading = RecordDrafts.Reading(catalog, access, .bulkWrite, services.ids)
        let items = BulkOwner.of(module, catalog) == nil ? try BulkItems(lines, request, resource, module, reading) : nil
        return Lot(lines: lines, items: items, version: catalog.version)
    }

    func write(_ lot: Lot, _ before: BulkWriteProgress) async throws -> BulkWriteProgress {
        for _ in 0..<Self.tries {
            do {
                let catalog = services.catalog.current()
                let access = try AccessPolicy.of(user, catalog)
                let lot = lot.version == catalog.version ? lot : try read(lot.lines, catalog, access)
                return try await services.write(catalog, access, .bulkWrite, group: job) { scope in try commit(lot, before, scope) }
            } catch let moved as CatalogMoved {
                try await services.catalog.refresh(ifOlderThan: moved.newest)
            }
        }
        throw SQLFailure.busy
    }

    private func commit(_ lot: Lot, _ before: BulkWriteProgress, _ scope: WriteScope) throws -> BulkWriteProgress {
        guard let found = try BulkJobs.find(job, locked: true, scope.tx), BulkWriteProgress(found.progress) == before else {
            throw BulkTakenOver()
        }
        let outcomes = try outcomes(lot, scope)
        try BulkParts.add(try BulkPart(report(lot.lines, outcomes)), before.counts[index].parts, of: job, entry: index, scope.tx)
        if index == 0 { try keepKeys(lot.lines, outcomes, scope.tx) }
        var after = before
        after.counts[index].done += lot.lines.count
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

    private func module(_ catalog: Catalog) throws(Rejection) -> Module {
        guard let module = catalog.module(id: resource.module) else { throw Rejection(.moduleNotAvailable) }
        return module
    }

    private func outcomes(_ lot: Lot, _ scope: WriteScope) throws -> [BulkOutcome] {
        let module = try module(scope.catalog)
        let records = services.records
        guard let (owner, rows) = BulkOwner.of(module, scope.catalog) else {
            let batch = BulkBatch(request: request, resource: resource, module: module, records: records, scope: scope)
            return try lot.items.map { try batch.write($0) } ?? batch.write(lot.lines)
        }
        return try BulkRowBatch(
            job: job, request: request, resource: resource, owner: owner, rows: rows, records: records, scope: scope
        ).write(lot.lines)
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
