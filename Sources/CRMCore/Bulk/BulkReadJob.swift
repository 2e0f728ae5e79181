import Metadata
import SQLStore
import Wire

/// Exports records to a zip: a scan in the order of ids, put away in pieces, so that a run that was cut off goes on behind the
/// last piece. Holds a batch of rows in memory, whatever the size of the result.
package struct BulkReadJob: JobHandler {
    package static let kind = "bulk_read"
    package static let lane = JobLane.exports

    /// How much is done at once. Tests take less.
    package struct Limits: Sendable {
        /// Records in one result (`bulk-read.md`, section notes).
        package var page = 200_000
        package var calendarPage = 20_000
        /// Records in one read transaction: a tenth of a second.
        package var batch = 1_000
        /// Records in one piece: what a crash may cost, some seconds.
        package var part = 20_000

        package init() {}
    }

    private let limits: Limits

    package init(limits: Limits = .init()) { self.limits = limits }

    package static func schedule(_ request: BulkReadRequest, _ scope: WriteScope) throws -> RecordID {
        let limits = Limits()
        let progress = BulkReadProgress(perPage: request.isCalendar ? limits.calendarPage : limits.page)
        return try BulkJobs.add(.read, kind: kind, request.kept, progress: progress.kept, scope)
    }

    package func run(_ job: Job, _ services: Services) async throws {
        guard
            let run = try await BulkRun(
                job, services, callback: { BulkReadRequest(kept: $0.request).callback }, details: BulkReadDetails.body)
        else { return }
        try await run.carryOut(job) { try await export(job, run, services) }
    }

    /// What a page of the export has, as far as can be told when it begins.
    private static func count(
        _ bulk: BulkJob, _ request: BulkReadRequest, _ progress: BulkReadProgress, _ services: Services, _ tx: Transaction
    )
        throws -> Int64
    {
        let catalog = services.catalog.current()
        let planner = Planner(catalog, try AccessPolicy.of(bulk.user, catalog))
        let zone = catalog.user(bulk.user)?.zone ?? catalog.zone
        let query = try request.query(
            planner.catalog, user: bulk.user, dates: MovingDates(now: bulk.createdAt, zone: zone, of: planner.catalog))
        let skipped = request.after == nil ? Int64(request.page - 1) * Int64(progress.perPage) : 0
        let plan = try planner.export(query, after: request.after, skipping: skipped, limit: progress.perPage)
        let found = try tx.first("SELECT count(*) FROM (\(plan.sql)) q") { $0.integer(0) ?? 0 } ?? 0
        return min(found, Int64(progress.perPage))
    }

    private func export(_ job: Job, _ run: BulkRun, _ services: Services) async throws {
        let bulk = run.bulk
        let request = BulkReadRequest(kept: bulk.request)
        var progress = BulkReadProgress(bulk.progress)
        progress.perPage = request.isCalendar ? limits.calendarPage : limits.page
        let first = progress
        try await JobQueue.countOnce(job, services) { tx in
            try first.isEnded ? Int64(first.count) : Self.count(bulk, request, first, services, tx)
        }
        while !progress.isEnded {
            try Task.checkCancellation()
            progress = try await BulkReadPart(bulk, request, progress, limits, services).write()
        }
        if progress.more {
            progress.token = "\(bulk.id)\(Secrets.hex(Secrets.randomBytes(24)))"
            progress.tokenUntil = Instant(milliseconds: services.clock().milliseconds + BulkReadProgress.tokenMilliseconds)
        }
        try await run.complete(progress.kept, entries: ["\(bulk.id).\(request.isCalendar ? "ics" : "csv")"])
    }
}

/// One piece of a bulk read.
struct BulkReadPart {
    private let bulk: BulkJob
    private let request: BulkReadRequest
    private let before: BulkReadProgress
    private let limits: BulkReadJob.Limits
    private let services: Services

