import Metadata
import SQLStore
import Wire

/// A job as a person who watches it sees it.
package struct JobReport: Sendable {
    package let id: RecordID
    package let kind: String
    package let state: JobProgress.State
    /// Of what it has to do; `nil` while that is not known.
    package let total: Int64?
    package let done: Int64
    package let failed: Int64
    package let createdAt: Instant
    package let beganAt: Instant?
    package let finishedAt: Instant?
    /// When it waits: not before this.
    package let dueAt: Instant
    package let attempts: Int64
    /// What went wrong last, in the words of the system: for the administrator of the server, not for clients.
    package let error: String?

    /// When a running job ends if it goes on as it went so far.
    package func estimatedEnd(now: Instant) -> Instant? {
        guard state == .running, let total, let beganAt else { return nil }
        return Self.end(total: total, over: done + failed, began: beganAt, now: now)
    }

    package static func end(total: Int64, over: Int64, began: Instant, now: Instant) -> Instant? {
        guard over > 0, total > over else { return nil }
        let pace = Double(now.milliseconds - began.milliseconds) / Double(over)
        return Instant(milliseconds: now.milliseconds + Int64(pace * Double(total - over)))
    }

    /// Hundredths of it, when that can be said.
    package var percent: Int64? {
        if state == .done { return 100 }
        guard let total, total > 0 else { return nil }
        return min(100, (done + failed) * 100 / total)
    }
}

/// Questions about all jobs.
package struct JobList: Sendable {
    package enum Filter: Sendable {
        case all
        case unfinished
        case states([JobProgress.State])
        case one(RecordID)
    }

    package struct Page: Sendable {
        package let jobs: [JobReport]
        package let more: Bool
    }

    private let services: Services

    package init(_ services: Services) { self.services = services }

    /// Newest first.
    package func page(_ filter: Filter, kind: String? = nil, skipping: Int = 0, limit: Int = 200) async throws -> Page {
        let condition: SQL =
            switch filter {
            case .all: "1 = 1"
            case .unfinished: "state IN ('waiting', 'running')"
            case .states(let states): "\(.memberTexts("state", states.map(\.rawValue)))"
            case .one(let id): "id = \(id)"
            }
        let ofKind: SQL = kind.map { " AND kind = \(.text($0))" } ?? ""
        return try await services.database.run(.read) { tx in
            let jobs = try tx.rows(
                """
                SELECT id, kind, state, total, done, failed, created_at, began_at, finished_at, run_at, attempts, error FROM sys_job \
                WHERE \(condition)\(ofKind) ORDER BY id DESC LIMIT \(.integer(Int64(limit) + 1)) OFFSET \(.integer(Int64(skipping)))
                """
            ) { row in
                JobReport(
                    id: RecordID(raw: row.integer(0) ?? 0), kind: row.text(1) ?? "",
                    state: JobProgress.State(rawValue: row.text(2) ?? "") ?? .failed, total: row.integer(3), done: row.integer(4) ?? 0,
                    failed: row.integer(5) ?? 0, createdAt: Instant(milliseconds: row.integer(6) ?? 0),
                    beganAt: row.integer(7).map(Instant.init(milliseconds:)), finishedAt: row.integer(8).map(Instant.init(milliseconds:)),
                    dueAt: Instant(milliseconds: row.integer(9) ?? 0), attempts: row.integer(10) ?? 0, error: row.text(11))
            }
            return Page(jobs: Array(jobs.prefix(limit)), more: jobs.count > limit)
        }
    }
}

/// Jobs for whoever sits at the server's own terminal.
struct JobAdministration: Sendable {
    private let services: Services

    init(_ services: Services) { self.services = services }

    func list(all: Bool) async throws -> JSONValue {
        let page = try await JobList(services).page(all ? .all : .unfinished)
        let now = services.clock()
        return [
            "jobs": .array(
                page.jobs.map { job in
                    func time(_ instant: Instant?) -> JSONValue { instant.map { .string($0.iso(offsetMinutes: 0)) } ?? .null }
                    return [
                        "id": .id(job.id), "kind": .string(job.kind), "state": .string(job.state.rawValue),
                        "total": job.total.map(JSONValue.integer) ?? .null, "done": .integer(job.done), "failed": .integer(job.failed),
                        "percent": job.percent.map(JSONValue.integer) ?? .null, "created": time(job.createdAt), "began": time(job.beganAt),
                        "finished": time(job.finishedAt), "due": time(job.dueAt),
                        "is_open": .bool(job.state == .running || (job.state == .waiting && job.dueAt <= now)),
                        "estimated_end": time(job.estimatedEnd(now: now)),
                        "seconds_left": job.estimatedEnd(now: now).map { .integer(($0.milliseconds - now.milliseconds + 999) / 1000) }
                            ?? .null,
                        "attempts": .integer(job.attempts), "error": job.error.map { .string($0) } ?? .null,
                    ]
                }),
            "more": .bool(page.more),
        ]
    }
}
