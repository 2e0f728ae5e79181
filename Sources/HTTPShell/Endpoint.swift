import Wire

/// What an endpoint takes from a request: all parsing and every check of shape, in the contract's order.
package protocol EndpointInput: Sendable {
    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection)
}

/// One entry of the directory: its declaration, its input, its answer.
package protocol Endpoint: Sendable {
    associatedtype Input: EndpointInput
    static var declaration: Declaration { get }
    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply
    /// What this call uses of the limits. The credits of the declaration, unless the endpoint says otherwise.
    static func load(_ input: Input) -> CallLoad
}

extension Endpoint {
    package static func load(_ input: Input) -> CallLoad { CallLoad(credits: declaration.credits.lowerBound) }
}

/// The input of endpoints that take nothing.
package struct NoInput: EndpointInput {
    package init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {}
}
