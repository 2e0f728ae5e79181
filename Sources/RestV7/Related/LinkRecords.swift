import CRMCore
import HTTPShell
import Metadata
import Wire

/// What the calls that join and part records share: a related list with a linking module.
struct LinkPath: Sendable {
    let relation: LinkRelation
    let record: RecordID

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        try self.init(try RelatedPath(request, context), context)
    }

    init(_ path: RelatedPath, _ context: RequestContext) throws(Rejection) {
        guard let relation = LinkRelation(path.list, of: path.module, context.catalog) else { throw RelatedPath.unknownRelation }
        self.relation = relation
        record = path.record
    }

    func join(_ items: [JSONCursor], _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try relation.join(record, with: items, context.services.records, scope)
        }
        return .items(
            "data",
            outcomes.map { outcome in
                outcome.map { id, change in .success(change == .added ? "relation added" : "relation updated", details: ["id": .id(id)]) }
            })
    }

    func part(_ ids: [RecordID], _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try relation.part(record, from: ids, scope)
        }
        return .items("data", outcomes, saying: "relation removed")
    }
}

/// Joins a record with others, or changes what joins them. Contract: related-records, 162.
enum UpdateRelatedRecords: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/{module}/{id}/{related_list}", entry: "162", also: ["176"],
        scope: .modules(["WRITE", "UPDATE"]))

    struct Input: OneOrManyInput {
        let path: LinkPath
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try LinkPath(request, context)
            items = try request.json().items("data")
        }

        init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try LinkPath(request, context)
            let id = try request.recordID("related_id", index: 3)
            items = try request.json().items("data", limit: 1).map { $0.naming(id) }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply { try await input.path.join(input.items, context) }
}

/// Joins a record with one other. Contract: related-records, 162.
enum UpdateRelatedRecord: ForOne {
    typealias Work = UpdateRelatedRecords
    static let declaration = Declaration(
        .put, "/crm/v7/{module}/{id}/{related_list}/{related_id}", entry: "162", scope: .modules(["WRITE", "UPDATE"]))
}

/// Parts a record from others. Contract: related-records, 163.
enum DelinkRecords: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/{module}/{id}/{related_list}", entry: "163", also: ["177"],
        scope: .modules(["WRITE", "DELETE"]))

    struct Input: OneOrManyInput {
        let path: LinkPath
        let ids: [RecordID]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try LinkPath(request, context)
            ids = try request.ids()
        }

        init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try LinkPath(request, context)
            ids = [try request.recordID("related_id", index: 3)]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply { try await input.path.part(input.ids, context) }
}

/// Parts a record from one other. Contract: related-records, 163.
enum DelinkRecord: ForOne {
    typealias Work = DelinkRecords
    static let declaration = Declaration(
        .delete, "/crm/v7/{module}/{id}/{related_list}/{related_id}", entry: "163", scope: .modules(["WRITE", "DELETE"]))
}
