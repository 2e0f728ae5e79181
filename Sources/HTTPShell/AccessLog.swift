import Logging

/// One line per request: enough to find a request again, never a secret.
struct AccessLog: Sendable {
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func note(_ incoming: IncomingRequest, _ status: Int, _ trace: RequestTrace, since began: ContinuousClock.Instant) {
        guard logger.logLevel <= .info else { return }
        let elapsed = began.duration(to: .now)
        let microseconds = elapsed.components.seconds * 1_000_000 + elapsed.components.attoseconds / 1_000_000_000_000
        var metadata: Logger.Metadata = [
            "method": .string(incoming.method), "path": .string(String(RequestTarget.path(of: incoming.target))),
            "status": .stringConvertible(status), "ms": .stringConvertible(Double(microseconds) / 1000),
            "request_id": .string(trace.requestID),
        ]
        if let user = trace.userID { metadata["user_id"] = .stringConvertible(user) }
        logger.info("request", metadata: metadata)
    }
}
