import CRMCore
import Dispatch
import Glibc
import Logging
import ServiceLifecycle
import Wire

/// Serves the admin socket of a data folder while the server runs.
struct AdminChannel: Service {
    private let folder: String
    private let listener: Int32
    private let administration: Administration
    private let logger: Logger

    /// Listens from here on, so that commands find the server as soon as it says it is ready.
    init(folder: String, administration: Administration, logger: Logger) throws {
        self.folder = folder
        self.administration = administration
        self.logger = logger
        listener = try AdminSocket.listen(folder: folder)
    }

    func run() async throws {
        let listener = listener
        let (connections, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingOldest(16))
        let source = DispatchSource.makeReadSource(fileDescriptor: listener, queue: DispatchQueue(label: "tributary.admin"))
        source.setEventHandler { () -> Void in
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            if case .enqueued = continuation.yield(connection) { return }
            close(connection)
        }
        source.setCancelHandler { close(listener) }
        source.activate()
        await withGracefulShutdownHandler {
            for await connection in connections { await serve(connection) }
        } onGracefulShutdown: {
            continuation.finish()
        }
        source.cancel()
        unlink("\(folder)/\(AdminSocket.name)")
    }

    /// One request, one answer.
    private func serve(_ connection: Int32) async {
        AdminSocket.limitWaiting(connection)
        let line = await Self.blocking { AdminSocket.receiveLine(from: connection) }
        let answer = await answer(to: line)
        await Self.blocking {
            _ = AdminSocket.send(line: answer.encoded(), to: connection)
            close(connection)
        }
    }

    private func answer(to line: [UInt8]?) async -> JSONValue {
        guard let line, let json = try? JSONValue.parse(line), let request = AdminRequest(json) else {
            return ["error": "the running server does not know this request; is it of another version?"]
        }
        do {
            return ["result": try await administration.perform(request)]
        } catch let failure as AdminFailure {
            return ["error": .string(failure.message)]
        } catch {
            logger.error("admin request failed", metadata: ["error": .string(String(describing: error))])
            return ["error": "the running server failed; its log says why"]
        }
    }

    /// Socket calls wait; they do so on a thread of their own.
    private static func blocking<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: body()) }
        }
    }
}
