import CRMCore

/// What a transfer is for.
enum CurlErrand: Sendable {
    case request(OutgoingRequest)
    case mail(MailTransfer)
}

/// A mail to be handed to a mail server.
struct MailTransfer: Sendable {
    let server: SMTPServer
    let from: MailAddress
    let to: MailAddress
    let message: [UInt8]
    /// Whether the server must know SMTPUTF8.
    let needsUTF8: Bool
    /// A file of certificates, in place of the system's.
    let authorities: String?
    let timeout: Duration
}
