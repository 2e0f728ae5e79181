import CCurl
import CRMCore
import Foundation
import Synchronization

/// The thread on which libcurl works: any number of requests at once, none of which waits for another.
final class CurlLoop: Sendable {
    struct Submission: Sendable {
        let number: UInt64
        let errand: CurlErrand
        let continuation: CheckedContinuation<Result<OutgoingAnswer, OutgoingFailure>, Never>
    }

    private struct State {
        var submitted: [Submission] = []
        var cancelled: Set<UInt64> = []
        var isClosed = false
        /// libcurl's handle as a number: of all that may be done with it, only waking is done from other threads, and only while the
        /// thread is there.
        var handle: UInt?
    }

    private let state = Mutex(State())
    private let allowsPrivate: Bool
    private let authorities: String?

    /// Must come before anything else, and only once.
    private static let ready: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(allowsPrivate: Bool, authorities: String?) {
        self.allowsPrivate = allowsPrivate
        self.authorities = authorities
        let thread = Thread { [self] in
            Thread.current.name = "outbound"
            run()
        }
        thread.start()
    }

    func submit(_ submission: Submission) {
        let isClosed = state.withLock { state in
            guard !state.isClosed, !state.cancelled.contains(submission.number) else { return true }
            state.submitted.append(submission)
            Self.wake(state)
            return false
        }
        if isClosed { submission.continuation.resume(returning: .failure(.cancelled)) }
    }

    /// May come before the request it speaks of.
    func cancel(_ number: UInt64) {
        state.withLock { state in
            state.cancelled.insert(number)
            Self.wake(state)
        }
    }

    /// After the end of a request that was cancelled.
    func forget(_ number: UInt64) { state.withLock { _ = $0.cancelled.remove(number) } }

    func close() {
        state.withLock { state in
            state.isClosed = true
            Self.wake(state)
        }
    }

    private static func wake(_ state: borrowing State) {
        if let handle = state.handle { curl_multi_wakeup(UnsafeMutableRawPointer(bitPattern: handle)) }
    }

    private func run() {
        guard Self.ready, let multi = curl_multi_init() else { return refuseAll() }
        state.withLock { $0.handle = UInt(bitPattern: multi) }
        var transfers: [UInt64: CurlTransfer] = [:]
        var isClosed = false
        while !isClosed {
            var news = State()
            state.withLock { state in
                swap(&news.submitted, &state.submitted)
                news.cancelled = state.cancelled
                news.isClosed = state.isClosed
            }
            isClosed = news.isClosed
            for submission in news.submitted { start(submission, multi, &transfers) }
            let stopped = isClosed ? Array(transfers.keys) : news.cancelled.filter { transfers[$0] != nil }
            for number in stopped { transfers.removeValue(forKey: number)?.stop(in: multi, with: .failure(.cancelled)) }
            guard !isClosed else { break }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            finish(multi, &transfers)
            // A long time: whatever happens wakes.
            curl_multi_poll(multi, nil, 0, 60_000, nil)
        }
        state.withLock { $0.handle = nil }
        curl_multi_cleanup(multi)
        refuseAll()
    }

    private func start(_ submission: Submission, _ multi: UnsafeMutableRawPointer, _ transfers: inout [UInt64: CurlTransfer]) {
        guard let transfer = CurlTransfer(submission, allowsPrivate: allowsPrivate, authorities: authorities),
            curl_multi_add_handle(multi, transfer.handle) == CURLM_OK
        else { return submission.continuation.resume(returning: .failure(.unreachable("the request cannot be sent"))) }
        transfers[submission.number] = transfer
    }

    private func finish(_ multi: UnsafeMutableRawPointer, _ transfers: inout [UInt64: CurlTransfer]) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
                let number = transfers.first(where: { $0.value.handle == handle })?.key,
                let transfer = transfers.removeValue(forKey: number)
            else { continue }
            transfer.stop(in: multi, with: transfer.outcome(of: message.pointee.data.result))
        }
    }

    private func refuseAll() {
        let left = state.withLock { state in
            state.isClosed = true
            defer { state.submitted = [] }
            return state.submitted
        }
        for submission in left { submission.continuation.resume(returning: .failure(.cancelled)) }
    }
}
