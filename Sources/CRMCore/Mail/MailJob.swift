import Metadata
import SQLStore
import Wire

/// Sends the mails of one write. At least once: a process that dies after a mail went and before it was noted sends it again. Who cannot
/// be reached is tried again for as long as `MailPatience` says.
package struct MailJob: JobHandler {
    package static let kind = "mail"
    package static let lane = JobLane.mails
    private static let page = 100

    package init() {}

    package func run(_ job: Job, _ services: Services) async throws {
        var last: RecordID?
        var left = Left()
        while true {
            let after = last
            let entries = try await services.database.run(.read) { tx in
                try Outbox.waiting(of: job.id, after: after, limit: Self.page, tx)
            }
            guard let end = entries.last else { break }
            for entry in entries {
                try Task.checkCancellation()
                guard let failure = await attempt(entry, services) else {
                    try await note(entry, .sent, nil, services)
                    continue
                }
                switch failure {
                case .noSender: try await note(entry, .kept, nil, services)
                case .refused, .impossible: try await note(entry, .failed, failure, services)
                case .deferred, .unreachable:
                    let isOver = MailPatience.isOver(since: entry.createdAt, now: services.clock())
                    try await note(entry, isOver ? .failed : .waiting, failure, services)
                    if !isOver { left.add(entry, failure) }
                    // The others would fare no better, and each may take its time to find out; those whose time is up are told by the next
                    // attempt.
                    if case .unreachable = failure, !isOver { return try await postpone(job, left, services) }
                }
            }
            last = end.id
        }
        try await postpone(job, left, services)
    }

    /// What did not go yet.
    private struct Left: Sendable {
        var attempts: Int64 = 0
        var reason: String?

        mutating func add(_ entry: Outbox.Entry, _ failure: MailFailure) {
            attempts = max(attempts, entry.attempts + 1)
            reason = failure.description
        }
    }

    /// Why it did not go.
    private func attempt(_ entry: Outbox.Entry, _ services: Services) async -> MailFailure? {
        guard var mail = entry.mail else { return .impossible("no address") }
        if let email = entry.email {
            switch await EmailDelivery(services).mail(email, to: mail.recipient) {
            case .success(let whole): mail = whole
            case .failure(let failure): return failure
            }
        }
        do {
            try await services.mailer.send(mail, id: entry.email ?? entry.id, at: entry.createdAt)
            return nil
        } catch {
            return error
        }
    }

    private func note(_ entry: Outbox.Entry, _ state: Outbox.State, _ failure: MailFailure?, _ services: Services) async throws {
        let now = services.clock()
        try await services.database.run(.write) { tx in
            try Outbox.note(entry.id, state, error: failure?.description, now: now, tx)
            guard let email = entry.email else { return }
            try Emails.note(email, state, failure, to: entry.mail?.recipient, now: now, tx)
        }
    }

    private func postpone(_ job: Job, _ left: Left, _ services: Services) async throws {
        guard let reason = left.reason else { return }
        let due = MailPatience.next(job.id, after: left.attempts, now: services.clock())
        try await services.database.run(.write) { tx in try JobQueue.postpone(job, until: due, because: reason, tx) }
    }
}
