import HTTPShell
import ServiceLifecycle

/// A loop that runs beside the server until it stops.
struct BackgroundService: Service, CustomStringConvertible {
    let description: String
    let loop: @Sendable () async -> Void

    func run() async throws {
        let loop = loop
        await cancelWhenGracefulShutdown { await loop() }
    }
}

extension ServiceGroupConfiguration.ServiceConfiguration {
    /// A loop that ends by itself, having nothing to follow, does not end the server.
    static func background(_ name: String, _ loop: @escaping @Sendable () async -> Void) -> Self {
        .init(service: BackgroundService(description: name, loop: loop), successTerminationBehavior: .ignore)
    }
}

/// The HTTP server among the other services.
struct ServerService: Service {
    let server: HTTPServer
    func run() async throws { try await server.run() }
}
