import Metadata
import SQLStore
import Wire

/// Scheduled backups and what came of them. Owns the tables of `BackupSchema`. Contract: data-backup, 239 to 244.
package struct Backups: Sendable {
    package enum Status: String, Sendable {
        case stopped = "STOPPED"
        case scheduled = "SCHEDULED"
        case running = "INPROGRESS"
        case completed = "COMPLETED"
        case failed = "FAILED"
    }

    package struct Details: Sendable {
        package let id: RecordID
        package let rule: BackupRule?
        package let status: Status
        package let requester: UserID
        package let startAt: Instant?
        package let nextAt: Instant?
        let jobID: RecordID
    }

    package struct LogEntry: Sendable {
        package let id: RecordID
        package let user: UserID
        package let at: Instant
        package let state: String?
        package let action: String?
        package let repeatType: String
        package let fileName: String?
    }

    package struct Links: Sendable {
        package let job: RecordID
        package let data: [String]
        package let attachments: [String]
        package let expiresAt: Instant
    }

    /// A file of a run that is not registered yet.
    struct NewFile: Sendable {
        let kind: String
        let name: String
        let kept: FileLibrary.Kept
    }

    /// How long files can be downloaded: the seven days of the contract's samples.
    private static let daysKept: Int64 = 7
    /// History goes back a year (data-backup, 241).
    private static let historyMilliseconds: Int64 = 366 * 86_400_000
    /// Keeps two processes from scheduling at once.
    private static let lockKey: Int64 = 0x6261_636b

    private let services: Services

    package init(_ services: Services) { self.services = services }

    /// At once without a rule. Refused while another one waits or runs.
    package func schedule(_ rule: BackupRule?, by user: UserID) async throws -> RecordID {
        let now = services.clock()
        let (id, job, entry) = (services.ids.next(), services.ids.next(), services.ids.next())
        let due = rule.map { $0.next(after: now, first: nil, zone: services.catalog.current().zone) }
        if let due, due == nil { throw Rejection(.invalidData) }
        let next = due ?? nil
        return try await services.database.run(.write) { tx in
            try tx.advisoryLock(Self.lockKey, exclusive: true)
            if let latest = try Self.latest(tx), [.scheduled, .running].contains(latest.status) {
                throw Rejection(.backupAlreadyScheduled)
            }
            try tx.insert(
                into: "sys_backup", ["id", "rule", "status", "requester", "start_at", "next_at", "job_id", "created_at"],
                rows: [
                    [
                        .integer(id.raw), .init(rule?.text), .text(Status.scheduled.rawValue), .integer(user.raw), .init(next), .init(next),
                        .integer(job.raw), .integer(now.milliseconds),
                    ]
                ])
            try JobQueue.enqueue(BackupJob.kind, ["backup": .id(id)], id: job, at: now, due: next, tx)
            try Self.log(entry, id, user, now, action: rule == nil ? "initiated" : "scheduled", rule, tx)
            return id
        }
    }

    /// The one scheduled last; `nil` when there never was one.
    package func details() async throws -> Details? { try await services.database.run(.read) { tx in try Self.latest(tx) } }

    /// Newest first.
    package func history(skipping: Int, limit: Int) async throws -> (entries: [LogEntry], more: Bool) {
        let oldest = Instant(milliseconds: services.clock().milliseconds - Self.historyMilliseconds)
        return try await services.database.run(.read) { tx in
            let entries = try tx.rows(
                """
                SELECT backup_id, user_id, at, state, action, repeat_type, file_name FROM sys_backup_log WHERE at >= \(oldest) \
                ORDER BY id DESC LIMIT \(.integer(Int64(limit) + 1)) OFFSET \(.integer(Int64(skipping)))
                """
            ) { row in
                LogEntry(
                    id: RecordID(raw: row.integer(0) ?? 0), user: UserID(raw: row.integer(1) ?? 0),
                    at: Instant(milliseconds: row.integer(2) ?? 0), state: row.text(3), action: row.text(4), repeatType: row.text(5) ?? "",
                    fileName: row.text(6))
            }
            return (Array(entries.prefix(limit)), entries.count > limit)
        }
    }

    /// What can be downloaded of the newest backup that still can; `nil` when there is none.
    package func links() async throws -> Links? {
        let now = services.clock()
        return try await services.database.run(.read) { tx in
            let newest: SQL = "SELECT max(job_id) FROM sys_backup_file WHERE expires_at > \(now)"
            var job: Int64 = 0
            var expires: Int64 = 0
            var data: [String] = []
            var attachments: [String] = []
            try tx.forEach(
                "SELECT job_id, kind, name, expires_at FROM sys_backup_file WHERE job_id = (\(newest)) ORDER BY name, file_id LIMIT 10000"
            ) { row in
                job = row.integer(0) ?? 0
                expires = row.integer(3) ?? 0
                if row.text(1) == "data" { data.append(row.text(2) ?? "") } else { attachments.append(row.text(2) ?? "") }
            }
            guard job > 0 else { return nil }
            return Links(
                job: RecordID(raw: job), data: data, attachments: attachments, expiresAt: Instant(milliseconds: expires))
        }
    }

    /// A file of a backup by the parts of its address; `nil` when it is none or its time is over.
    package func file(_ job: RecordID, named name: String) async throws -> FileLibrary.Entry? {
        let now = services.clock()
        let id = try await services.database.run(.read) { tx in
            try tx.first(
                "SELECT file_id FROM sys_backup_file WHERE job_id = \(job) AND name = \(.text(name)) AND expires_at > \(now)"
            ) { RecordID(raw: $0.integer(0) ?? 0) }
        }
        guard let id else { return nil }
        return try await services.files.file(id)
    }

    package func cancel(_ id: RecordID, by user: UserID) async throws {
        let now = services.clock()
        let entry = services.ids.next()
        try await services.database.run(.write) { tx in
            try tx.advisoryLock(Self.lockKey, exclusive: true)
            guard let backup = try Self.find("id = \(id)", tx) else { throw Rejection(.resourceNotFound, status: 400, .id(id)) }
            switch backup.status {
            case .running: throw Rejection(.inProgress, message: "the backup is in progress", .id(id))
            case .stopped, .completed, .failed: throw Rejection(.alreadyCancelled, .id(id))
            case .scheduled: break
            }
            // A worker may have taken it this moment; then it is in progress.
            guard try tx.execute("DELETE FROM sys_job WHERE id = \(backup.jobID) AND state = 'waiting'") == 1 else {
                throw Rejection(.inProgress, message: "the backup is in progress", .id(id))
            }
            try tx.execute("UPDATE sys_backup SET status = \(.text(Status.stopped.rawValue)), next_at = NULL WHERE id = \(id)")
            try Self.log(entry, id, user, now, action: "stopped", backup.rule, tx)
        }
    }

    // What follows is said by the job that takes the backup.

    /// False when it was stopped meanwhile.
    func begin(_ id: RecordID, _ job: Job) async throws -> Bool {
        try await services.database.run(.write) { tx in
            try tx.execute(
                """
                UPDATE sys_backup SET status = \(.text(Status.running.rawValue)) WHERE id = \(id) AND job_id = \(job.id) \
                AND status IN (\(.text(Status.scheduled.rawValue)), \(.text(Status.running.rawValue)))
                """) == 1
        }
    }

    /// Registers archives, and keeps with the job how far it is. They are nobody's to see before the backup is complete.
    func keep(
        _ files: [NewFile], _ progress: BackupProgress, list: FileLibrary.Kept? = nil, _ id: RecordID, _ job: Job
    ) async throws -> BackupProgress {
        let services = services
        let expires = Instant(milliseconds: services.clock().milliseconds + Self.daysKept * 86_400_000)
        return try await services.database.run(.write) { tx in
            guard try JobQueue.holds(job, tx), let backup = try Self.find("id = \(id)", tx), backup.status == .running else {
                throw BulkTakenOver()
            }
            var progress = progress
            if let list { progress.contents = try services.files.register(list, owner: backup.requester, until: expires, tx).id }
            for file in files {
                let entry = try services.files.register(file.kept, owner: backup.requester, until: expires, tx)
                progress.files.append(.init(kind: file.kind, name: file.name, id: entry.id))
            }
            var payload = job.payload
            payload["taken"] = progress.json
            try tx.execute("UPDATE sys_job SET payload = \(.text(payload.text)) WHERE id = \(job.id)")
            return progress
        }
    }

    /// Shows the files, and leaves the next run to a job. Nothing when another worker has taken this one over.
    func complete(_ id: RecordID, _ job: Job, _ files: [BackupProgress.File]) async throws {
        try await end(id, job, state: "completed", files.first?.name) { _, now, tx in
            let expires = Instant(milliseconds: now.milliseconds + Self.daysKept * 86_400_000)
            try tx.execute("UPDATE sys_file SET expires_at = \(expires) WHERE \(.memberIDs("id", files.map(\.id.raw)))")
            try tx.insert(
                into: "sys_backup_file", ["file_id", "job_id", "kind", "name", "expires_at"],
                rows: files.map { file in
                    [.integer(file.id.raw), .integer(job.id.raw), .text(file.kind), .text(file.name), .integer(expires.milliseconds)]
                })
            // Of backups whose files are gone nothing is left to tell but the history.
            try tx.execute("DELETE FROM sys_backup_file WHERE expires_at < \(now)")
            try tx.execute("DELETE FROM sys_backup_log WHERE at < \(.integer(now.milliseconds - Self.historyMilliseconds))")
        }
    }

    func fail(_ id: RecordID, _ job: Job) async throws { try await end(id, job, state: "failure", nil) { _, _, _ in } }

    private func end(
        _ id: RecordID, _ job: Job, state: String, _ fileName: String?,
        _ body: @Sendable @escaping (Details, Instant, Transaction) throws -> Void
    ) async throws {
        let now = services.clock()
        let (entry, nextJob) = (services.ids.next(), services.ids.next())
        let zone = services.catalog.current().zone
        try await services.database.run(.write) { tx in
            try tx.advisoryLock(Self.lockKey, exclusive: true)
            guard try JobQueue.holds(job, tx), let backup = try Self.find("id = \(id)", tx), backup.status == .running else { return }
            try body(backup, now, tx)
            let over: Status = state == "completed" ? .completed : .failed
            if let next = backup.rule?.next(after: now, first: backup.startAt, zone: zone) {
                try JobQueue.enqueue(BackupJob.kind, ["backup": .id(id)], id: nextJob, at: now, due: next, tx)
                try tx.execute(
                    """
                    UPDATE sys_backup SET status = \(.text(Status.scheduled.rawValue)), next_at = \(next), job_id = \(nextJob) WHERE id = \(id)
                    """)
            } else {
                try tx.execute("UPDATE sys_backup SET status = \(.text(over.rawValue)), next_at = NULL WHERE id = \(id)")
            }
            try Self.log(entry, id, backup.requester, now, state: state, backup.rule, fileName: fileName, tx)
        }
    }

    private static func latest(_ tx: Transaction) throws -> Details? { try find("1 = 1", tx) }

    private static func find(_ condition: SQL, _ tx: Transaction) throws -> Details? {
        try tx.first(
            "SELECT id, rule, status, requester, start_at, next_at, job_id FROM sys_backup WHERE \(condition) ORDER BY id DESC LIMIT 1"
        ) { row in
            Details(
                id: RecordID(raw: row.integer(0) ?? 0), rule: row.text(1).flatMap(BackupRule.init),
                status: Status(rawValue: row.text(2) ?? "") ?? .failed,
                requester: UserID(raw: row.integer(3) ?? 0), startAt: row.integer(4).map(Instant.init(milliseconds:)),
                nextAt: row.integer(5).map(Instant.init(milliseconds:)), jobID: RecordID(raw: row.integer(6) ?? 0))
        }
    }

    private static func log(
        _ id: RecordID, _ backup: RecordID, _ user: UserID, _ now: Instant, state: String? = nil, action: String? = nil,
        _ rule: BackupRule?,
        fileName: String? = nil, _ tx: Transaction
    ) throws {
        try tx.insert(
            into: "sys_backup_log", ["id", "backup_id", "at", "user_id", "state", "action", "repeat_type", "file_name"],
            rows: [
                [
                    .integer(id.raw), .integer(backup.raw), .integer(now.milliseconds), .integer(user.raw), .init(state), .init(action),
                    .text(rule?.repeatType ?? "immediate"), .init(fileName),
                ]
            ])
    }
}
