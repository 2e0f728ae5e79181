import CRMCore
import Metadata
import Wire

/// A settings family. Its endpoints are made of its descriptor.
package protocol ResourceFamily: Sendable {
    static var descriptor: ResourceDescriptor { get }
}

extension ResourceFamily {
    /// One endpoint for each verb.
    package static var endpoints: [any Endpoint.Type] {
        if descriptor.isSingle { return singleEndpoints }
        let made: [(ResourceDescriptor.Verb, any Endpoint.Type)] = [
            (.list, ListItems<Self>.self), (.get, GetItem<Self>.self), (.create, CreateItems<Self>.self),
            (.updateMany, UpdateItems<Self>.self),
            (.updateOne, UpdateItem<Self>.self), (.deleteMany, DeleteItems<Self>.self), (.deleteOne, DeleteItem<Self>.self),
        ]
        return made.filter { descriptor.verbs[$0.0] != nil }.map(\.1)
    }

    static func declaration(_ verb: ResourceDescriptor.Verb, _ method: HTTPMethod, _ operation: String) -> Declaration {
        let descriptor = descriptor
        let single = [.get, .updateOne, .deleteOne].contains(verb) && !descriptor.isSingle
        return Declaration(
            method, single ? descriptor.path + "/{item}" : descriptor.path, entry: descriptor.verbs[verb] ?? "",
            scope: .fixed(["\(descriptor.scope).\(operation)"]))
    }

    static func store(_ verb: ResourceDescriptor.Verb, _ request: ParsedRequest, _ context: RequestContext) throws(Rejection)
        -> ResourceStore
    {
        ResourceStore(descriptor: descriptor, place: try descriptor.rule.place(request, verb, context))
    }

    /// A change needs the profile's right.
    static func changing(_ verb: ResourceDescriptor.Verb, _ request: ParsedRequest, _ context: RequestContext) throws(Rejection)
        -> ResourceStore
    {
        let store = try store(verb, request, context)
        if let permission = descriptor.permission { try context.access.require(permission: permission) }
        return store
    }

    fileprivate static func reply(_ verb: ResourceDescriptor.Verb, _ results: [Result<RecordID, Rejection>], status: Int = 200) -> Reply {
        let message = descriptor.messages[verb] ?? "success"
        return .items(descriptor.name, results, saying: message, success: status)
    }
}

enum ListItems<Family: ResourceFamily>: Endpoint {
    static var declaration: Declaration { Family.declaration(.list, .get, "READ") }

    struct Input: EndpointInput {
        let store: ResourceStore
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { store = try Family.store(.list, request, context) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let items = input.store.all(context.catalog).map { input.store.answer($0, single: false, context.catalog) }
        let page = Family.descriptor.rule.page(items, input.store.place, context.catalog)
        return page.items.isEmpty ? .nothing : .json(.object(Self.members(page)))
    }
}

extension ListItems {
    /// What stands beside the items comes before them, but for the page's own account.
    private static func members(_ page: (items: [JSONValue], more: [JSONValue.Member])) -> [JSONValue.Member] {
        let items = JSONValue.Member(Family.descriptor.name, .array(page.items))
        return page.more.filter { $0.name != "info" } + [items] + page.more.filter { $0.name == "info" }
    }
}

enum GetItem<Family: ResourceFamily>: Endpoint {
    static var declaration: Declaration { Family.declaration(.get, .get, "READ") }

    struct Input: EndpointInput {
        let store: ResourceStore
        let name: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            store = try Family.store(.get, request, context)
            name = request.path["item"] ?? ""
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let found = input.store.find(input.name, context.catalog) else { return .nothing }
        return .json(.object([.init(Family.descriptor.name, .array([input.store.answer(found, single: true, context.catalog)]))]))
    }
}

enum CreateItems<Family: ResourceFamily>: Endpoint {
    static var declaration: Declaration { Family.declaration(.create, .post, "CREATE") }

