import Wire

/// Why a mail did not go.
package enum MailFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// This server has no way to send mails.
    case noSender
    /// The mail server is not there, or does not let us in: no mail would go now.
    case unreachable(String)
    /// This one may go later.
    case deferred(String)
    /// The mail server will never take it.
    case refused(String)
    /// It cannot be sent, whatever a mail server says.
    case impossible(String)

    package var description: String {
        switch self {
        case .noSender: "this server sends no mails"
        case .unreachable(let reason), .deferred(let reason), .refused(let reason), .impossible(let reason): reason
        }
    }

    /// Whether the receiver's address is to blame, so that it is blocked when the mail is given up.
    var isBounce: Bool {
        switch self {
        case .refused, .deferred: true
        case .unreachable, .noSender, .impossible: false
        }
    }

    var isPermanent: Bool { if case .refused = self { true } else { false } }
}

/// Hands mails to a mail server. Never from inside a transaction.
package protocol MailSender: Sendable {
    /// The address of the organisation, which the mail server knows as the sender.
    var address: MailAddress? { get }
    /// `id` and `time` are the mail's own, the same in each attempt, so that receivers know it again.
    func send(_ mail: Mail, id: RecordID, at time: Instant) async throws(MailFailure)
}

/// Where nothing was said about a mail server.
package struct NoMailSender: MailSender {
    package init() {}
    package var address: MailAddress? { nil }
    package func send(_ mail: Mail, id: RecordID, at time: Instant) async throws(MailFailure) { throw .noSender }
}
