import CRMCore
import Foundation
import Wire

/// Signs a request as S3 wants it (AWS Signature Version 4). Pure: the time is handed in.
struct RequestSignature {
    package struct Credentials: Sendable {
        let accessKey: String
        let secretKey: String
        /// Only temporary credentials have one.
        let sessionToken: String?
        let region: String
    }

    let credentials: Credentials
    let now: Instant

    /// `20130524T000000Z`.
    private var stamp: String { now.iso(offsetMinutes: 0).prefix(19).filter { $0 != "-" && $0 != ":" } + "Z" }
    private var day: Substring { stamp.prefix(8) }

    /// The headers to send, the given ones included; all are signed. `path` is percent-encoded already, the query empty.
    func headers(_ method: String, host: String, path: String, payload: ContentHash, _ given: [String: String] = [:]) -> [String: String] {
        var headers = given
        headers["host"] = host
        headers["x-amz-content-sha256"] = payload.hex
        headers["x-amz-date"] = stamp
        if let token = credentials.sessionToken { headers["x-amz-security-token"] = token }
        let names = headers.keys.sorted()
        let signed = names.joined(separator: ";")
        let lines = names.map { "\($0):\(headers[$0] ?? "")\n" }.joined()
        let request = "\(method)\n\(path)\n\n\(lines)\n\(signed)\n\(payload.hex)"
        let scope = "\(day)/\(credentials.region)/s3/aws4_request"
        let text = "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n\(Secrets.fingerprint(request))"
        let signature = Secrets.hex(mac(key, text))
        headers["authorization"] =
            "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope),SignedHeaders=\(signed),Signature=\(signature)"
        return headers
    }

    private var key: [UInt8] {
        ["\(day)", credentials.region, "s3", "aws4_request"].reduce(Array("AWS4\(credentials.secretKey)".utf8)) { mac($0, $1) }
    }

    /// HMAC-SHA256 (RFC 2104).
    private func mac(_ key: [UInt8], _ text: String) -> [UInt8] {
        let short = key.count > 64 ? Secrets.sha256(key) : key
        let padded = short + [UInt8](repeating: 0, count: 64 - short.count)
        return Secrets.sha256(padded.map { $0 ^ 0x5C } + Secrets.sha256(padded.map { $0 ^ 0x36 } + Array(text.utf8)))
    }
}
