import ArgumentParser
import CRMCore
import Foundation
import Outbound

/// The mail server to send mails with.
struct MailOptions: ParsableArguments {
    @Option(
        help: """
            Send mails with this server: smtp://host:port or smtps://user:password@host:port. Also read from TRIBUTARY_SMTP, where a \
            password does not show in the list of processes. Without one, mails are kept.
            """)
    var smtp: String?
    @Option(help: "The address mails come from; needed with --smtp. Also read from TRIBUTARY_MAIL_FROM.")
    var mailFrom: String?
    @Option(
        name: .customLong("smtp-ca"),
        help: "A file of certificates (PEM) that vouch for the mail server, in place of the system's. Also read from TRIBUTARY_SMTP_CA.")
    var smtpCA: String?

    func validate() throws { _ = try sender() }

    func sender() throws -> any MailSender {
        let environment = ProcessInfo.processInfo.environment
        guard let text = smtp ?? environment["TRIBUTARY_SMTP"], !text.isEmpty else { return NoMailSender() }
        guard let server = SMTPServer(text) else {
            throw ValidationError("--smtp takes smtp://host:port or smtps://user:password@host:port")
        }
        guard let from = MailAddress(mailFrom ?? environment["TRIBUTARY_MAIL_FROM"] ?? "") else {
            throw ValidationError("--mail-from takes the address that mails come from, such as crm@example.com")
        }
        let authorities = smtpCA ?? environment["TRIBUTARY_SMTP_CA"]
        if let authorities, !FileManager.default.isReadableFile(atPath: authorities) {
            throw ValidationError("--smtp-ca names no file that can be read: \(authorities)")
        }
        return SMTPSender(server, from: from, authorities: authorities)
    }
}
