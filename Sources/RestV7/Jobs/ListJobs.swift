import CRMCore
import HTTPShell
import Metadata
import Wire

/// How far every long job has come, for administrators. An extension of ours: the status calls of the API answer one job each.
enum ListJobs: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/__jobs", entry: "", scope: .fixed(["ZohoCRM.settings.jobs.READ"]))

    struct Input: EndpointInput {
        let filter: JobList.Filter
        let kind: String?
        let page: NumberedPage

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try JobAnswers.requireAdministrator(context)
            switch request.query("state") {
            case nil, "": filter = .all
            case "unfinished": filter = .unfinished
            case let name?:
                guard let state = JobProgress.State(rawValue: name) else {
                    throw Rejection(
                        .patternNotMatched, .parameter("state"), .supportedValues(["waiting", "running", "done", "failed", "unfinished"]))
                }
                filter = .states([state])
            }
            kind = request.query("kind").flatMap { $0.isEmpty ? nil : $0 }
            page = try NumberedPage(request)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await JobList(context.services).page(
            input.filter, kind: input.kind, skipping: input.page.skipped, limit: input.page.perPage)
        guard !found.jobs.isEmpty else { return .nothing }
        return .json([
            "jobs": .array(found.jobs.map { JobAnswers.job($0, context) }),
            "info": input.page.info(found.jobs.count, more: found.more),
        ])
    }
}

/// One job of any kind.
enum GetJob: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/__jobs/{id}", entry: "", scope: .fixed(["ZohoCRM.settings.jobs.READ"]))

    struct Input: EndpointInput {
        let id: RecordID
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            try JobAnswers.requireAdministrator(context)
            guard let id = request.path["id"].flatMap({ RecordID($0) }) else { throw .invalidPathID(1) }
            self.id = id
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let found = try await JobList(context.services).page(.one(input.id))
        guard !found.jobs.isEmpty else { return .nothing }
        return .json(["jobs": .array(found.jobs.map { JobAnswers.job($0, context) })])
    }
}

/// What both calls have in common.
enum JobAnswers {
    static func requireAdministrator(_ context: RequestContext) throws(Rejection) {
        guard context.catalog.isAdministrator(context.access.user) else { throw Rejection(.noPermission) }
    }

    static func job(_ job: JobReport, _ context: RequestContext) -> JSONValue {
        func time(_ instant: Instant?) -> JSONValue {
            instant.map { .string($0.iso(offsetMinutes: context.zone.offsetMinutes(at: $0))) } ?? .null
        }
        return [
            "id": .id(job.id), "kind": .string(job.kind), "state": .string(job.state.rawValue),
            "total": job.total.map(JSONValue.integer) ?? .null, "done": .integer(job.done), "failed": .integer(job.failed),
            "percent": job.percent.map(JSONValue.integer) ?? .null, "created_time": time(job.createdAt), "due_time": time(job.dueAt),
            "start_time": time(job.beganAt), "end_time": time(job.finishedAt),
            "estimated_end_time": time(job.estimatedEnd(now: context.now)),
        ]
    }
}
