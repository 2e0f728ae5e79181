import Metadata
import Wire

/// A file that a caller wants in a mail.
package struct EmailFile: Sendable {
    package let file: FileLibrary.Entry
    /// A name that takes the place of the file's own.
    package let name: String?

    package init(_ file: FileLibrary.Entry, name: String? = nil) {
        self.file = file
        self.name = name
    }

    /// All attachments of one mail together (`emails.md`, 225 and 231).
    package static let most: Int64 = 10 << 20
}

/// A mail that a caller wants to go, read and checked as far as that needs no database.
package struct EmailOrder: Sendable {
    package let from: Mailbox
    package let to: [Mailbox]
    package var cc: [Mailbox] = []
    package var bcc: [Mailbox] = []
    package var replyTo: Mailbox?
    package var subject: String?
    package var content: String?
    package var format = Email.Format.html
    /// `nil` when the caller said nothing, so that a template's apply.
    package var files: [EmailFile]?
    package var inline: [EmailFile] = []
    package var scheduled: Instant?
    /// The mail it answers, by its token.
    package var answers: String?
    /// Whose mail it is to be; the caller's when nobody is named.
    package var owner: UserID?
    package var template: RecordID?
    /// The document of an inventory record that goes with it.
    package var document: RecordID?
    package let origin: String
    /// Where in the body it stands.
    package let path: JSONPath

    package init(from: Mailbox, to: [Mailbox], origin: String, path: JSONPath) {
        (self.from, self.to, self.origin, self.path) = (from, to, origin, path)
    }
}

/// What became of an order.
package struct SentEmail: Sendable {
    package let token: String
    package let isScheduled: Bool
    /// Receivers that were left out, and why.
    package let omitted: [(address: String, reason: String)]
}

/// A mail that went or came elsewhere and is put with a record. Contract: emails, 225.
package struct AssociatedEmail: Sendable {
    package let from: Mailbox
    package let to: [Mailbox]
    package var cc: [Mailbox] = []
    package var bcc: [Mailbox] = []
    package let subject: String
    package let content: String
    package var format = Email.Format.html
    package let at: Instant
    package let isOutgoing: Bool
    package let original: String
    package var files: [EmailFile] = []
    package var inline: [EmailFile] = []
    package var linked: (module: Module, id: RecordID, path: JSONPath)?
    package var owner: UserID?
    package let path: JSONPath

    package init(
        from: Mailbox, to: [Mailbox], subject: String, content: String, at: Instant, isOutgoing: Bool, original: String, path: JSONPath
    ) {
        (self.from, self.to, self.subject, self.content, self.at) = (from, to, subject, content, at)
        (self.isOutgoing, self.original, self.path) = (isOutgoing, original, path)
    }
}

/// A mail that somebody goes on writing later. Contract: email-drafts, 221 and 223.
package struct EmailDraft: Sendable {
    package let from: MailAddress
    package let isRich: Bool
    package var to: [Mailbox] = []
    package var cc: [Mailbox] = []
    package var bcc: [Mailbox] = []
    package var replyTo: MailAddress?
    package var subject = ""
    package var content = ""
    package var files: [EmailFile]?
    package var inline: [EmailFile] = []
    /// `schedule_details`, `inventory_details` and `template`, as they are shown.
    package var details: JSONValue = [:]
    package let path: JSONPath

    package init(from: MailAddress, isRich: Bool, path: JSONPath) { (self.from, self.isRich, self.path) = (from, isRich, path) }
}
