import Wire

/// What goes back: a status, headers, and bytes that are JSON unless a header says otherwise.
package struct Reply: Sendable {
    package var status: Int
    package var headers: [(String, String)]
    package var body: [UInt8]
    /// A body too large for memory, in place of `body`.
    package var stream: Stream?

    package struct Stream: Sendable {
        package let bytes: ByteStream
        package let length: Int

        package init(_ bytes: ByteStream, length: Int) {
            self.bytes = bytes
            self.length = length
        }
    }

    package init(status: Int, headers: [(String, String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    private static let jsonType = [("Content-Type", "application/json;charset=utf-8")]

    package static func json(_ value: JSONValue, status: Int = 200) -> Reply { bytes(value.encoded(), status: status) }

    /// JSON that is written already.
    package static func bytes(_ json: [UInt8], status: Int = 200) -> Reply { Reply(status: status, headers: jsonType, body: json) }

    /// An empty list, no match, no such job: 204 without a body or a type.
    package static var nothing: Reply { Reply(status: 204) }
    package static var notModified: Reply { Reply(status: 304) }

    package func header(_ name: String) -> String? {
        headers.first { ASCIICase.equal($0.0, name) }?.1
    }

    package mutating func set(_ name: String, _ value: String) {
        headers.removeAll { ASCIICase.equal($0.0, name) }
        headers.append((name, value))
    }
}

extension Reply {
    /// One result per item under the key. All good gives `success`; all failed the status they share, or 400; some of
    /// each 207. Contract: common, §4 and §5.
    package static func items(
        _ key: String, _ results: [Result<JSONValue, Rejection>], success: Int = 200, extra: [JSONValue.Member] = []
    ) -> Reply {
        var refused: [Int] = []
        let values = results.map { result in
            switch result {
            case .success(let value): return value
            case .failure(let rejection):
                refused.append(rejection.status)
                return rejection.result
            }
        }
        let shared = Set(refused).count == 1 ? refused[0] : 400
        let status = refused.isEmpty ? success : refused.count < results.count ? 207 : shared
        return json(.object([.init(key, .array(values))] + extra), status: status)
    }

    /// A refusal of the whole request inside the endpoint's array.
    package static func wrapped(_ key: String, _ rejection: Rejection) -> Reply { items(key, [.failure(rejection)]) }

    /// A refusal as the whole answer.
    package static func rejected(_ rejection: Rejection) -> Reply { json(rejection.result, status: rejection.status) }
}

extension Reply {
    /// A page for people. It may not be framed, cached, or load anything from elsewhere.
    package static func page(_ html: HTML, status: Int = 200) -> Reply {
        Reply(
            status: status,
            headers: [
                ("Content-Type", "text/html;charset=utf-8"), ("Cache-Control", "no-store"), ("X-Frame-Options", "DENY"),
                ("Referrer-Policy", "no-referrer"),
                // No form-action: browsers apply it to the redirect that follows the form, and that leads to the client.
                ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"),
            ], body: Array(html.text.utf8))
    }

    package static func redirect(to location: String) -> Reply {
        Reply(status: 302, headers: [("Location", location), ("Cache-Control", "no-store")])
    }
}
