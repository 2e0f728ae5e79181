import Metadata
import SQLStore
import Wire

/// An e-mail that belongs to a record.
package struct Email: Sendable {
    /// What it is, and what became of it.
    package enum State: String, Sendable {
        case draft, scheduled, waiting, sent, bounced, failed
        /// There was no mail server to send it with.
        case kept
        /// It came from elsewhere and somebody put it with the record.
        case associated
    }

    package enum Format: String, Sendable, CaseIterable { case html, text }

    /// A record of some module.
    package struct Place: Sendable, Hashable {
        package let module: ModuleID
        package let record: RecordID

        package init(_ module: ModuleID, _ record: RecordID) {
            self.module = module
            self.record = record
        }
    }

    package var id: RecordID
    /// Its name towards callers, which nobody can guess.
    package var token: String
    package var place: Place
    /// A second record that shows it.
    package var linked: Place?
    package var owner: Int64
    package var state: State
    /// Whether people here wrote it, rather than got it.
    package var isOutgoing = true
    package var format = Format.html
    /// `{"user_name","email"}`.
    package var sender: JSONValue
    /// `to`, `cc` and `bcc`, lists of `{"user_name","email"}`, and `reply_to`.
    package var people: JSONValue
    package var subject: String
    package var content: String
    /// How many files are attached.
    package var files: Int64 = 0
    /// When it went, came, is to go or was written.
    package var at: Instant
    /// The Message-ID of one that came from elsewhere.
    package var original: String?
    package var answers: RecordID?
    /// The first mail of a conversation.
    package var thread: RecordID
    package var template: RecordID?
    /// What drafts and mails that came back say beyond that.
    package var details: JSONValue = [:]
    /// Where its receivers reach this server.
    package var origin: String?
    package var createdAt: Instant
    package var modifiedAt: Instant

    /// How its text begins (`email-drafts.md`, 222).
    package var summary: String { String((format == .html ? PlainText.of(content) : content).prefix(250)) }
}

