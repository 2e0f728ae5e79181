import CRMCore
import Metadata
import Wire

/// The calls of a family of one item, which is an object in answers and bodies (`common.md`, wrappers).
extension ResourceFamily {
    static var singleEndpoints: [any Endpoint.Type] {
        let made: [(ResourceDescriptor.Verb, any Endpoint.Type)] = [
            (.get, GetSingle<Self>.self), (.create, CreateSingle<Self>.self), (.updateOne, UpdateSingle<Self>.self),
        ]
        return made.filter { descriptor.verbs[$0.0] != nil }.map(\.1)
    }

    /// Writes the item, or answers inside the wrapper why not.
    fileprivate static func write(
        _ verb: ResourceDescriptor.Verb, _ item: JSONCursor, status: Int, _ context: RequestContext,
        _ body: @Sendable @escaping (JSONCursor, MetadataScope) throws -> RecordID
    ) async throws -> Reply {
        let results = try await context.services.changeMetadata(by: context.access.user) { scope in
            try scope.each([item]) { try body($0, scope) }
        }
        let name = descriptor.name
        switch results[0] {
        case .success(let id):
            let answer = JSONValue.success(descriptor.messages[verb] ?? "success", details: descriptor.rule.details(id))
            return .json([name: answer], status: status)
        case .failure(let rejection): return .json([name: rejection.result], status: rejection.status)
        }
    }
}

enum GetSingle<Family: ResourceFamily>: Endpoint {
    static var declaration: Declaration { Family.declaration(.get, .get, "READ") }

    struct Input: EndpointInput {
        let store: ResourceStore
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { store = try Family.store(.get, request, context) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let found = input.store.only(context.catalog) else { return .nothing }
        return .json([Family.descriptor.name: input.store.answer(found, single: true, context.catalog)])
    }
}

/// What a call changes of a family of one.
struct SingleBody: Sendable {
    let store: ResourceStore
    let item: JSONCursor

    init(_ family: any ResourceFamily.Type, _ verb: ResourceDescriptor.Verb, _ request: ParsedRequest, _ context: RequestContext)
        throws(Rejection)
    {
        store = try family.changing(verb, request, context)
        item = try request.json().required(family.descriptor.name)
        _ = try item.object()
    }
}

/// Sets the item. One that is there is changed as by an update.
enum CreateSingle<Family: ResourceFamily>: Endpoint {
    static var declaration: Declaration { Family.declaration(.create, .post, "CREATE") }

    struct Input: EndpointInput {
        let body: SingleBody
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            body = try SingleBody(Family.self, .create, request, context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let store = input.body.store
        return try await Family.write(.create, input.body.item, status: 201, context) { item, scope in
            guard let there = store.all(scope.catalog).first else { return try store.create(item, scope) }
            return try store.update(there, item, scope)
        }
    }
}

/// Changes the item. One that nobody has changed yet is stored as it becomes.
enum UpdateSingle<Family: ResourceFamily>: Endpoint {
    static var declaration: Declaration { Family.declaration(.updateOne, .put, "UPDATE") }

    struct Input: EndpointInput {
        let body: SingleBody
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            body = try SingleBody(Family.self, .updateOne, request, context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let store = input.body.store
        return try await Family.write(.updateOne, input.body.item, status: 200, context) { item, scope in
            guard let known = store.only(scope.catalog) else { throw Rejection.invalid(at: item.path.appending("id")) }
            if store.all(scope.catalog).isEmpty { try scope.add([known]) }
            return try store.update(known, item, scope)
        }
    }
}
