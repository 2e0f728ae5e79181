import Metadata
import SQLStore
import Wire

/// Writes entries of the change log to a CSV, or to a zip of several when they are many. A page of entries at a time. A run that was
/// cut off starts again from the beginning. Contract: export-audit-log, 37 to 39.
package struct AuditExportJob: JobHandler {
    package static let kind = "audit_log_export"
    package static let lane = JobLane.exports

    /// Entries of one CSV, and of the whole (export-audit-log, limits). Tests take less.
    private let perFile: Int64
    private let most: Int64
    private static let page: Int64 = 500

    package init(perFile: Int64 = 100_000, most: Int64 = 1_000_000) {
        self.perFile = perFile
        self.most = most
    }

    package func run(_ job: Job, _ services: Services) async throws {
        let count = BackupCount()
        let kept = try await JobQueue.reporting(job, services, { count.now }) { try await export(job, services, count) }
        let owner = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        let until = Instant(milliseconds: services.clock().milliseconds + AuditExports.daysKept * 86_400_000)
        try await services.database.run(.write) { tx in
            guard try JobQueue.holds(job, tx) else { return }
            var payload = job.payload
            let file = try services.files.register(kept, owner: owner, until: until, tx)
            payload["files"] = [["id": .id(file.id), "name": .string(file.name)]]
            try tx.execute("UPDATE sys_job SET payload = \(.text(payload.text)) WHERE id = \(job.id)")
        }
    }

    private func export(_ job: Job, _ services: Services, _ count: BackupCount) async throws -> FileLibrary.Kept {
        let catalog = services.catalog.current()
        let user = UserID(raw: job.payload["user"]?.looseInt64 ?? 0)
        let access = try AccessPolicy.of(user, catalog)
        let condition = condition(job, services, catalog, user, access)
        let most = most
        let (found, last) = try await services.database.run(.read) { tx -> (Int64, Int64) in
            // What comes meanwhile is not in it.
            let last = try tx.first("SELECT max(sequence) FROM sys_change") { $0.integer(0) ?? 0 } ?? 0
            let inside: SQL = "SELECT 1 FROM sys_change c WHERE \(condition) LIMIT \(.integer(most))"
            return (try tx.first("SELECT count(*) FROM (\(inside)) q") { $0.integer(0) ?? 0 } ?? 0, last)
        }
        count.start(found)
        let writer = AuditWriter(services.files, perFile: found > perFile ? perFile : nil)
        var after: Int64 = 0
        var written: Int64 = 0
        let zone = catalog.user(user)?.zone ?? catalog.zone
        while written < found {
            try Task.checkCancellation()
            let start = after
            let limit = min(Self.page, found - written)
            let (lines, reached) = try await services.database.run(.read) { tx in
                try Self.lines(condition, after: start, upTo: last, limit, access.seen(catalog), access, zone, tx)
            }
            guard !lines.isEmpty else { break }
            try await writer.add(lines)
            written += Int64(lines.count)
            count.add(Int64(lines.count))
            after = reached
        }
        return try await writer.finish()
    }

    private func condition(_ job: Job, _ services: Services, _ catalog: Catalog, _ user: UserID, _ access: AccessPolicy) -> SQL {
        var condition = AuditFilter(job.payload["filter"] ?? .null).sql(now: services.clock())
        if let users = catalog.audited(by: user) { condition += " AND \(.memberIDs("c.user_id", users.map(\.raw)))" }
        let hidden = catalog.modules.filter { $0.table != nil && !access.may(.view, $0) }
        if !hidden.isEmpty { condition += " AND NOT \(.memberIDs("c.module_id", hidden.map(\.id.raw)))" }
        return condition
    }

    static let header = ["Audited Time", "Done By", "User Id", "Action", "Module", "Record Id", "Record Name", "Source", "Changes"]

    private static func lines(
        _ condition: SQL, after: Int64, upTo last: Int64, _ limit: Int64, _ catalog: Catalog, _ access: AccessPolicy, _ zone: TimeZoneRule,
        _ tx: Transaction
    ) throws -> (lines: [[String]], reached: Int64) {
        let rows = try tx.rows(
            """
            SELECT c.sequence, c.at, c.user_id, c.origin, c.module_id, c.record_id, c.kind, c.field_id, c.before, c.after FROM sys_change c \
            WHERE c.sequence > \(.integer(after)) AND c.sequence <= \(.integer(last)) AND \(condition) ORDER BY c.sequence LIMIT \(.integer(limit))
            """
        ) { TimelineRow($0) }
        let names = try TimelineNames(rows, catalog, access, zone, tx)
        let lines = rows.map { row -> [String] in
            let module = catalog.module(id: row.module)
            let changes = module.map { names.changes(of: row, in: $0) } ?? []
            return [
                row.at.iso(offsetMinutes: zone.offsetMinutes(at: row.at)), catalog.user(UserID(raw: row.user))?.fullName ?? "",
                String(row.user),
                AuditFilter.Action.of(row.kind)?.rawValue ?? row.action(changes), module?.apiName ?? "", row.record.description,
                names.name(of: row.record, in: row.module) ?? "", row.origin,
                changes.map { "\($0.field.label): \($0.old ?? "") -> \($0.new ?? "")" }.joined(separator: "; "),
            ]
        }
        return (lines, rows.last?.sequence ?? last)
    }
}

/// The lines of an export on their way into its file.
private actor AuditWriter {
    private nonisolated let thread = FileThread()
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let library: FileLibrary
    /// Lines of one CSV in a zip; `nil` when one CSV is all.
    private let perFile: Int64?
    private let spool: Spool
    private let archive: ArchiveWriter
    private var lines: Int64 = 0
    private var files = 0

    init(_ library: FileLibrary, perFile: Int64?) {
        self.library = library
        self.perFile = perFile
        spool = library.spool()
        archive = ArchiveWriter(folder: library.store.spoolFolder, name: "AuditLog", limit: .max)
    }

    func add(_ added: [[String]]) async throws {
        guard let perFile else {
            if lines == 0 { try await spool.append(CSVText.line(AuditExportJob.header)) }
            lines += Int64(added.count)
            return try await spool.append(Self.text(added))
        }
        var rest = added[...]
        while !rest.isEmpty {
            if lines % perFile == 0 { try beginFile() }
            let some = rest.prefix(Int(perFile - lines % perFile))
            try archive.add(Self.text(Array(some)))
            lines += Int64(some.count)
            rest = rest.dropFirst(some.count)
        }
    }

    private func beginFile() throws {
        try archive.end()
        files += 1
        let number = String(files)
        try archive.begin("AuditLog_\(String(repeating: "0", count: max(0, 3 - number.count)))\(number).csv")
        try archive.add(CSVText.line(AuditExportJob.header))
    }

    func finish() async throws -> FileLibrary.Kept {
        guard perFile != nil else {
            if lines == 0 { try await spool.append(CSVText.line(AuditExportJob.header)) }
            return try await library.keep(spool, named: "AuditLog.csv")
        }
        try archive.end()
        guard let part = try archive.finish().first else { throw FileFailure(description: "the export is empty") }
        return try await library.keep(try Spool(at: part.path, hash: part.hash, size: part.size), named: "AuditLog.zip")
    }

    private static func text(_ lines: [[String]]) -> [UInt8] { lines.reduce(into: []) { $0 += CSVText.line($1) } }
}
