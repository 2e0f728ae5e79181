import CRMCore
import Wire

/// Hands mails to a mail server through libcurl, a connection each. The administrator names the server, so it may stand anywhere.
package final class SMTPSender: MailSender {
    private let server: SMTPServer
    private let from: MailAddress
    private let timeout: Duration
    private let line = CurlLine(allowsPrivate: true)

    package init(_ server: SMTPServer, from: MailAddress, timeout: Duration = .seconds(30)) {
        self.server = server
        self.from = from
        self.timeout = timeout
    }

    package func send(_ mail: Mail, id: RecordID, at time: Instant) async throws(MailFailure) {
        let message = MailMessage(mail, from: from, id: id, at: time).bytes
        let transfer = MailTransfer(server: server, from: from, to: mail.to, message: message, timeout: timeout)
        let answer: OutgoingAnswer
        do {
            answer = try await line.send(.mail(transfer))
        } catch {
            throw .unreachable(error.description)
        }
        switch answer.status {
        case ..<400: return
        case ..<500: throw .deferred("the mail server answered \(answer.status)")
        default: throw .refused("the mail server answered \(answer.status)")
        }
    }
}
