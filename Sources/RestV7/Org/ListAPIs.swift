import CRMCore
import HTTPShell
import Metadata
import Wire

/// The list of available APIs, read from the same declarations that route requests. Contract: list-of-available-apis, 180.
enum ListAPIs: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/__apis", entry: "180", scope: .fixed(["ZohoCRM.apis.READ"]))

    struct Input: EndpointInput {
        let filter: APIFilter?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            filter = try request.query("filters").flatMap { $0.isEmpty ? nil : $0 }.map { text throws(Rejection) in
                try APIFilter(text, context.catalog, AvailableAPI.list(context.catalog))
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        var paths: [String: [JSONValue]] = [:]
        for api in AvailableAPI.list(context.catalog) where input.filter?.admits(api) ?? true {
            paths[api.path, default: []].append(api.operation)
        }
        guard !paths.isEmpty else { return .nothing }
        let listed = paths.sorted { $0.key < $1.key }.map { ["path": .string($0.key), "operation_types": .array($0.value)] as JSONValue }
        return .json(["__apis": .array(listed)])
    }
}

/// One method on one path of the list. What works on records of any module is listed for each system module, and once
/// under `{{module}}` for the custom ones.
struct AvailableAPI: Sendable {
    let path: String
    let method: HTTPMethod
    let scope: String
    let credits: ClosedRange<Int>
    /// The API name of a system module, or `custom`; `nil` for what is about no module.
    let module: String?

    static let custom = "custom"

    var operation: JSONValue {
        [
            "method": .string(method.rawValue), "oauth_scope": .string(scope), "max_credits": .integer(credits.upperBound),
            "min_credits": .integer(credits.lowerBound),
        ]
    }

    static func list(_ catalog: Catalog) -> [AvailableAPI] {
        let modules = catalog.modules.filter { $0.isSystemRecordModule }
        return allEndpoints.map { declaration($0) }.filter { $0.path.hasPrefix("/crm/") }.flatMap { declaration -> [AvailableAPI] in
            let steps = declaration.path.split(separator: "/").map(String.init)
            guard steps.contains("{module}") else { return [AvailableAPI(declaration, steps, declaration.scope.description, nil)] }
            let scope = declaration.scope.description
            return modules.filter { declaration.modules?($0) ?? true }.map { module in
                AvailableAPI(
                    declaration, steps.map { $0 == "{module}" ? module.apiName : $0 },
                    scope.naming(Scope.moduleName(module.apiName)), module.apiName)
            } + [AvailableAPI(declaration, steps, scope.naming(custom), custom)]
        }
    }

    /// Parameters are written as `{{id}}`.
    private init(_ declaration: Declaration, _ steps: [String], _ scope: String, _ module: String?) {
        path = steps.map { $0.hasPrefix("{") ? "/{\($0)}" : "/\($0)" }.joined()
        method = declaration.method
        credits = declaration.credits
        self.scope = scope
        self.module = module
    }

    private static func declaration<E: Endpoint>(_ endpoint: E.Type) -> Declaration { E.declaration }
}

extension Module {
    fileprivate var isSystemRecordModule: Bool { table != nil && apiSupported && generatedType == "default" }
}

extension String {
    /// A scope text with the module's name in its place.
    fileprivate func naming(_ module: String) -> String {
        split(separator: "{module}", omittingEmptySubsequences: false).joined(separator: module)
    }
}
