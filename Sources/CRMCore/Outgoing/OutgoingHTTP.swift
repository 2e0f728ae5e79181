/// A request of ours to a server that a caller named.
package struct OutgoingRequest: Sendable {
    package let method: String
    package let url: OutgoingURL
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    /// From the first look-up of the name to the last byte of the answer.
    package let timeout: Duration

    package init(
        _ method: String, _ url: OutgoingURL, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        timeout: Duration = .seconds(10)
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
    }

    /// JSON by POST, as notifications and call-backs are sent.
    package static func post(_ json: [UInt8], to url: OutgoingURL) -> OutgoingRequest {
        OutgoingRequest("POST", url, headers: [("Content-Type", "application/json;charset=utf-8")], body: json)
    }
}

/// What the other server said. Redirects are answers like any other: nobody follows them.
package struct OutgoingAnswer: Sendable, Equatable {
    package let status: Int
    /// The beginning of the body.
    package let body: [UInt8]

    package init(status: Int, body: [UInt8] = []) {
        self.status = status
        self.body = body
    }

    package var isSuccess: Bool { (200...299).contains(status) }
}

/// Why there is no answer.
package enum OutgoingFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The name leads into a network that callers may not send us to.
    case notPublic
    case timedOut
    case unreachable(String)
    case cancelled
    /// The other side is there and cannot do what is asked.
    case unsupported(String)
    /// This process has nobody that sends.
    case noSender

    package var description: String {
        switch self {
        case .notPublic: "the address is not a public one"
        case .timedOut: "no answer in time"
        case .unreachable(let reason), .unsupported(let reason): reason
        case .cancelled: "cancelled"
        case .noSender: "this server sends nothing"
        }
    }
}

/// Sends requests to servers that callers name. Never from inside a transaction.
package protocol OutgoingHTTP: Sendable {
    func send(_ request: OutgoingRequest) async throws(OutgoingFailure) -> OutgoingAnswer
}

/// Where nothing is to leave the process: commands, and tests that do not say otherwise.
package struct NoOutgoingHTTP: OutgoingHTTP {
    package init() {}
    package func send(_ request: OutgoingRequest) async throws(OutgoingFailure) -> OutgoingAnswer { throw .noSender }
}
