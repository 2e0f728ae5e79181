import CRMCore
import Wire

/// Where a page ended or began, sealed so that only the same user with the same parameters can go on from there.
struct PageToken: Sendable {
    /// 24 hours (`common.md` §7).
    static let lifetime: Int64 = 24 * 3_600_000

    enum Direction: Int64, Sendable { case forward, backward }

    let direction: Direction
    let key: Int64?
    let id: RecordID
    /// The number of the page the token leads to, and how many rows lie ahead of it.
    let page: Int
    let passed: Int64
    let expires: Instant

    init(_ direction: Direction, key: Int64?, id: RecordID, page: Int, passed: Int64, expires: Instant) {
        self.direction = direction
        self.key = key
        self.id = id
        self.page = page
        self.passed = passed
        self.expires = expires
    }

    /// What a token is tied to: the key it is sealed with, who asked, and with which parameters.
    struct Binding: Sendable {
        let key: [UInt8]
        let user: Int64
        let parameters: String
    }

    /// A token altered, made elsewhere or for another user is INVALID_DATA; one of other parameters TOKEN_BOUND_DATA_MISMATCH.
    init(_ text: String, _ binding: Binding, now: Instant) throws(Rejection) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, Secrets.equal(String(parts[2]), Self.seal(parts[0] + "." + parts[1], binding)) else {
            throw .invalidParameter("page_token")
        }
        guard Secrets.equal(String(parts[1]), Self.digest(binding.parameters)) else {
            throw Rejection(.tokenBoundDataMismatch, .parameter("page_token"))
        }
        let numbers = parts[0].split(separator: "_", omittingEmptySubsequences: false).map { Int64($0) }
        guard numbers.count == 6, let direction = numbers[5].flatMap(Direction.init), let id = numbers[1], let page = numbers[2],
            let passed = numbers[3], let expires = numbers[4]
        else { throw .invalidParameter("page_token") }
        guard expires > now.milliseconds else { throw Rejection(.expiredValue, .parameter("page_token")) }
        self.init(
            direction, key: numbers[0], id: RecordID(raw: id), page: Int(page), passed: passed, expires: Instant(milliseconds: expires))
    }

    func sealed(_ binding: Binding) -> String {
        let body =
            "\(key.map(String.init) ?? "")_\(id.raw)_\(page)_\(passed)_\(expires.milliseconds)_\(direction.rawValue).\(Self.digest(binding.parameters))"
        return "\(body).\(Self.seal(body, binding))"
    }

    private static func digest(_ text: String) -> String { String(Secrets.hex(Secrets.sha256(Array(text.utf8))).prefix(32)) }

    /// Secret before and after the text: an attacker cannot extend either hash.
    private static func seal(_ body: some StringProtocol, _ binding: Binding) -> String {
        Secrets.hex(Secrets.sha256(binding.key + Secrets.sha256(binding.key + Array("\(body).\(binding.user)".utf8))))
    }
}
