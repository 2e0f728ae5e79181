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
    let timeout: Duration
}
