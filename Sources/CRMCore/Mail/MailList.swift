import SQLStore
import Wire

/// A mail as administrators see it.
package struct MailReport: Sendable {
    package let id: RecordID
    package let state: Outbox.State
    package let to: String
    package let subject: String
    package let text: String
    package let createdAt: Instant
    package let sentAt: Instant?
    package let attempts: Int64
    package let error: String?
}

/// Questions about all mails.
package struct MailList: Sendable {
    package struct Page: Sendable {
        package let mails: [MailReport]
        package let more: Bool
    }

    private let services: Services

    package init(_ services: Services) { self.services = services }

    /// Newest first.
    package func page(_ state: Outbox.State?, skipping: Int = 0, limit: Int = 200) async throws -> Page {
        let condition: SQL = state.map { "state = \(.text($0.rawValue))" } ?? "1 = 1"
        return try await services.database.run(.read) { tx in
            let mails = try tx.rows(
                """
                SELECT id, state, recipient, subject, body, created_at, sent_at, attempts, error FROM sys_mail WHERE \(condition) \
                ORDER BY id DESC LIMIT \(.integer(Int64(limit) + 1)) OFFSET \(.integer(Int64(skipping)))
                """
            ) { row in
                MailReport(
                    id: RecordID(raw: row.integer(0) ?? 0), state: Outbox.State(rawValue: row.text(1) ?? "") ?? .failed,
                    to: row.text(2) ?? "", subject: row.text(3) ?? "", text: row.text(4) ?? "",
                    createdAt: Instant(milliseconds: row.integer(5) ?? 0), sentAt: row.integer(6).map(Instant.init(milliseconds:)),
                    attempts: row.integer(7) ?? 0, error: row.text(8))
            }
            return Page(mails: Array(mails.prefix(limit)), more: mails.count > limit)
        }
    }
}
