import CRMCore
import HTTPShell
import Metadata
import Wire

/// An endpoint whose records may also be named by external values: with the header X-EXTERNAL ids are put in their place before
/// the endpoint reads anything. Contract: records-using-external-id and related-records-using-external-id.
enum ResolvingExternal<Inner: Endpoint>: Endpoint {
    static var declaration: Declaration { Inner.declaration }

    enum Input: EndpointInput {
        case plain(Inner.Input)
        case external(ParsedRequest, header: String)

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            if let header = request.header("X-EXTERNAL"), !header.isEmpty {
                self = .external(request, header: header)
            } else {
                self = .plain(try Inner.Input(request, context))
            }
        }
    }

    static func load(_ input: Input) -> CallLoad {
        switch input {
        case .plain(let input): Inner.load(input)
        // What it holds is not read yet; it is asked when it is.
        case .external: CallLoad(credits: declaration.credits.lowerBound)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        switch input {
        case .plain(let input): return try await Inner.respond(input, context)
        case .external(let request, let header):
            let resolved = try await ExternalRequest(request, pattern: declaration.path, header, context).resolved()
            let input = try Inner.Input(resolved.request, context)
            try context.meter?.bear(Inner.load(input))
            let reply = try await Inner.respond(input, context)
            return request.method == .get ? reply : resolved.names.complete(reply)
        }
    }
}

/// The endpoint, able to resolve external values.
func resolvingExternal(_ endpoint: any Endpoint.Type) -> any Endpoint.Type {
    func wrap<E: Endpoint>(_ endpoint: E.Type) -> any Endpoint.Type { ResolvingExternal<E>.self }
    return wrap(endpoint)
}
