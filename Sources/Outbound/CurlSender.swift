import CRMCore
import Synchronization

/// Sends requests through libcurl, all of them from one thread.
///
/// A name is looked up once, and the socket is opened to the address that was checked: a name that answers differently the second
/// time leads nowhere else. Redirects are not followed, and no proxy is asked, since that would hide the address.
package final class CurlSender: OutgoingHTTP {
    private let line: CurlLine

    /// `allowsPrivate`: whether callers may name this machine and the networks around it. `authorities`: a file with the certificates
    /// that https servers are checked against, in place of the system's.
    package init(allowsPrivate: Bool, authorities: String? = nil) {
        line = CurlLine(allowsPrivate: allowsPrivate, authorities: authorities)
    }

    package func send(_ request: OutgoingRequest) async throws(OutgoingFailure) -> OutgoingAnswer { try await line.send(.request(request)) }
}

/// A loop, with errands that wait for their answers.
final class CurlLine: Sendable {
    private let loop: CurlLoop
    private let numbers = Atomic<UInt64>(0)

    init(allowsPrivate: Bool, authorities: String? = nil) { loop = CurlLoop(allowsPrivate: allowsPrivate, authorities: authorities) }

    deinit { loop.close() }

    func send(_ errand: CurlErrand) async throws(OutgoingFailure) -> OutgoingAnswer {
        let number = numbers.add(1, ordering: .relaxed).newValue
        let loop = loop
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.submit(CurlLoop.Submission(number: number, errand: errand, continuation: continuation))
            }
        } onCancel: {
            loop.cancel(number)
        }
        if Task.isCancelled { loop.forget(number) }
        return try result.get()
    }
}
