import CRMCore
import HTTPShell
import Metadata
import Wire

/// Either scope will do for looking at a job; one of a module only for jobs about that module.
enum BulkReadScope {
    static let rule = ScopeRule.any([.fixed(["ZohoCRM.bulk.READ"]), .modules(["READ"])])

    static func check(_ job: BulkJob, _ context: RequestContext) throws(Rejection) {
        if let bulk = Scope("ZohoCRM.bulk.READ"), context.scopes.covers(bulk) { return }
        guard let module = context.catalog.module(id: BulkReadRequest(kept: job.request).module) else { throw .scopeMismatch }
        try context.requireScope(["READ"], on: module)
    }
}

/// The id of a job in a path. One that is none names nothing.
struct BulkJobPath: EndpointInput {
    let id: RecordID

    init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
        guard let id = RecordID(request.path["job_id"] ?? "") else { throw .noBulkJob }
        self.id = id
    }
}

extension Rejection {
    static var noBulkJob: Rejection { Rejection(.resourceNotFound, message: "The requested resource doesn't exist.") }
}

/// How far an export has come. Contract: bulk-read, 250.
enum GetBulkRead: Endpoint {
    static let declaration = Declaration(.get, "/crm/bulk/v7/read/{job_id}", entry: "250", scope: BulkReadScope.rule)

    typealias Input = BulkJobPath

    static func respond(_ input: BulkJobPath, _ context: RequestContext) async throws -> Reply {
        guard let job = try await context.services.bulkJob(input.id, of: context.access.user), job.operation == .read else {
            throw Rejection.noBulkJob
        }
        try BulkReadScope.check(job, context)
        return .json(BulkReadDetails.body(job, context.catalog))
    }
}

/// The zip an export has made. Contract: bulk-read, 251.
enum DownloadBulkRead: Endpoint {
    static let declaration = Declaration(.get, "/crm/bulk/v7/read/{job_id}/result", entry: "251", scope: BulkReadScope.rule)

    typealias Input = BulkJobPath

    static func respond(_ input: BulkJobPath, _ context: RequestContext) async throws -> Reply {
        guard let job = try await context.services.bulkJob(input.id, of: context.access.user), job.operation == .read,
            let result = job.result, let file = try await context.services.files.file(result)
        else { throw Rejection.noBulkJob }
        try BulkReadScope.check(job, context)
        guard try await context.services.mayDownload(job) else { throw Rejection(.tooManyRequests) }
        return .file(file, context.services.files)
    }
}
