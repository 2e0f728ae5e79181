import CRMCore
import HTTPShell
import Metadata
import Wire

/// One record with every field. Contract: records, 124; merge, §7 for one that went into another.
enum GetRecord: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}", entry: "124",
        also: ["3", "184", "142", "148", "154", "236", "169"],
        scope: .modules(["READ"]))

    struct Input: EndpointInput {
        let module: Module
        let id: RecordID?
        let fields: [Field]?
        let since: Instant?
        let includeMerged: Bool
        /// By id a converted lead is there, unless the caller says otherwise.
        let filter: Condition

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.module(context)
            id = RecordID(request.path["id"] ?? "")
            fields =
                request.query("fields").flatMap { $0.isEmpty ? nil : $0 } == nil
                ? nil : try RecordPage.fields(request.query("fields"), module)
            since = try request.instant(header: "If-Modified-Since")
            includeMerged = request.query("include_merged")?.lowercased() == "true"
            let converted = request.query("converted").flatMap { $0.isEmpty ? nil : $0 }
            filter = try ListFilter.converted(converted ?? "both", module)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let id = input.id else { return .nothing }
        let besides = input.module.apiName == "Notes" && input.fields == nil ? RecordPage.noteKeys : []
        let query = Query(input.module, fields: input.fields, filter: input.filter, limit: 1, constants: besides)
        if let found = try await RecordPage.single(query, id, context) {
            guard let since = input.since else { return found }
            let newer = Query(input.module, fields: [], filter: ListFilter.modified(after: since, input.module), limit: 1)
            return try await RecordPage.single(newer, id, context) == nil ? .notModified : found
        }
        // What went into another record answers like any unknown id, and says where it went to who asks.
        guard let successor = try await context.records.successor(of: id, in: input.module) else { return .nothing }
        if input.includeMerged { return .json(["data": [["id": .id(id), "merged_into": ["id": .id(successor)]]]]) }
        var reply = Reply.nothing
        reply.set("X-Merged-Into", String(successor.raw))
        return reply
    }
}
