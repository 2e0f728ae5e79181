import CRMCore
import Synchronization
import TributaryTestKit
import Wire

/// A mail server that says what the test wants.
final class Postman: MailSender {
    let sent = Mutex<[Mail]>([])
    private let decide: @Sendable (Mail) -> MailFailure?

    init(_ decide: @Sendable @escaping (Mail) -> MailFailure? = { _ in nil }) { self.decide = decide }

    var address: MailAddress? { MailAddress("crm@tributary.test") }

    func send(_ mail: Mail, id: RecordID, at time: Instant) async throws(MailFailure) {
        if let failure = decide(mail) { throw failure }
        sent.withLock { $0.append(mail) }
    }

    var mails: [Mail] { sent.withLock { $0 } }
    var receivers: [String] { mails.map(\.recipient.text).sorted() }
}

extension TestServer {
    /// Does all jobs that are due, with mails going through `postman`.
    func deliver(_ postman: Postman) async { await JobWorker(services.mailing(through: postman)).drain() }
}
