/// A request as it came from the socket.
package struct IncomingRequest: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Not read yet.
        case upload(Upload)
        /// More than allowed; not kept.
        case tooLarge
    }

    package let method: String
    /// Path and query as the request line has them.
    package let target: String
    package let headers: [(String, String)]
    package let body: Body

    package init(method: String, target: String, headers: [(String, String)], body: Body) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }

    package func header(_ name: String) -> String? { headers.first { ASCIICase.equal($0.0, name) }?.1 }
}

/// What is learnt about a request on its way, for the log.
struct RequestTrace: Sendable {
    let requestID: String
    var userID: Int64?

    init(requestID: String) { self.requestID = requestID }

    /// A caller's own id is taken when it is plain enough for a log line; otherwise one is made.
    static func requestID(_ given: String?) -> String {
        if let given, (1...100).contains(given.utf8.count), given.utf8.allSatisfy(isPlain) { return given }
        return String(UInt64.random(in: .min ... .max), radix: 36)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"): true
        default: false
        }
    }
}
