import CRMCore
import Wire

/// Tells whoever watches the process that it answers and reaches its database.
enum CheckHealth: Endpoint {
    static let declaration = Declaration(.get, "/health", entry: "", scope: .anyone)
    typealias Input = NoInput

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        try await context.services.checkHealth()
        return .json(["status": "ok"])
    }
}