/// E-mails of records: sent from here, put there by people, or drafts. Owns `sys_email`. Their files are held in `sys_field_file`.
package enum Emails {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_email (id \(.type(.integer)) PRIMARY KEY, token \(.type(.text)) NOT NULL, module_id \(.type(.integer)) NOT NULL,
            record_id \(.type(.integer)) NOT NULL, linked_module \(.type(.integer)), linked_id \(.type(.integer)),
            owner \(.type(.integer)) NOT NULL, state \(.type(.text)) NOT NULL, outgoing \(.type(.integer)) NOT NULL,
            format \(.type(.text)) NOT NULL, sender \(.type(.text)) NOT NULL, people \(.type(.text)) NOT NULL, subject \(.type(.text)) NOT NULL,
            content \(.type(.text)) NOT NULL, files \(.type(.integer)) NOT NULL, at \(.type(.integer)) NOT NULL, original_id \(.type(.text)),
            answers \(.type(.integer)), thread \(.type(.integer)) NOT NULL, template_id \(.type(.integer)), details \(.type(.text)) NOT NULL,
            origin \(.type(.text)), created_at \(.type(.integer)) NOT NULL, modified_at \(.type(.integer)) NOT NULL)\(.strict)
        """,
        "CREATE UNIQUE INDEX sys_email_token ON sys_email (token)",
        "CREATE INDEX sys_email_record ON sys_email (record_id, at, id)",
        "CREATE INDEX sys_email_linked ON sys_email (linked_id) WHERE linked_id IS NOT NULL",
        "CREATE INDEX sys_email_thread ON sys_email (thread)",
    ]

    /// Where a mail's files stand among those that records hold: attached ones, and those its text shows.
    static let attachments = FieldFiles.wholeRecord
    static let inline = FieldID(raw: -1)

    private static let columns: [ColumnName] = [
        "id", "token", "module_id", "record_id", "linked_module", "linked_id", "owner", "state", "outgoing", "format", "sender", "people",
        "subject", "content", "files", "at", "original_id", "answers", "thread", "template_id", "details", "origin", "created_at",
        "modified_at",
    ]

    static func insert(_ email: Email, _ tx: Transaction) throws {
        try tx.insert(into: "sys_email", columns, rows: [values(email)])
    }

    /// Writes everything but the id anew.
    static func update(_ email: Email, _ tx: Transaction) throws {
        let settings = zip(columns, values(email)).dropFirst().map { "\($0) = \($1)" as SQL }
        try tx.execute("UPDATE sys_email SET \(.joined(settings, by: ", ")) WHERE id = \(email.id)")
    }

    private static func values(_ email: Email) -> [SQLValue] {
        [
            .id(email.id), .text(email.token), .integer(email.place.module.raw), .id(email.place.record), .init(email.linked?.module.raw),
            .id(email.linked?.record), .integer(email.owner), .text(email.state.rawValue), .init(email.isOutgoing),
            .text(email.format.rawValue), .text(email.sender.text), .text(email.people.text), .text(email.subject), .text(email.content),
            .integer(email.files), .integer(email.at.milliseconds), .init(email.original), .id(email.answers), .id(email.thread),
            .id(email.template), .text(email.details.text), .init(email.origin), .integer(email.createdAt.milliseconds),
            .integer(email.modifiedAt.milliseconds),
        ]
    }

    /// Those that meet a condition on `sys_email e`, in an order.
    static func rows(where condition: SQL, order: SQL = "e.id", limit: Int = 1, skipping: Int = 0, _ tx: Transaction) throws -> [Email] {
        let listed: SQL = .joined(columns.map { "\($0, of: "e")" }, by: ", ")
        return try tx.rows(
            """
            SELECT \(listed) FROM sys_email e WHERE \(condition) ORDER BY \(order) LIMIT \(.integer(Int64(limit))) \
            OFFSET \(.integer(Int64(skipping)))
            """
        ) { row in
            return Email(
                id: RecordID(raw: row.integer(0) ?? 0), token: row.text(1) ?? "",
                place: place(row.integer(2), row.integer(3)) ?? Email.Place(ModuleID(raw: 0), RecordID(raw: 0)),
                linked: place(row.integer(4), row.integer(5)), owner: row.integer(6) ?? 0,
                state: Email.State(rawValue: row.text(7) ?? "") ?? .failed, isOutgoing: row.integer(8) == 1,
                format: Email.Format(rawValue: row.text(9) ?? "") ?? .html, sender: json(row.text(10)), people: json(row.text(11)),
                subject: row.text(12) ?? "",
                content: row.text(13) ?? "", files: row.integer(14) ?? 0, at: Instant(milliseconds: row.integer(15) ?? 0),
                original: row.text(16),
                answers: row.integer(17).map(RecordID.init(raw:)), thread: RecordID(raw: row.integer(18) ?? 0),
                template: row.integer(19).map(RecordID.init(raw:)), details: json(row.text(20)), origin: row.text(21),
                createdAt: Instant(milliseconds: row.integer(22) ?? 0),
                modifiedAt: Instant(milliseconds: row.integer(23) ?? 0))
        }
    }

    // The compiler cannot have these inside the closure that reads a row.
    private static func json(_ text: String?) -> JSONValue { text.flatMap { try? JSONValue.parse(Array($0.utf8)) } ?? [:] }

    private static func place(_ module: Int64?, _ record: Int64?) -> Email.Place? {
        guard let module, let record else { return nil }
        return Email.Place(ModuleID(raw: module), RecordID(raw: record))
    }

    static func find(_ id: RecordID, _ tx: Transaction) throws -> Email? { try rows(where: "e.id = \(id)", tx).first }

    /// A mail of a record, by its name.
    static func find(_ token: String, of record: RecordID, _ tx: Transaction) throws -> Email? {
        guard !token.utf8.contains(0) else { return nil }
        return try rows(where: "e.token = \(.text(token)) AND \(belongs(to: record))", tx).first
    }

    static func belongs(to record: RecordID) -> SQL { "(e.record_id = \(record) OR e.linked_id = \(record))" }

    /// What became of one copy. What came back outweighs what went: the sender must do something about it.
    static func note(
        _ id: RecordID, _ state: Outbox.State, _ failure: MailFailure?, to receiver: MailAddress?, now: Instant, _ tx: Transaction
    ) throws {
        switch state {
        case .waiting: return
        case .sent:
            try TemplateStore.count(email: id, "sent", tx)
            try tx.execute(
                "UPDATE sys_email SET state = 'sent', at = \(now) WHERE id = \(id) AND state IN ('waiting', 'scheduled', 'kept')")
        case .kept: try tx.execute("UPDATE sys_email SET state = 'kept' WHERE id = \(id) AND state IN ('waiting', 'scheduled')")
        case .failed:
            let isBounce = failure?.isBounce ?? false
            // Its other copies may still be on their way.
            var details = try find(id, tx)?.details ?? [:]
            details["at"] = .integer(now.milliseconds)
            details["reason"] = .string(failure?.description ?? "")
            details["permanent"] = .bool(failure?.isPermanent ?? true)
            details["email"] = receiver.map { .string($0.text) } ?? .null
            try tx.execute(
                "UPDATE sys_email SET state = \(.text(isBounce ? "bounced" : "failed")), details = \(.text(details.text)) WHERE id = \(id)")
            if isBounce { try TemplateStore.count(email: id, "bounced", tx) }
            if isBounce, let receiver { try BlockedAddresses.block(receiver, forGood: failure?.isPermanent ?? true, now: now, tx) }
        }
    }
}
