import CCurl
import CRMCore
import Glibc

/// One request or mail under way. Lives on the loop's thread.
final class CurlTransfer {
    /// As much of an answer is kept; nobody reads more of it.
    private static let keptBytes = 64 * 1024
    /// As much of one is read at all.
    private static let readBytes = 1024 * 1024

    let handle: UnsafeMutableRawPointer
    private let submission: CurlLoop.Submission
    private let allowsPrivate: Bool
    /// Headers of a request, or receivers of a mail.
    var list: UnsafeMutablePointer<curl_slist>?
    /// What of a mail is still to be read by libcurl.
    var upload: ArraySlice<UInt8> = []
    /// What a mail server has said of itself, where that matters.
    var greeting: SMTPGreeting?
    private var body: [UInt8] = []
    private var read = 0
    private var refusedAddress = false

    init?(_ submission: CurlLoop.Submission, allowsPrivate: Bool, authorities: String?) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        self.submission = submission
        self.allowsPrivate = allowsPrivate
        if let authorities, ccurl_set_text(handle, CURLOPT_CAINFO, authorities) != CURLE_OK { return nil }
        let isReady =
            switch submission.errand {
            case .request(let request): configure(request)
            case .mail(let mail): configure(mail)
            }
        guard isReady else { return nil }
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(list)
    }

    private func configure(_ request: OutgoingRequest) -> Bool {
        let milliseconds = Int(request.timeout / .milliseconds(1))
        let whole = Unmanaged.passUnretained(self).toOpaque()
        for (name, value) in request.headers { list = curl_slist_append(list, "\(name): \(value)") }
        // Without it libcurl asks before it sends a body of more than a kilobyte, and waits for an answer few servers give.
        list = curl_slist_append(list, "Expect:")
        var results = [
            ccurl_set_text(handle, CURLOPT_URL, request.url.encoded),
            ccurl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method),
            ccurl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https"),
            ccurl_set_text(handle, CURLOPT_PROXY, ""),
            ccurl_set_text(handle, CURLOPT_USERAGENT, "Tributary"),
            ccurl_set_number(handle, CURLOPT_FOLLOWLOCATION, 0),
            ccurl_set_number(handle, CURLOPT_NOSIGNAL, 1),
            ccurl_set_number(handle, CURLOPT_TIMEOUT_MS, milliseconds),
            // Half of it, so that a name with one dead address of two still answers.
            ccurl_set_number(handle, CURLOPT_CONNECTTIMEOUT_MS, max(1, milliseconds / 2)),
            ccurl_set_list(handle, CURLOPT_HTTPHEADER, list),
            ccurl_set_pointer(handle, CURLOPT_WRITEDATA, whole),
            ccurl_set_writer(handle) { bytes, size, count, transfer in CurlTransfer.keep(bytes, size * count, transfer) },
            ccurl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, whole),
            ccurl_set_opener(handle) { transfer, _, address in CurlTransfer.open(address, transfer) },
        ]
        if !request.body.isEmpty || request.method == "POST" {
            results.append(ccurl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count)))
            request.body.withUnsafeBytes { bytes in
                results.append(
                    ccurl_set_pointer(
                        handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(whole))))
            }
        }
        return results.allSatisfy { $0 == CURLE_OK }
    }

    private static func keep(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ transfer: UnsafeMutableRawPointer?) -> Int {
        guard let bytes, let transfer else { return 0 }
        let this = Unmanaged<CurlTransfer>.fromOpaque(transfer).takeUnretainedValue()
        this.read += count
        guard this.read <= readBytes else { return 0 }
        this.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: min(count, max(0, keptBytes - this.body.count))))
        return count
    }

    /// The socket to an address that libcurl is about to connect to; the only place where one is opened.
    private static func open(_ address: UnsafeMutablePointer<curl_sockaddr>?, _ transfer: UnsafeMutableRawPointer?) -> curl_socket_t {
        let refused: curl_socket_t = -1
        guard let address, let transfer, let start = MemoryLayout<curl_sockaddr>.offset(of: \.addr) else { return refused }
        let this = Unmanaged<CurlTransfer>.fromOpaque(transfer).takeUnretainedValue()
        let family = address.pointee.family
        guard this.allowsPrivate || PublicAddress.allows(UnsafeRawPointer(address) + start, family: family) else {
            this.refusedAddress = true
            return refused
        }
        return socket(family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.`protocol`)
    }

    func outcome(of code: CURLcode) -> Result<OutgoingAnswer, OutgoingFailure> {
        var status = 0
        ccurl_get_number(handle, CURLINFO_RESPONSE_CODE, &status)
        if case .mail = submission.errand { return mailOutcome(of: code, status: status) }
        switch code {
        case CURLE_OK: return .success(OutgoingAnswer(status: status, body: body))
        // The answer was there; we did not want the end of it.
        case CURLE_WRITE_ERROR where read > Self.readBytes: return .success(OutgoingAnswer(status: status, body: body))
        case CURLE_OPERATION_TIMEDOUT: return .failure(.timedOut)
        case _ where refusedAddress: return .failure(.notPublic)
        default: return .failure(.unreachable(String(cString: curl_easy_strerror(code)).lowercased()))
        }
    }

    func stop(in multi: UnsafeMutableRawPointer, with result: Result<OutgoingAnswer, OutgoingFailure>) {
        curl_multi_remove_handle(multi, handle)
        submission.continuation.resume(returning: result)
    }
}
