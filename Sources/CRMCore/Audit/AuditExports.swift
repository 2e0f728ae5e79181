import Metadata
import SQLStore
import Wire

/// Exports of the change log: asked for, running and done. They are jobs, and their files go after some days by themselves.
/// Contract: export-audit-log, 37 to 39.
package struct AuditExports: Sendable {
    package struct Export: Sendable {
        package let id: RecordID
        package let state: JobProgress.State
        package let user: UserID
        /// As the caller gave it.
        package let criteria: JSONValue
        package let beganAt: Instant?
        package let finishedAt: Instant?
        package let expiresAt: Instant?
        /// Names of files that can still be downloaded.
        package let files: [String]
    }

    static let daysKept: Int64 = 7

    private let services: Services
    private let catalog: Catalog

    package init(_ services: Services, _ catalog: Catalog) {
        self.services = services
        self.catalog = catalog
    }

    /// Refused while another one waits or runs.
    package func schedule(_ filter: AuditFilter, criteria: JSONValue, by user: UserID) async throws -> RecordID {
        let now = services.clock()
        let id = services.ids.next()
        let payload: JSONValue = ["user": .string(String(user.raw)), "filter": filter.json, "criteria": criteria]
        return try await services.database.run(.write) { tx in
            try tx.advisoryLock(Self.lockKey, exclusive: true)
            guard try JobQueue.unfinished(AuditExportJob.kind, tx).isEmpty else { throw Rejection(.alreadyScheduled) }
            try JobQueue.enqueue(AuditExportJob.kind, payload, id: id, at: now, tx)
            return id
        }
    }

    private static let lockKey: Int64 = 0x6175_6469

    /// Newest first: all that the caller may know of, or one.
    package func list(_ id: RecordID? = nil, for user: UserID) async throws -> [Export] {
        let only: SQL = id.map { " AND id = \($0)" } ?? ""
        let all = try await services.database.run(.read) { tx in
            try tx.rows(
                """
                SELECT id, state, payload, began_at, finished_at FROM sys_job WHERE kind = \(.text(AuditExportJob.kind))\(only) \
                ORDER BY id DESC LIMIT 200
                """
            ) { row in
                Self.export(
                    RecordID(raw: row.integer(0) ?? 0), row.text(1) ?? "", try JSONValue.parse(row.text(2) ?? "null"),
                    began: row.integer(3),
                    finished: row.integer(4), now: services.clock())
            }
        }
        return all.filter { $0.user == user || catalog.isAdministrator(user) }
    }

    private static func export(
        _ id: RecordID, _ state: String, _ payload: JSONValue, began: Int64?, finished: Int64?, now: Instant
    ) -> Export {
        let state = JobProgress.State(rawValue: state) ?? .failed
        let finishedAt = finished.map(Instant.init(milliseconds:))
        let expires = state == .done ? finishedAt.map { Instant(milliseconds: $0.milliseconds + daysKept * 86_400_000) } : nil
        let names = expires.map { $0 > now } == true ? (payload["files"]?.array ?? []).compactMap { $0["name"]?.string } : []
        return Export(
            id: id, state: state, user: UserID(raw: payload["user"]?.looseInt64 ?? 0), criteria: payload["criteria"] ?? .null,
            beganAt: began.map(Instant.init(milliseconds:)), finishedAt: finishedAt, expiresAt: expires, files: names)
    }

    /// A file of an export by the parts of its address; `nil` when it is none, or none of the caller's.
    package func file(_ id: RecordID, named name: String, for user: UserID) async throws -> FileLibrary.Entry? {
        guard let export = try await list(id, for: user).first, export.files.contains(name) else { return nil }
        let payload = try await services.job(id, kind: AuditExportJob.kind)?.payload
        let file = (payload?["files"]?.array ?? []).first { $0["name"]?.string == name }?["id"]?.looseInt64
        guard let file else { return nil }
        return try await services.files.file(RecordID(raw: file))
    }
}
