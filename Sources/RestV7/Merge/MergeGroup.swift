import CRMCore
import HTTPShell
import Metadata
import Wire

/// Merges a group of any size by a survivorship policy. An extension of ours: merge, §10.
enum MergeRecordGroup: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/actions/merge_group", entry: "", scope: .modules(["WRITE", "CREATE", "UPDATE"]), credits: 50,
        modules: MergeService.supports)

    struct Input: EndpointInput {
        let module: Module
        let group: MergeService.Group
        let dryRun: Bool

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let module = try MergeService.module(request.path["module"] ?? "", context.catalog, context.access)
            self.module = module
            dryRun = request.query("dry_run")?.lowercased() == "true"
            let body = try request.json().required("merge_group").elements(1...1)[0]
            var ids: [RecordID] = []
            var paths: [JSONPath] = []
            for id in try body.required("ids").elements(2...MergeService.groupLimit) {
                ids.append(try id.recordID())
                paths.append(id.path)
            }
            let named = body.optional("master").flatMap { $0.value.isNull ? nil : $0 }
            let master = try named?.recordID()
            if let master, let named, !ids.contains(master) { throw .invalid(at: named.path, message: "the master must be one of the ids") }
            let policy = try StoredPolicies.policy(body.optional("policy"), for: module, context.catalog)
            group = MergeService.Group(ids: ids, paths: paths, master: master, policy: policy)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await MergeAnswers.reply(in: "merge_group") {
            let service = MergeService(context.services)
            if input.dryRun {
                let preview = try await service.preview(input.group, in: input.module, context.catalog, context.access, zone: context.zone)
                return .items("merge_group", [.success(MergeAnswers.preview(preview))])
            }
            switch try await service.merge(input.group, in: input.module, context.catalog, context.access) {
            case .merged(let master, let journal, let outcome):
                let children = input.group.ids.filter { $0 != master }
                let report = MergeReport(master: master, children: children, journal: journal, outcome: outcome)
                return .items("merge_group", [.success(MergeAnswers.merged(report))], success: 201)
            case .scheduled(let master, let job):
                return .items("merge_group", [.success(MergeAnswers.scheduled(job, ["id": .id(master)]))], success: 201)
            }
        }
    }
}

/// How far the scheduled merge of a group has come. An extension of ours: merge, §10.
enum GetMergeGroupStatus: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/actions/merge_group", entry: "", scope: .modules(["READ"]), modules: MergeService.supports)

    struct Input: EndpointInput {
        let module: Module
        let job: RecordID

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try MergeService.module(request.path["module"] ?? "", context.catalog, context.access)
            guard let text = request.query("job_id"), !text.isEmpty else { throw .missingParameter("job_id") }
            // What is no id names no job.
            job = RecordID(text) ?? RecordID(raw: 0)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard
            let found = try await MergeService(context.services).job(
                input.job, of: input.module, context.catalog, context.access)
        else { return .nothing }
        return .json(["merge_group": [["job_id": .id(input.job), "id": .id(found.master), "status": .string(found.state)]]])
    }
}
