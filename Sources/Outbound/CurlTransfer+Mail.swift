import CCurl
import CRMCore

extension CurlTransfer {
    func configure(_ mail: MailTransfer) -> Bool {
        let milliseconds = Int(mail.timeout / .milliseconds(1))
        let whole = Unmanaged.passUnretained(self).toOpaque()
        list = curl_slist_append(list, "<\(mail.to.wire)>")
        upload = mail.message[...]
        // A password never goes over a line that is not encrypted.
        let encryption = mail.server.login == nil ? CURLUSESSL_TRY : CURLUSESSL_ALL
        var results = [
            ccurl_set_text(handle, CURLOPT_URL, mail.server.url),
            ccurl_set_text(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps"),
            ccurl_set_text(handle, CURLOPT_PROXY, ""),
            ccurl_set_number(handle, CURLOPT_USE_SSL, Int(encryption.rawValue)),
            ccurl_set_number(handle, CURLOPT_NOSIGNAL, 1),
            ccurl_set_number(handle, CURLOPT_TIMEOUT_MS, milliseconds),
            ccurl_set_number(handle, CURLOPT_CONNECTTIMEOUT_MS, max(1, milliseconds / 2)),
            ccurl_set_text(handle, CURLOPT_MAIL_FROM, "<\(mail.from.wire)>"),
            ccurl_set_list(handle, CURLOPT_MAIL_RCPT, list),
            ccurl_set_number(handle, CURLOPT_UPLOAD, 1),
            ccurl_set_size(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(mail.message.count)),
            ccurl_set_pointer(handle, CURLOPT_READDATA, whole),
            ccurl_set_reader(handle) { target, size, count, transfer in CurlTransfer.hand(target, size * count, transfer) },
        ]
        if let authorities = mail.authorities { results.append(ccurl_set_text(handle, CURLOPT_CAINFO, authorities)) }
        if mail.needsUTF8 {
            greeting = SMTPGreeting()
            results.append(ccurl_set_pointer(handle, CURLOPT_HEADERDATA, whole))
            results.append(
                ccurl_set_header_reader(handle) { bytes, size, count, transfer in CurlTransfer.hear(bytes, size * count, transfer) })
        }
        if let login = mail.server.login {
            results.append(ccurl_set_text(handle, CURLOPT_USERNAME, login.user))
            results.append(ccurl_set_text(handle, CURLOPT_PASSWORD, login.password))
        }
        return results.allSatisfy { $0 == CURLE_OK }
    }

    private static func hand(_ target: UnsafeMutablePointer<CChar>?, _ room: Int, _ transfer: UnsafeMutableRawPointer?) -> Int {
        guard let target, let transfer else { return 0 }
        let this = Unmanaged<CurlTransfer>.fromOpaque(transfer).takeUnretainedValue()
        let part = this.upload.prefix(room)
        UnsafeMutableRawBufferPointer(start: target, count: room).copyBytes(from: part)
        this.upload = this.upload.dropFirst(part.count)
        return part.count
    }

    /// The server speaks. One that does not know SMTPUTF8 is left before it is told of an address it could not read.
    private static func hear(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ transfer: UnsafeMutableRawPointer?) -> Int {
        guard let bytes, let transfer else { return 0 }
        let this = Unmanaged<CurlTransfer>.fromOpaque(transfer).takeUnretainedValue()
        let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
        return this.greeting?.goesOn(after: line) == false ? 0 : count
    }

    /// A server that says no has answered; the numbers are those of SMTP.
    func mailOutcome(of code: CURLcode, status: Int) -> Result<OutgoingAnswer, OutgoingFailure> {
        if greeting?.isRefused == true { return .failure(.unsupported("the mail server knows no SMTPUTF8, which the address needs")) }
        return switch code {
        case CURLE_OK: .success(OutgoingAnswer(status: 250))
        case CURLE_OPERATION_TIMEDOUT: .failure(.timedOut)
        // Who is not let in has a wrong setting, not a wrong mail.
        case CURLE_LOGIN_DENIED: .failure(.unreachable("the mail server refuses the login"))
        case _ where (400...599).contains(status): .success(OutgoingAnswer(status: status))
        default: .failure(.unreachable(String(cString: curl_easy_strerror(code)).lowercased()))
        }
    }
}
