import CRMCore
import HTTPShell
import Metadata
import Wire

/// Makes one record of up to three. Contract: merge, §1 to §8; merge-records, 178.
enum MergeRecords: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/{module}/{id}/actions/merge", entry: "178", scope: .modules(["WRITE", "CREATE", "UPDATE"]), credits: 50,
        scopeMessage: "Unauthorized", modules: MergeService.supports)

    struct Input: EndpointInput {
        let module: Module
        let master: RecordID
        let body: JSONCursor
        /// Ours: tell what would happen, or what happened, beyond what the contract answers (`merge.md` §10).
        let dryRun: Bool
        let verbose: Bool
        let key: IdempotencyKey?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            dryRun = request.query("dry_run")?.lowercased() == "true"
            verbose = request.query("verbose")?.lowercased() == "true"
            module = try MergeService.module(request.path["module"] ?? "", context.catalog, context.access)
            body = try request.json()
            key = try Self.key(request, module)
            // What is no id names no record; that is refused after the outer shape of the body.
            master = RecordID(request.path["id"] ?? "") ?? RecordID(raw: 0)
        }

        /// The header `Idempotency-Key` (`merge.md` §8), together with what is asked under it.
        private static func key(_ request: ParsedRequest, _ module: Module) throws(Rejection) -> IdempotencyKey? {
            guard let text = request.header("Idempotency-Key") else { return nil }
            let length = text.utf8.count
            guard (1...IdempotencyKey.maximumLength).contains(length), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw Rejection(
                    .invalidData, .other("header", "Idempotency-Key"), .minimumLength(1), .maximumLength(IdempotencyKey.maximumLength))
            }
            return IdempotencyKey(text, request: Array("merge \(module.id.raw) \(request.path["id"] ?? "") ".utf8) + request.body)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await MergeAnswers.reply(in: "merge") {
            input.dryRun ? try await preview(input, context) : try await merge(input, context)
        }
    }

    private static func merge(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let (answer, repeated) = try await MergeService(context.services).merge(
            input.module, master: input.master, input.body, key: input.key, context.catalog, context.access)
        var reply = try reply(to: answer, input)
        if repeated { reply.set("Idempotency-Replayed", "true") }
        return reply
    }

    private static func reply(to answer: MergeService.Answer, _ input: Input) throws -> Reply {
        switch answer {
        case .merged(let id, let journal, let outcome):
            let children = MergeReader.childIDs(try MergeReader.mergeObject(input.body))
            let report = MergeReport(master: id, children: children, journal: journal, outcome: outcome)
            let plain = JSONValue.success("The records have been merged successfully", details: ["id": .id(id)])
            return .items("merge", [.success(input.verbose ? MergeAnswers.merged(report) : plain)], success: 201)
        case .scheduled(_, let job): return .items("merge", [.success(MergeAnswers.scheduled(job))], success: 201)
        }
    }

    private static func preview(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let preview = try await MergeService(context.services).preview(
            input.module, master: input.master, input.body, context.catalog, context.access, zone: context.zone)
        return .items("merge", [.success(MergeAnswers.preview(preview))])
    }
}

/// The scheduled merges of a master. Contract: merge, §2; merge-records, 179.
enum GetMergeStatus: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/{module}/{id}/actions/merge", entry: "179", scope: .modules(["READ"]), scopeMessage: "Unauthorized",
        modules: MergeService.supports)

    struct Input: EndpointInput {
        let module: Module
        let master: RecordID
        /// `nil` when absent; an id that names no job finds none.
        let job: RecordID?

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            module = try MergeService.module(request.path["module"] ?? "", context.catalog, context.access)
            guard let master = RecordID(request.path["id"] ?? "") else {
                throw Rejection(.invalidData, message: "Specified master record ID is invalid", .resourcePathIndex(1))
            }
            self.master = master
            let text = request.query("job_id").flatMap { $0.isEmpty ? nil : $0 }
            job = text.map { RecordID($0) ?? RecordID(raw: 0) }
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        guard try await context.records.exists(input.master, in: input.module) else {
            throw Rejection(.invalidData, message: "Specified master record ID is invalid", .resourcePathIndex(1))
        }
        let jobs = try await MergeService(context.services).jobs(of: input.master, only: input.job)
            .map { ["job_id": .id($0.id), "status": .string($0.state)] as JSONValue }
        return jobs.isEmpty ? .nothing : .json(["merge": .array(jobs)])
    }
}
