import CRMCore
import SQLStore
import Wire

/// Tells whoever watches the process that it answers and reaches its database.
enum CheckHealth: Endpoint {
    static let declaration = Declaration(.get, "/health", entry: "", scope: .anyone)
    typealias Input = NoInput

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        _ = try await context.services.database.run(.read) { tx in try tx.first("SELECT 1") { row in row.integer(0) } }
        return .json(["status": "ok"])
    }
}
