import Wire

/// Why a mail did not go.
package enum MailFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// This server has no way to send mails.
    case noSender
    /// The mail server is not there, or does not let us in: no mail would go now.
    case unreachable(String)
    /// This one may go later.
    case deferred(String)
    /// This one will never go.
    case refused(String)

    package var description: String {
        switch self {
        case .noSender: "this server sends no mails"
        case .unreachable(let reason), .deferred(let reason), .refused(let reason): reason
        }
    }
}

/// Hands mails to a mail server. Never from inside a transaction.
package protocol MailSender: Sendable {
    /// `id` and `time` are the mail's own, the same in each attempt, so that receivers know it again.
    func send(_ mail: Mail, id: RecordID, at time: Instant) async throws(MailFailure)
}

/// Where nothing was said about a mail server.
package struct NoMailSender: MailSender {
    package init() {}
    package func send(_ mail: Mail, id: RecordID, at time: Instant) async throws(MailFailure) { throw .noSender }
}
