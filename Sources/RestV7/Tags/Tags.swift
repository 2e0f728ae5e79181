import CRMCore
import HTTPShell
import Metadata
import Wire

/// The `module` parameter of tag calls: a module with records.
struct TagModule: Sendable {
    let module: Module

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        module = try ModuleParameter(request, context).module
        guard module.table != nil else { throw Rejection(.invalidModule, .parameter("module")) }
    }
}

/// The tags of a module. Contract: tags, 49.
enum ListTags: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/settings/tags", entry: "49", scope: .fixed(["ZohoCRM.settings.tags.READ"]))

    struct Input: EndpointInput {
        let module: Module
        let mine: Bool
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try TagModule(request, context).module
            mine = request.query("my_tags")?.lowercased() == "true"
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let tags = try await context.records.tags(of: input.module, mine: input.mine)
        return .json([
            "tags": .array(tags.map(TagAnswers(context: context).listed)),
            "info": ["count": .integer(tags.count), "allowed_count": .integer(TagDirectory.limitPerModule)],
        ])
    }
}

/// Adds tags to a module. Contract: tags, 50.
enum CreateTags: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/tags", entry: "50", scope: .fixed(["ZohoCRM.settings.tags.CREATE"]))

    struct Input: EndpointInput {
        let module: Module
        let drafts: [Result<TagDirectory.Draft, Rejection>]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try TagModule(request, context).module
            let everywhere = request.query("color_code").flatMap {
                $0.isEmpty ? nil : JSONCursor(.string($0), at: JSONPath().appending("color_code"))
            }
            drafts = try request.json().items("tags").map { item in
                Result { () throws(Rejection) in
                    let name = try Tag.name(try item.required("name"))
                    return .init(name: name, color: try Tag.color(item.optional("color_code") ?? everywhere), path: item.path)
                }
            }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try TagDirectory.create(input.drafts.compactMap { try? $0.get() }, in: input.module, scope)
        }
        let answers = TagAnswers(context: context)
        return .items(
            "tags", input.drafts.filled(with: outcomes).map { $0.map { answers.written($0, "tags created successfully") } }, success: 201)
    }
}

/// Changes tags of a module. Contract: tags, 51.
enum UpdateTags: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/settings/tags", entry: "51", scope: .fixed(["ZohoCRM.settings.tags.UPDATE"]))

    struct Input: OneOrManyInput {
        let module: Module
        let drafts: [Result<TagDirectory.Draft, Rejection>]

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try TagModule(request, context).module
            drafts = try request.json().items("tags").map { item in Result { () throws(Rejection) in try Self.draft(item, id: nil) } }
        }

        /// One item, with the id its path gives.
        init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try TagModule(request, context).module
            let id = try request.recordID("tag_id", index: 0)
            drafts = try request.json().items("tags", limit: 1).map { item in
                Result { () throws(Rejection) in try Self.draft(item, id: id) }
            }
        }

        private static func draft(_ item: JSONCursor, id: RecordID?) throws(Rejection) -> TagDirectory.Draft {
            var id = id
            if id == nil { id = try item.required("id").recordID() }
            let name = try item.optional("name").map { name throws(Rejection) in try Tag.name(name) }
            return .init(id: id, name: name, color: try Tag.color(item.optional("color_code")), path: item.path)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try TagDirectory.update(input.drafts.compactMap { try? $0.get() }, in: input.module, scope)
        }
        let answers = TagAnswers(context: context)
        return .items("tags", input.drafts.filled(with: outcomes).map { $0.map { answers.written($0, "tags updated successfully") } })
    }
}

/// Changes the tag of the path. Contract: tags, 51.
enum UpdateTag: ForOne {
    typealias Work = UpdateTags
    static let declaration = Declaration(
        .put, "/crm/v7/settings/tags/{tag_id}", entry: "51", scope: .fixed(["ZohoCRM.settings.tags.UPDATE"]))
}

/// Deletes a tag, on records too. The answer's `tags` is an object. Contract: tags, 52.
enum DeleteTag: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/settings/tags/{tag_id}", entry: "52",
        scope: .fixed(["ZohoCRM.settings.tags.DELETE", "ZohoCRM.settings.tags.WRITE"]))

    struct Input: EndpointInput {
        let tag: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { tag = try request.recordID("tag_id", index: 0) }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let gone = try await context.services.write(context.catalog, context.access, .api) { scope in
            try TagDirectory.delete([input.tag], scope)
        }
        guard gone.contains(input.tag) else { throw Rejection.invalidPathID(0) }
        return .json(["tags": .success("tags deleted successfully", details: ["id": .id(input.tag)])])
    }
}

/// Puts one tag into another. Contract: tags, 53.
enum MergeTags: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/tags/{tag_id}/actions/merge", entry: "53", scope: .fixed(["ZohoCRM.settings.tags.CREATE"]))

    struct Input: EndpointInput {
        let tag: RecordID
        let conflict: JSONCursor
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            tag = try request.recordID("tag_id", index: 0)
            conflict = try request.json().items("tags", limit: 1)[0].required("conflict_id")
            _ = try conflict.recordID()
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let tag = try await context.services.write(context.catalog, context.access, .api) { scope in
            try TagDirectory.merge(input.tag, with: input.conflict, scope)
        }
        return .items("tags", [.success(TagAnswers(context: context).merged(tag))])
    }
}

/// How many records carry a tag; a string on the wire. Contract: tags, 56.
enum CountTaggedRecords: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/tags/{tag_id}/actions/records_count", entry: "56", scope: .fixed(["ZohoCRM.settings.tags.READ"]))

    struct Input: EndpointInput {
        let module: Module
        let tag: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try TagModule(request, context).module
            tag = try request.recordID("tag_id", index: 0)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let count = try await context.records.recordCount(tag: input.tag, in: input.module) else { throw Rejection.invalidPathID(0) }
        return .json(["count": .string(String(count))])
    }
}

extension [Result<TagDirectory.Draft, Rejection>] {
    /// Outcomes of those that could be read, put back among those that could not.
    fileprivate func filled(with outcomes: [Result<Tag, Rejection>]) -> [Result<Tag, Rejection>] {
        var rest = outcomes[...]
        return map { read in
            if case .failure(let rejection) = read { return .failure(rejection) }
            return rest.popFirst() ?? .failure(Rejection(.internalError))
        }
    }
}
