import Wire

/// An endpoint that does the work of another at a path of its own, such as that of one item beside that of many. Its input reads
/// the path if there is one.
package protocol SameWork: Endpoint where Input == Work.Input {
    associatedtype Work: Endpoint
}

extension SameWork {
    package static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply { try await Work.respond(input, context) }
    package static func load(_ input: Input) -> CallLoad { Work.load(input) }
}

/// An input that may also be read for the one item that a path names, whatever the body says.
package protocol OneOrManyInput: EndpointInput {
    init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection)
}

/// The input of a call for the one item of its path.
package struct One<Many: OneOrManyInput>: EndpointInput {
    package let many: Many
    package init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { many = try Many(one: request, context) }
}

/// An endpoint for the one item of its path, that does the work of the endpoint for many.
package protocol ForOne: Endpoint where Work.Input: OneOrManyInput, Input == One<Work.Input> {
    associatedtype Work: Endpoint
}

extension ForOne {
    package static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await Work.respond(input.many, context)
    }
    package static func load(_ input: Input) -> CallLoad { Work.load(input.many) }
}
