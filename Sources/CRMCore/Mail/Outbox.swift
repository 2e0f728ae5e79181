import Metadata
import SQLStore
import Wire

/// Mails on their way, a row for each receiver, and those that went, until they are swept.
package enum Outbox {
    package enum State: String, Sendable, CaseIterable {
        case waiting, sent
        /// There was no mail server to send it with.
        case kept
        case failed
    }

    static let schema: [SQL] = [
        """
        CREATE TABLE sys_mail (id \(.type(.integer)) PRIMARY KEY, job_id \(.type(.integer)) NOT NULL, recipient \(.type(.text)) NOT NULL,
            subject \(.type(.text)) NOT NULL, body \(.type(.text)) NOT NULL, state \(.type(.text)) NOT NULL,
            created_at \(.type(.integer)) NOT NULL, sent_at \(.type(.integer)), error \(.type(.text)),
            attempts \(.type(.integer)) NOT NULL DEFAULT 0)\(.strict)
        """,
        "CREATE INDEX sys_mail_waiting ON sys_mail (job_id) WHERE state = 'waiting'",
        "CREATE INDEX sys_mail_age ON sys_mail (created_at)",
    ]

    /// The e-mail of a record that a mail is a copy of; what it says stands there.
    static let emailSchema: [SQL] = ["ALTER TABLE sys_mail ADD COLUMN email_id \(.type(.integer))"]

    private static let columns: [ColumnName] = ["id", "job_id", "recipient", "subject", "body", "state", "created_at", "email_id"]

    /// Part of the caller's transaction: who is told of a write is told when, and only when, it is committed.
    static func add(_ mails: [Mail], _ scope: WriteScope) throws {
        try add(mails, ids: scope.ids, now: scope.now, scope.tx)
    }

    static func add(_ mails: [Mail], ids: any IDSource, now: Instant, _ tx: Transaction) throws {
        guard !mails.isEmpty else { return }
        let job = ids.next()
        let rows = mails.map { mail -> [SQLValue] in
            [
                .id(ids.next()), .id(job), .text(mail.recipient.text), .text(mail.subject), .text(mail.text), .text(State.waiting.rawValue),
                .integer(now.milliseconds), .null,
            ]
        }
        try tx.insert(into: "sys_mail", columns, rows: rows)
        try JobQueue.enqueue(MailJob.kind, [:], id: job, at: now, tx)
    }

    /// Copies of an e-mail, one for each receiver, to go at once or when they are due.
    static func add(_ email: RecordID, subject: String, to receivers: [MailAddress], due: Instant?, _ scope: WriteScope) throws {
        let job = scope.ids.next()
        let rows = receivers.map { receiver -> [SQLValue] in
            [
                .id(scope.ids.next()), .id(job), .text(receiver.text), .text(subject), .text(""), .text(State.waiting.rawValue),
                .integer((due ?? scope.now).milliseconds), .id(email),
            ]
        }
        try scope.tx.insert(into: "sys_mail", columns, rows: rows)
        try JobQueue.enqueue(MailJob.kind, [:], id: job, at: scope.now, due: due, scope.tx)
    }

    /// A mail that waits.
    struct Entry: Sendable {
        let id: RecordID
        /// `nil` when the address is none any more.
        let mail: Mail?
        /// When it was written, or was to go.
        let createdAt: Instant
        let attempts: Int64
        let email: RecordID?
    }

    static func waiting(of job: RecordID, after id: RecordID?, limit: Int, _ tx: Transaction) throws -> [Entry] {
        try tx.rows(
            """
            SELECT id, recipient, subject, body, created_at, attempts, email_id FROM sys_mail WHERE job_id = \(job) AND state = 'waiting' \
            AND id > \(.integer(id?.raw ?? 0)) ORDER BY id LIMIT \(.integer(Int64(limit)))
            """
        ) { row in
            Entry(
                id: RecordID(raw: row.integer(0) ?? 0),
                mail: MailAddress(row.text(1) ?? "").map { Mail(to: $0, subject: row.text(2) ?? "", text: row.text(3) ?? "") },
                createdAt: Instant(milliseconds: row.integer(4) ?? 0), attempts: row.integer(5) ?? 0,
                email: row.integer(6).map(RecordID.init(raw:)))
        }
    }

    /// What became of an attempt; a mail that another attempt has dealt with meanwhile stays as it is.
    static func note(_ id: RecordID, _ state: State, error: String?, now: Instant, _ tx: Transaction) throws {
        let sent: SQLValue = state == .sent ? .integer(now.milliseconds) : .null
        let attempt: SQLValue = .integer(state == .kept ? 0 : 1)
        try tx.execute(
            """
            UPDATE sys_mail SET state = \(.text(state.rawValue)), sent_at = \(sent), error = \(error.map { .text($0) } ?? .null), \
            attempts = attempts + \(attempt) WHERE id = \(id) AND state = 'waiting'
            """)
    }

    /// Forgets mails that are over, as many as `limit`. Returns how many those were.
    static func forget(before: Instant, limit: Int64, _ tx: Transaction) throws -> Int {
        let old: SQL = """
            SELECT id FROM sys_mail WHERE created_at < \(before) AND state <> 'waiting' ORDER BY created_at, id \
            LIMIT \(.integer(limit))\(.skipLocked)
            """
        return try tx.execute("DELETE FROM sys_mail WHERE id IN (\(old))")
    }
}