    struct Input: EndpointInput {
        let store: ResourceStore
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            store = try Family.changing(.create, request, context)
            items = try request.json().resources(Family.descriptor)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach(input.items) { item, scope in
            try input.store.create(item, scope)
        }
        return Family.reply(.create, results, status: 201)
    }
}

/// Changes the items that the body names by id.
enum UpdateItems<Family: ResourceFamily>: Endpoint {
    static var declaration: Declaration { Family.declaration(.updateMany, Family.descriptor.updateMethod, "UPDATE") }

    struct Input: EndpointInput {
        let store: ResourceStore
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            store = try Family.changing(.updateMany, request, context)
            items = try request.json().resources(Family.descriptor)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach(input.items) { item, scope in
            let id = try item.required("id")
            let wanted = try id.recordID()
            guard let document = input.store.find(wanted.description, scope.catalog) else { throw Rejection.invalid(at: id.path) }
            return try input.store.update(document, item, scope)
        }
        return Family.reply(.updateMany, results)
    }
}

/// Changes the item of the path.
enum UpdateItem<Family: ResourceFamily>: Endpoint {
    static var declaration: Declaration { Family.declaration(.updateOne, Family.descriptor.updateMethod, "UPDATE") }

    struct Input: EndpointInput {
        let store: ResourceStore
        let name: String
        let item: JSONCursor
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            store = try Family.changing(.updateOne, request, context)
            name = request.path["item"] ?? ""
            item = try request.json().resources(Family.descriptor, limit: 1)[0]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach([input.item]) { item, scope in
            guard let document = input.store.find(input.name, scope.catalog) else { throw Rejection.unknownItem }
            return try input.store.update(document, item, scope)
        }
        return Family.reply(.updateOne, results)
    }
}

/// Deletes the items whose ids a parameter lists.
enum DeleteItems<Family: ResourceFamily>: Endpoint {
    static var declaration: Declaration { Family.declaration(.deleteMany, .delete, "DELETE") }

    struct Input: EndpointInput {
        let store: ResourceStore
        let ids: [RecordID]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            store = try Family.changing(.deleteMany, request, context)
            ids = try request.ids(limit: Family.descriptor.perCall)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach(input.ids) { id, scope in
            guard let document = input.store.find(id.description, scope.catalog) else { throw Rejection(.invalidData, .id(id)) }
            return try input.store.delete(document, scope)
        }
        return Family.reply(.deleteMany, results)
    }
}

/// Deletes the item of the path.
enum DeleteItem<Family: ResourceFamily>: Endpoint {
    static var declaration: Declaration { Family.declaration(.deleteOne, .delete, "DELETE") }

    struct Input: EndpointInput {
        let store: ResourceStore
        let name: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            store = try Family.changing(.deleteOne, request, context)
            name = request.path["item"] ?? ""
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let results = try await context.changeEach([input.name]) { name, scope in
            guard let document = input.store.find(name, scope.catalog) else { throw Rejection.unknownItem }
            return try input.store.delete(document, scope)
        }
        return Family.reply(.deleteOne, results)
    }
}

extension ResourceDescriptor {
    /// Families with global picklists' manners change by PATCH, all others by PUT.
    fileprivate var updateMethod: HTTPMethod { kind == .globalPicklist ? .patch : .put }
}

extension JSONCursor {
    /// The items of a body, one up to the family's number for each call.
    fileprivate func resources(_ descriptor: ResourceDescriptor, limit: Int? = nil) throws(Rejection) -> [JSONCursor] {
        let array = try required(descriptor.name)
        let items = try array.elements()
        let limit = limit ?? descriptor.perCall
        if items.isEmpty { throw .tooShort(1, at: array.path) }
        guard items.count <= limit else { throw .tooLong(limit, at: array.path) }
        return items
    }
}

extension Rejection {
    /// The path names no item of the family; the segment after the collection's.
    package static var unknownItem: Rejection {
        Rejection(.invalidData, message: "the id given seems to be invalid", .resourcePathIndex(0))
    }
}
