import CRMCore
import Wire

/// Where a page ended, sealed so that only the same user with the same parameters can go on from there.
struct PageToken: Sendable {
    /// 24 hours (`common.md` §7).
    static let lifetime: Int64 = 24 * 3_600_000

    let key: Int64?
    let id: RecordID
    let page: Int
    /// How many rows lie behind.
    let passed: Int64
    let expires: Instant

    init(key: Int64?, id: RecordID, page: Int, passed: Int64, expires: Instant) {
        self.key = key
        self.id = id
        self.page = page
        self.passed = passed
        self.expires = expires
    }

    /// A token altered or made elsewhere is INVALID_DATA; one of other parameters or another user TOKEN_BOUND_DATA_MISMATCH.
    init(_ text: String, key secret: [UInt8], binding: String, now: Instant) throws(Rejection) {
        let parts = text.split(separator: ".")
        guard parts.count == 3, Secrets.equal(String(parts[2]), Self.seal(parts[0] + "." + parts[1], secret)) else { throw .invalidParameter("page_token") }
        guard Secrets.equal(String(parts[1]), Self.digest(binding)) else { throw Rejection(.tokenBoundDataMismatch, .parameter("page_token")) }
        let numbers = parts[0].split(separator: "_", omittingEmptySubsequences: false).map { Int64($0) }
        guard numbers.count == 5, let id = numbers[1], let page = numbers[2], let passed = numbers[3], let expires = numbers[4] else {
            throw .invalidParameter("page_token")
        }
        guard expires > now.milliseconds else { throw Rejection(.expiredValue, .parameter("page_token")) }
        self.init(key: numbers[0], id: RecordID(raw: id), page: Int(page), passed: passed, expires: Instant(milliseconds: expires))
    }

    func sealed(_ secret: [UInt8], _ binding: String) -> String {
        let body = "\(key.map(String.init) ?? "")_\(id.raw)_\(page)_\(passed)_\(expires.milliseconds).\(Self.digest(binding))"
        return "\(body).\(Self.seal(body, secret))"
    }

    private static func digest(_ text: String) -> String { String(Secrets.hex(Secrets.sha256(Array(text.utf8))).prefix(32)) }

    /// Secret before and after the text: an attacker cannot extend either hash.
    private static func seal(_ body: some StringProtocol, _ secret: [UInt8]) -> String {
        Secrets.hex(Secrets.sha256(secret + Secrets.sha256(secret + Array(body.utf8))))
    }
}
