import Metadata
import SQLStore
import Wire

/// Sends the mails of one write. At least once: a process that dies after a mail went and before it was noted sends it again.
package struct MailJob: JobHandler {
    package static let kind = "mail"
    package static let lane = JobLane.mails
    private static let page = 100

    package init() {}

    package func run(_ job: Job, _ services: Services) async throws {
        var last: RecordID?
        var left: MailFailure?
        while true {
            let after = last
            let entries = try await services.database.run(.read) { tx in
                try Outbox.waiting(of: job.id, after: after, limit: Self.page, tx)
            }
            guard let end = entries.last else { break }
            for entry in entries {
                try Task.checkCancellation()
                switch await attempt(entry, services) {
                case nil: try await note(entry, .sent, nil, services)
                case .noSender: try await note(entry, .kept, nil, services)
                case .refused(let reason): try await note(entry, .failed, reason, services)
                case .deferred(let reason):
                    try await note(entry, .waiting, reason, services)
                    left = .deferred(reason)
                case .unreachable(let reason):
                    // The others would fare no better, and each may take its time to find out.
                    try await note(entry, .waiting, reason, services)
                    return try await leave(job, .unreachable(reason), services)
                }
            }
            last = end.id
        }
        if let left { try await leave(job, left, services) }
    }

    /// Why it did not go.
    private func attempt(_ entry: Outbox.Entry, _ services: Services) async -> MailFailure? {
        guard let mail = entry.mail else { return .refused("no address") }
        do {
            try await services.mailer.send(mail, id: entry.id, at: entry.createdAt)
            return nil
        } catch {
            return error
        }
    }

    private func note(_ entry: Outbox.Entry, _ state: Outbox.State, _ error: String?, _ services: Services) async throws {
        let now = services.clock()
        try await services.database.run(.write) { tx in try Outbox.note(entry.id, state, error: error, now: now, tx) }
    }

    /// The queue tries again; nobody does after the last attempt.
    private func leave(_ job: Job, _ failure: MailFailure, _ services: Services) async throws {
        if job.isLastAttempt {
            try await services.database.run(.write) { tx in
                guard try JobQueue.holds(job, tx) else { return }
                try Outbox.giveUp(job.id, error: failure.description, tx)
            }
        }
        throw failure
    }
}
