import CRMCore
import HTTPShell
import Metadata
import Wire

/// Takes a merge back. An extension of ours: merge, §10.
enum UnmergeRecords: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/unmerge", entry: "", scope: .modules(["WRITE", "CREATE", "UPDATE"]), credits: 50,
        modules: MergeService.supports)

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
        let answer = try await MergeService(context.services).unmerge(
            input.module, master: input.master, journal: input.journal, at: input.path, context.catalog, context.access)
        var details: JSONValue = ["id": .id(input.master), "journal_id": .id(input.journal)]
        switch answer {
        case .undone(let outcome):
            for member in outcome.json.members ?? [] { details[member.name] = member.value }
            return .items("unmerge", [.success(.success("The merge has been undone", details: details))])
        case .scheduled(let job):
            let result = MergeAnswers.scheduled(job, details, message: "The undo of the merge has been scheduled")
            return .items("unmerge", [.success(result)], success: 201)
        }
    }
}

/// The completed merges of a record, with what each did; with `job_id`, how far a scheduled undo has come. An extension of ours: merge, §10.
enum ListMergeJournals: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/actions/unmerge", entry: "", scope: .modules(["READ"]), modules: MergeService.supports)

    struct Input: EndpointInput {
        let module: Module
        let master: RecordID
        /// `nil` when absent; an id that names no job finds none.
        let job: RecordID?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try MergeService.module(request.path["module"] ?? "", context.catalog, context.access)
            master = try request.recordID()
            let text = request.query("job_id").flatMap { $0.isEmpty ? nil : $0 }
            job = text.map { RecordID($0) ?? RecordID(raw: 0) }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard try await context.records.exists(input.master, in: input.module) else { throw Rejection.invalidPathID(1) }
        let service = MergeService(context.services)
        if let job = input.job {
            let jobs = try await service.undoJobs(of: input.master, only: job)
            return jobs.isEmpty ? .nothing : .json(["unmerge": .array(jobs)])
        }
        let journals = try await service.journals(of: input.master)
        return journals.isEmpty ? .nothing : .json(["unmerge": .array(journals)])
    }
}
