import CRMCore
import HTTPShell
import Metadata
import Wire

/// Moves up to 100 records to the recycle bin. Contract: records, 127.
enum DeleteRecords: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/{module}", entry: "127", also: ["145", "151", "157", "172"],
        scope: .modules(["DELETE"])
    )

    struct Input: OneOrManyInput {
        let module: Module
        let ids: [(id: RecordID, path: JSONPath)]

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.writtenModule(context)
            ids = try request.ids().map { ($0, JSONPath()) }
        }

        init(one request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try request.writtenModule(context)
            ids = [(try request.recordID(), JSONPath())]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
            try context.services.records.delete(input.ids, input.module, scope)
        }
        return .items("data", outcomes.map { $0.map(RecordAnswers(context: context).deleted) })
    }
}

/// Moves the record of the path to the recycle bin. Contract: records, 127.
enum DeleteRecord: ForOne {
    typealias Work = DeleteRecords
    static let declaration = Declaration(.delete, "/crm/v7/{module}/{id}", entry: "127", scope: .modules(["DELETE"]))
}
