import CRMCore
import Wire

/// Hands mails to a mail server through libcurl, a connection each. The administrator names the server, so it may stand anywhere.
package final class SMTPSender: MailSender {
    private let server: SMTPServer
    private let from: MailAddress
    private let timeout: Duration
    /// A file of certificates, in place of the system's.
    private let authorities: String?
    private let line = CurlLine(allowsPrivate: true)

    package init(_ server: SMTPServer, from: MailAddress, authorities: String? = nil, timeout: Duration = .seconds(30)) {
        self.server = server
        self.from = from
        self.timeout = timeout
        self.authorities = authorities
    }

    package var address: MailAddress? { from }

    package func send(_ mail: Mail, id: RecordID, at time: Instant) async throws(MailFailure) {
        let message = MailMessage(mail, from: from, id: id, at: time).bytes
        let transfer = MailTransfer(
            server: server, from: from, to: mail.recipient, message: message, needsUTF8: mail.isInternational || from.isInternational,
            authorities: authorities, timeout: timeout)
        let answer: OutgoingAnswer
        do {
            answer = try await line.send(.mail(transfer))
        } catch {
            if case .unsupported(let reason) = error { throw .impossible(reason) }
            throw .unreachable(error.description)
        }
        switch answer.status {
        case ..<400: return
        case ..<500: throw .deferred("the mail server answered \(answer.status)")
        default: throw .refused("the mail server answered \(answer.status)")
        }
    }
}
