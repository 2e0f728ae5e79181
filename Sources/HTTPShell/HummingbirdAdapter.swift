import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Wire

/// Translates between the web framework and the shell. The framework's router is not used: it cannot tell a wrong
/// method from an unknown path.
struct ShellResponder: HTTPResponder {
    typealias Context = BasicRequestContext
    let shell: Shell

    func respond(to request: Request, context: Context) async throws -> Response {
        let method = request.method.rawValue
        let target = request.head.path ?? "/"
        var headers = request.headers.map { ($0.name.canonicalName, $0.value) }
        if let authority = request.head.authority { headers.append(("host", authority)) }
        let hasBody = headers.contains { $0.0 == "content-length" || $0.0 == "transfer-encoding" }
        let plan = shell.bodyPlan(method: method, target: target)
        let body: IncomingRequest.Body = hasBody ? try await self.body(of: request, plan.kind, limit: plan.limit) : .bytes([])
        let reply = await shell.answer(IncomingRequest(method: method, target: target, headers: headers, body: body))
        // The answer to a HEAD has no body whatever it says (RFC 9110, 9.3.2); sending one would garble the connection.
        return response(reply, bodyless: request.method == .head)
    }

    /// Stops reading as soon as the limit is passed; the framework lets the rest go by unread.
    private func body(of request: Request, _ kind: BodyKind, limit: Int) async throws -> IncomingRequest.Body {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit { return .tooLarge }
        if kind == .upload {
            return .upload(
                Upload(ByteStream(LimitedBody(body: request.body, limit: limit)), contentType: request.headers[.contentType] ?? ""))
        }
        var bytes: [UInt8] = []
        for try await chunk in request.body {
            guard bytes.count + chunk.readableBytes <= limit else { return .tooLarge }
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        return .bytes(bytes)
    }

    private func response(_ reply: Reply, bodyless: Bool) -> Response {
        var headers = HTTPFields()
        for (name, value) in reply.headers {
            guard let name = HTTPField.Name(name) else { continue }
            headers.append(HTTPField(name: name, value: value))
        }
        let body: ResponseBody
        if let stream = reply.stream, !bodyless {
            body = ResponseBody(contentLength: stream.length) { writer in
                for try await piece in stream.bytes { try await writer.write(ByteBuffer(bytes: piece)) }
                try await writer.finish(nil)
            }
        } else {
            body = bodyless || reply.body.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: reply.body))
        }
        var response = Response(status: HTTPResponse.Status(code: reply.status), headers: headers, body: body)
        // The framework writes a length of 0, which neither may have (RFC 9110, 8.6).
        if reply.status == 204 || reply.status == 304 { response.headers[.contentLength] = nil }
        return response
    }
}

/// A request's body piece by piece, refused where it passes its limit.
private struct LimitedBody: AsyncSequence, Sendable {
    let body: RequestBody
    let limit: Int

    struct Iterator: AsyncIteratorProtocol {
        var pieces: RequestBody.AsyncIterator
        let limit: Int
        var passed = 0

        mutating func next() async throws -> [UInt8]? {
            guard let piece = try await pieces.next() else { return nil }
            passed += piece.readableBytes
            guard passed <= limit else { throw Rejection.bodyTooLarge(limit) }
            return Array(piece.readableBytesView)
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(pieces: body.makeAsyncIterator(), limit: limit) }
}

/// The HTTP server as a service: runs until it is told to stop, then lets requests under way finish.
package struct HTTPServer: Sendable {
    private let application: Application<ShellResponder>

    /// `started` is called with the port once connections are accepted.
    package init(_ shell: Shell, host: String, port: Int, logger: Logger, started: @escaping @Sendable (Int) async -> Void) {
        // The framework's own lines would repeat ours.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        application = Application(
            responder: ShellResponder(shell: shell),
            // Longer than the pauses of a client between calls, short enough that dead connections do not gather.
            server: HTTPServerBuilder { responder in
                let configuration = HTTP1Channel.Configuration(additionalChannelHandlers: [ParserRefusals()], idleTimeout: .seconds(75))
                return ConnectionOnItsLoop(connection: HTTP1Channel(responder: responder, configuration: configuration))
            },
            configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            onServerRunning: { channel in await started(channel.localAddress?.port ?? port) },
            eventLoopGroupProvider: .singleton, logger: quiet)
    }

    /// Throws `ListenFailure` when the address cannot be taken.
    package func run() async throws {
        do {
            try await application.run()
        } catch let error as IOError {
            throw ListenFailure(description: "cannot listen: \(String(cString: strerror(error.errnoCode)))")
        } catch let error as SocketAddressError {
            throw ListenFailure(description: "cannot listen: \(error)")
        }
    }
}

/// The address is taken, forbidden or unknown.
package struct ListenFailure: Error, CustomStringConvertible {
    package let description: String
}
