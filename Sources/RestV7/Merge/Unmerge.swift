import CRMCore
import HTTPShell
import Metadata
import Wire

/// Takes a merge back. An extension of ours: merge, §10.
enum UnmergeRecords: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/unmerge", entry: "", scope: .modules(["WRITE", "CREATE", "UPDATE"]), credits: 50)

    struct Input: EndpointInput {
        let module: Module
        let master: RecordID
        let journal: RecordID
        let path: JSONPath

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try MergeService.module(request.path["module"] ?? "", context.catalog, context.access)
            master = try request.recordID()
            let given = try request.json().required("journal_id")
            journal = try given.recordID()
            path = given.path
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcome = try await MergeService(context.services).unmerge(
            input.module, master: input.master, journal: input.journal, at: input.path, context.catalog, context.access)
        var details: JSONValue = ["id": .id(input.master), "journal_id": .id(input.journal)]
        for member in outcome.json.members ?? [] { details[member.name] = member.value }
        return .items("unmerge", [.success(.success("The merge has been undone", details: details))])
    }
}

/// The completed merges of a record, with what each did. An extension of ours: merge, §10.
enum ListMergeJournals: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/{module}/{id}/actions/unmerge", entry: "", scope: .modules(["READ"]))

    struct Input: EndpointInput {
        let module: Module
        let master: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try MergeService.module(request.path["module"] ?? "", context.catalog, context.access)
            master = try request.recordID()
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard try await context.records.exists(input.master, in: input.module) else { throw Rejection.invalidPathID(1) }
        let journals = try await MergeService(context.services).journals(of: input.master)
        return journals.isEmpty ? .nothing : .json(["unmerge": .array(journals)])
    }
}
