import Metadata
import SQLStore
import Wire

/// Merges records: reads the request, surveys, plans, and either carries the plan out or leaves it to a job.
package struct MergeService: Sendable {
    package enum Answer: Sendable {
        case merged(RecordID, journal: RecordID, MergeOutcome)
        case scheduled(RecordID, job: RecordID)

        /// The form in which an answer is kept under an idempotency key.
        var kept: JSONValue {
            switch self {
            case .merged(let master, let journal, let outcome): ["master": .id(master), "journal": .id(journal), "outcome": outcome.json]
            case .scheduled(let master, let job): ["master": .id(master), "job": .id(job)]
            }
        }

        init(kept: JSONValue) {
            func id(_ name: String) -> RecordID? { kept[name]?.looseInt64.map(RecordID.init(raw:)) }
            if let job = id("job") {
                self = .scheduled(id("master") ?? RecordID(raw: 0), job: job)
                return
            }
            self = .merged(
                id("master") ?? RecordID(raw: 0), journal: id("journal") ?? RecordID(raw: 0), MergeOutcome(kept["outcome"] ?? [:]))
        }
    }

    /// The modules of `merge.md` §1, besides every custom one.
    private static let standardModules: Set<String> = ["Leads", "Contacts", "Accounts", "Deals", "Vendors"]

    package static func supports(_ module: Module) -> Bool {
        module.table != nil && (standardModules.contains(module.apiName) || module.generatedType == "custom")
    }

    package let services: Services

    package init(_ services: Services) { self.services = services }

    /// The module of a merge path, or the refusal of rule 1; then the right to merge, rule 34.
    package static func module(_ name: String, _ catalog: Catalog, _ access: AccessPolicy) throws(Rejection) -> Module {
        guard let module = catalog.module(name), supports(module) else { throw .invalidModule() }
        try access.require(.merge, module)
        return module
    }

    /// With a key, the first answer is given again; `repeated` tells that it was.
    package func merge(
        _ module: Module, master: RecordID, _ body: JSONCursor, key: IdempotencyKey? = nil, _ catalog: Catalog, _ access: AccessPolicy
    ) async throws -> (answer: Answer, repeated: Bool) {
        let module = module.whole
        let object = try MergeReader.mergeObject(body)
        return try await services.write(catalog, access, .merge) { scope in
            if let key, let kept = try IdempotencyKeys.begin(key, scope) { return (Answer(kept: kept), true) }
            let answer = try Self.perform(object, module, master: master, holder: nil, scope)
            if let key { try IdempotencyKeys.keep(answer.kept, under: key, scope) }
            return (answer, false)
        }
    }

    /// What the same request would do. Runs in a read transaction: it cannot write.
    package func preview(
        _ module: Module, master: RecordID, _ body: JSONCursor, _ catalog: Catalog, _ access: AccessPolicy, zone: TimeZoneRule
    ) async throws -> MergePreview {
        let module = module.whole
        let object = try MergeReader.mergeObject(body)
        let render = services.render(catalog, zone)
        let now = services.clock()
        let ids = services.ids
        return try await services.database.run(.read) { tx in
            let scope = WriteScope(tx: tx, catalog: catalog.whole, access: access, origin: .merge, now: now, group: ids.next(), ids: ids)
            return try MergePreview(try Self.plan(object, module, master: master, holder: nil, locked: false, scope), scope, render)
        }
    }

    /// The scheduled merges of a master, newest first.
    package func jobs(of master: RecordID, only job: RecordID?) async throws -> [(id: RecordID, state: String)] {
        try await services.database.run(.read) { tx in try MergeJournal.jobs(of: master, only: job, tx) }
    }

    /// A scheduled merge of a module by its job, where the caller sees its survivor.
    package func job(_ id: RecordID, of module: Module, _ catalog: Catalog, _ access: AccessPolicy) async throws
        -> (master: RecordID, state: String)?
    {
        try await services.database.run(.read) { tx in
            guard let found = try MergeJournal.job(id, of: module.id, tx) else { return nil }
            return try Self.sees(found.master, in: module, catalog, access, tx) ? found : nil
        }
    }

    /// All or nothing, inside the caller's transaction. `holder` is the scheduled merge that now runs, if it is one.
    static func perform(_ object: JSONCursor, _ module: Module, master: RecordID, holder: RecordID?, _ scope: WriteScope) throws -> Answer {
        let plan = try plan(object, module, master: master, holder: holder, scope)
        if holder == nil, plan.mustBeScheduled { return try schedule(plan, object.value, scope) }
        return try scope.tx.pipelined {
            let outcome = try MergeExecutor(plan, scope).run()
            if holder == nil { try MergeJournal.record(plan.request, body: object.value, .completed, outcome: outcome, scope) }
            return .merged(master, journal: scope.group, outcome)
        }
    }

    /// Every check, every count, no write.
    private static func plan(
        _ object: JSONCursor, _ module: Module, master: RecordID, holder: RecordID?, locked: Bool = true, _ scope: WriteScope
    ) throws -> MergePlan {
        let ids = [master] + MergeReader.childIDs(object)
        let rows = try Planner(scope.catalog, scope.access).rows(ids, of: module, for: .edit, locked: locked, removing: true, scope.tx)
        let files = MergeReader.namesFiles(object, module) ? try FieldFiles.held(by: ids, scope.tx) : [:]
        let request = try MergeReader(scope.catalog, scope.access, module, holder: holder).read(
            object, master: master, rows: rows, files: files)
        if locked { _ = try HeldReferences(request.takenLookups).hold(scope) }
        let survey = MergeSurvey(request: request, scope: scope)
        try survey.refuseValues()
        let survivor = MergePlan.survivor(of: request, scope.catalog)
        return MergePlan.make(request, survivor, try survey.found(survivor), at: scope.now, by: scope.access.user, scope.catalog)
    }

    /// Holds the records and leaves the work to a job; both or neither.
    static func schedule(_ plan: MergePlan, _ body: JSONValue, _ scope: WriteScope) throws -> Answer {
        try HeldWork.hold(plan.request.participants, scope)
        try MergeJournal.record(plan.request, body: body, .scheduled, outcome: nil, scope)
        try JobQueue.enqueue(MergeJob.kind, ["merge": .id(scope.group)], id: scope.group, at: scope.now, scope.tx)
        return .scheduled(plan.request.master.id, job: scope.group)
    }
}