    init(_ bulk: BulkJob, _ request: BulkReadRequest, _ before: BulkReadProgress, _ limits: BulkReadJob.Limits, _ services: Services) {
        self.bulk = bulk
        self.request = request
        self.before = before
        self.limits = limits
        self.services = services
    }

    /// Reads and puts away the next records; returns how far the job is then.
    func write() async throws -> BulkReadProgress {
        let catalog = services.catalog.current()
        let access = try AccessPolicy.of(bulk.user, catalog)
        let zone = catalog.user(bulk.user)?.zone ?? catalog.zone
        let render = services.render(catalog, zone)
        let planner = Planner(catalog, access)
        // What the planner knows is what the user may see.
        let query = try request.query(
            planner.catalog, user: bulk.user, dates: MovingDates(now: bulk.createdAt, zone: zone, of: planner.catalog))

        var progress = before
        var packed = PackedSpool(services.files.spool(), try Deflater())
        if before.parts == 0 {
            try await packed.add(request.isCalendar ? EventCalendar.head : CSVText.line(["Id"] + query.columns.map(\.name)))
        }
        while !progress.isEnded, progress.count - before.count < limits.part {
            try Task.checkCancellation()
            let isFirst = progress.last == nil && request.after == nil
            let skipped = isFirst ? Int64(request.page - 1) * Int64(progress.perPage) : 0
            let wanted = min(limits.batch, progress.perPage - progress.count)
            let plan = try planner.export(query, after: progress.last ?? request.after, skipping: skipped, limit: wanted)
            let isCalendar = request.isCalendar
            let rows = try await services.database.run(.read) { tx in
                isCalendar ? try EventCalendar.rows(plan, render, tx) : try ExportRows.csv(plan, render, tx)
            }
            try await packed.add(rows.bytes)
            progress.count += rows.count
            progress.last = rows.last ?? progress.last
            progress.more = rows.more && progress.count >= progress.perPage
            progress.isEnded = !rows.more || progress.count >= progress.perPage
        }
        if progress.isEnded, request.isCalendar { try await packed.add(EventCalendar.foot) }
        progress.parts += 1
        try await keep(try await packed.end(), progress)
        return progress
    }

    private func keep(_ packed: PackedSpool.End, _ progress: BulkReadProgress) async throws {
        let file = try await services.files.keep(packed.spool, named: "part")
        let (bulk, before, services) = (bulk, before, services)
        try await services.database.run(.write) { tx in
            guard let found = try BulkJobs.find(bulk.id, locked: true, tx), found.state == .added || found.state == .running,
                BulkReadProgress(found.progress).parts == before.parts
            else { throw BulkTakenOver() }
            let entry = try services.files.register(file, owner: bulk.user, held: true, tx)
            let part = BulkPart(
                checksum: packed.checksum, plainSize: packed.plainSize, packedSize: packed.packedSize, place: .file(entry.id))
            try BulkParts.add(part, before.parts, of: bulk.id, entry: 0, tx)
            try BulkJobs.set(bulk.id, state: .running, progress: progress.kept, tx)
            try JobQueue.advance(bulk.id, done: progress.count - before.count, failed: 0, tx)
        }
    }
}

/// A spool that compresses what it takes.
struct PackedSpool {
    struct End: Sendable {
        let spool: Spool
        let checksum: Checksum
        let plainSize: Int64
        let packedSize: Int64
    }

    private let spool: Spool
    private let deflater: Deflater
    private var checksum = Checksum()
    private var plainSize: Int64 = 0

    init(_ spool: Spool, _ deflater: Deflater) {
        self.spool = spool
        self.deflater = deflater
    }

    mutating func add(_ bytes: [UInt8]) async throws {
        checksum.add(bytes)
        plainSize += Int64(bytes.count)
        try await spool.append(deflater.add(bytes))
    }

    func end() async throws -> End {
        try await spool.append(deflater.flush())
        return End(spool: spool, checksum: checksum, plainSize: plainSize, packedSize: await spool.size)
    }
}
