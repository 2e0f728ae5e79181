import CRMCore
import HTTPShell
import Metadata
import Wire

/// The same values for many records: at once for ids, by a job for a view. Contract: mass-update, 201.
enum MassUpdateRecords: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/actions/mass_update", entry: "201", scope: .area("ZohoCRM.mass_update", ["UPDATE"]))

    struct Input: EndpointInput {
        let update: MassUpdate
        let call: MassCall

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let module = try MassCall.module(request, context, besides: [], refusal: .invalidModule())
            let body = try request.json()
            let overwrites = body.optional("over_write").flatMap { $0.value.isNull ? nil : $0 }
            update = try MassUpdate(
                try body.required("data").elements(1...1)[0], overwrites: try overwrites?.bool() ?? false, module,
                context.catalog, context.access)
            call = try MassCall(module, body, context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        switch input.call.target {
        case .ids(let ids):
            let outcomes = try await context.services.write(context.catalog, context.access, .api) { scope in
                try input.update.apply(to: ids, context.services.records, scope)
            }
            return .items("data", outcomes.map { $0.map(RecordAnswers(context: context).updated) })
        case .view(let view, let selection):
            let job = try await context.services.write(context.catalog, context.access, .api) { scope in
                try MassUpdateJob.schedule(input.update, of: selection, view: view, scope)
            }
            return .items("data", [.success(.success("mass update scheduled successfully", details: ["job_id": .id(job)]))])
        }
    }
}

/// How far such a job has come. Contract: mass-update, 202.
enum GetMassUpdate: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/actions/mass_update", entry: "202", scope: .area("ZohoCRM.mass_update", ["READ"]))

    struct Input: EndpointInput {
        let module: Module
        let job: RecordID?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try MassCall.module(request, context, besides: [], refusal: .invalidModule())
            guard let text = request.query("job_id"), !text.isEmpty else { throw Rejection(.mandatoryNotFound, .parameter("job_id")) }
            job = RecordID(text)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard let job = try await MassCall.progress(MassUpdateJob.kind, input.module, input.job, context) else {
            throw Rejection(.notFound)
        }
        // Records that left the view meanwhile are known when all have been looked at.
        let left = job.state == .done ? max(job.total - job.done - job.failed, 0) : 0
        return .json([
            "data": [
                [
                    "Status": .string(job.state.word), "Failed_Count": .integer(job.failed), "Updated_Count": .integer(job.done),
                    "Not_Updated_Count": .integer(left),
                    "Total_Count": .integer(job.total),
                ]
            ]
        ])
    }
}
