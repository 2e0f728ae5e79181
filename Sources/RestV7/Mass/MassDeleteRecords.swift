import CRMCore
import HTTPShell
import Metadata
import Wire

/// Moves many records to the recycle bin: at once for ids, by a job for a view. Contract: mass-delete, 203.
enum MassDeleteRecords: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/actions/mass_delete", entry: "203", scope: .area("ZohoCRM.mass_delete", ["DELETE"]))

    /// Beyond those of mass update.
    static let more: Set<String> = ["Cases", "Services__s", "Appointments__s"]

    struct Input: EndpointInput {
        let call: MassCall
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            call = try MassCall(
                try MassCall.module(request, context, besides: more, refusal: Rejection(.notSupported)), try request.json(), context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        switch input.call.target {
        case .ids(let ids):
            let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
                try context.access.require(.massDelete, input.call.module)
                return try context.services.records.delete(ids.map { ($0, JSONPath()) }, input.call.module, scope)
            }
            return .items("data", outcomes, saying: "record is deleted")
        case .view(_, let selection):
            let job = try await context.services.write(context.catalog, context.access, .api) { scope in
                try MassDeleteJob.schedule(selection, scope)
            }
            return .items("data", [.success(.success("mass delete scheduled successfully", details: ["job_id": .id(job)]))])
        }
    }
}

/// How far such a job has come. Contract: mass-delete, 204.
enum GetMassDelete: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/actions/mass_delete", entry: "204", scope: .area("ZohoCRM.mass_delete", ["READ"]))

    struct Input: EndpointInput {
        let module: Module
        let job: RecordID?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try MassCall.module(request, context, besides: MassDeleteRecords.more, refusal: Rejection(.notSupported))
            guard let text = request.query("job_id"), !text.isEmpty else { throw .missingParameter("job_id") }
            job = RecordID(text)
        }
    }

    /// An unknown job has no answer: common, §4.
    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let job = try await MassCall.progress(MassDeleteJob.kind, input.module, input.job, context) else { return .nothing }
        return .json([
            "data": [
                [
                    "Status": .string(job.state.word), "Failed_Count": .integer(job.failed), "Deleted_Count": .integer(job.done),
                    "Total_Count": .integer(job.total),
                ]
            ]
        ])
    }
}
