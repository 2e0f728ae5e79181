import CRMCore
import HTTPShell
import Metadata
import Wire

/// Leaves the deletion of many tags of a module to a job. The answer has no wrapper. Contract: tags, 57.
enum MassDeleteTags: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/settings/tags/actions/mass_delete", entry: "57",
        scope: .fixed(["ZohoCRM.settings.tags.DELETE", "ZohoCRM.settings.tags.WRITE"]))

    struct Input: EndpointInput {
        let module: Module
        let tags: [(id: RecordID, path: JSONPath)]

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let items = try request.json().required("mass_delete").elements(1...1)
            let named = try items[0].required("module")
            guard let module = try ModuleReference.read(named, context.catalog), module.table != nil else { throw .invalid(at: named.path) }
            self.module = module
            tags = try JSONCursor.ids(of: items[0].required("tags").elements(1...200))
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let job = try await context.services.write(context.catalog, context.access, .api) { scope in
            try TagMassDeleteJob.schedule(input.tags, of: input.module, scope)
        }
        return .json(.success("tags scheduled successfully", code: "SCHEDULED", details: ["job_id": .id(job)]), status: 202)
    }
}

/// How far that job has come. Contract: tags, 58.
enum GetMassDeleteTags: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/settings/tags/actions/mass_delete", entry: "58", scope: .fixed(["ZohoCRM.settings.tags.READ"]))

    struct Input: EndpointInput {
        let job: RecordID?
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            guard let text = request.query("job_id"), !text.isEmpty else {
                // The page gives this one 401.
                throw Rejection(.requiredParamMissing, status: 401, .parameter("job_id"))
            }
            job = RecordID(text)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let id = input.job, let job = try await context.services.job(id, kind: TagMassDeleteJob.kind) else {
            throw Rejection.invalidParameter("job_id")
        }
        return .json([
            "mass_delete": [
                [
                    "job_id": .id(id), "total_count": .integer(job.total), "failed_count": .integer(job.failed),
                    "deleted_count": .integer(job.done),
                    "status": .string(job.state.word),
                ]
            ]
        ])
    }
}

extension JobProgress.State {
    /// The word of status answers.
    var word: String {
        switch self {
        case .waiting: "SCHEDULED"
        case .running: "RUNNING"
        case .done: "COMPLETED"
        case .failed: "FAILED"
        }
    }
}
