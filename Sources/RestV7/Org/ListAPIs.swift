import HTTPShell
import Wire

/// The list of available APIs, read from the same declarations that route requests. Contract: list-of-available-apis, 180.
enum ListAPIs: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/__apis", entry: "180", scope: .fixed(["ZohoCRM.apis.READ"]), support: .partial("filters"))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        let own = allEndpoints.map { declaration($0) }.filter { $0.path.hasPrefix("/crm/") }
        var paths: [String: [JSONValue]] = [:]
        for declaration in own { paths[display(declaration.path), default: []].append(operation(declaration)) }
        let listed = paths.sorted { $0.key < $1.key }.map { ["path": .string($0.key), "operation_types": .array($0.value)] as JSONValue }
        return .json(["__apis": .array(listed)])
    }

    private static func operation(_ declaration: Declaration) -> JSONValue {
        [
            "method": .string(declaration.method.rawValue), "oauth_scope": .string(declaration.scope.description), "max_credits": .integer(declaration.credits),
            "min_credits": .integer(declaration.credits),
        ]
    }

    private static func declaration<E: Endpoint>(_ endpoint: E.Type) -> Declaration { E.declaration }

    /// Parameters as the API writes them: `{{id}}`.
    private static func display(_ path: String) -> String {
        path.split(separator: "{", omittingEmptySubsequences: false).joined(separator: "{{").split(separator: "}", omittingEmptySubsequences: false)
            .joined(separator: "}}")
    }
}
