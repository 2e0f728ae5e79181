import Wire

/// A mail on its way to one receiver.
package struct Mail: Sendable {
    package static let longestSubject = 200

    /// A file in a mail.
    package struct Part: Sendable {
        package let name: String
        package let mediaType: String
        package let bytes: [UInt8]
        /// By which the text shows it; `nil` for one that is attached.
        package let contentID: String?

        package init(name: String, mediaType: String, bytes: [UInt8], contentID: String? = nil) {
            self.name = Mail.line(name)
            self.mediaType = mediaType
            self.bytes = bytes
            self.contentID = contentID
        }
    }

    /// The mail that one answers.
    package enum Reference: Sendable, Equatable {
        case ours(RecordID)
        case named(String)
    }

    /// Whom this copy goes to.
    package let recipient: MailAddress
    /// One line: names of records stand in it, and those may hold anything.
    package let subject: String
    package let text: String
    package var html: String?
    /// Who writes; the server itself when nobody is named.
    package var from: Mailbox?
    /// Whom the mail says it goes to; the receiver alone when it says nobody.
    package var to: [Mailbox] = []
    package var cc: [Mailbox] = []
    package var replyTo: Mailbox?
    package var parts: [Part] = []
    package var answers: Reference?
    /// Where the receiver can say that he wants no more.
    package var unsubscribe: String?

    package init(to recipient: MailAddress, subject: String, text: String) {
        self.recipient = recipient
        self.subject = String(Self.line(subject).prefix(Self.longestSubject))
        self.text = text
    }

    /// Written by the server rather than by a person.
    package var isAutomatic: Bool { from == nil }

    /// Whether a mail server must know SMTPUTF8 (RFC 6531).
    package var isInternational: Bool {
        recipient.isInternational || ([from, replyTo].compactMap(\.self) + to + cc).contains(where: \.address.isInternational)
    }

    /// With blanks in place of whatever breaks lines or is not to be seen.
    package static func line(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: line.append(" ")
            default: line.append(scalar)
            }
        }
        return String(line)
    }
}
