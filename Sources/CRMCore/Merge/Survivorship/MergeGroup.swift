import Metadata
import SQLStore
import Wire

/// Merges any number of records by a policy: one plan, one transaction, one journal, so that one undo takes it back.
extension MergeService {
    /// More records than a person can look through are no longer one decision.
    package static let groupLimit = 100

    package struct Group: Sendable {
        package let ids: [RecordID]
        /// Where each id stood in the request.
        package let paths: [JSONPath]
        /// Chosen by the policy's rule when not named.
        package let master: RecordID?
        package let policy: SurvivorshipPolicy

        package init(ids: [RecordID], paths: [JSONPath], master: RecordID?, policy: SurvivorshipPolicy) {
            self.ids = ids
            self.paths = paths
            self.master = master
            self.policy = policy
        }
    }

    package func merge(_ group: Group, in module: Module, _ catalog: Catalog, _ access: AccessPolicy) async throws -> Answer {
        try await services.write(catalog, access, .merge) { scope in try Self.perform(group, module, holder: nil, scope) }
    }

    /// All or nothing, inside the caller's transaction. `holder` is the scheduled merge that now runs, if it is one.
    static func perform(_ group: Group, _ module: Module, holder: RecordID?, _ scope: WriteScope) throws -> Answer {
        let plan = try plan(group, module, holder: holder, locked: true, scope)
        let master = plan.request.master.id
        // The master chosen now stays chosen.
        if holder == nil, plan.mustBeScheduled { return try schedule(plan, ["group": group.kept(master: master)], scope) }
        return try scope.tx.pipelined {
            let outcome = try MergeExecutor(plan, scope).run()
            if holder == nil { try MergeJournal.record(plan.request, body: body(of: plan.request), .completed, outcome: outcome, scope) }
            return .merged(master, journal: scope.group, outcome)
        }
    }

    /// What the same group would become.
    package func preview(_ group: Group, in module: Module, _ catalog: Catalog, _ access: AccessPolicy, zone: TimeZoneRule) async throws
        -> MergePreview
    {
        let render = services.render(catalog, zone)
        let now = services.clock()
        let ids = services.ids
        return try await services.database.run(.read) { tx in
            let scope = WriteScope(tx: tx, catalog: catalog.whole, access: access, origin: .merge, now: now, group: ids.next(), ids: ids)
            return try MergePreview(try Self.plan(group, module, holder: nil, locked: false, scope), scope, render)
        }
    }

    private static func plan(_ group: Group, _ module: Module, holder: RecordID?, locked: Bool, _ scope: WriteScope) throws -> MergePlan {
        let request = try request(group, module, holder: holder, locked: locked, scope)
        let survey = MergeSurvey(request: request, scope: scope)
        let survivor = MergePlan.survivor(of: request, scope.catalog)
        return MergePlan.make(
            request, survivor, try survey.found(survivor), countsTogether: true, at: scope.now, by: scope.access.user, scope.catalog)
    }

    private static func request(_ group: Group, _ module: Module, holder: RecordID?, locked: Bool, _ scope: WriteScope) throws
        -> MergeRequest
    {
        let rows = try Planner(scope.catalog, scope.access).rows(
            group.ids, of: module, for: .edit, locked: locked, removing: true, scope.tx)
        let reader = MergeReader(scope.catalog, scope.access, module, holder: holder)
        try scope.access.require(.delete, module)
        var records: [Record] = []
        for (id, path) in zip(group.ids, group.paths) {
            guard let row = rows[id] else { throw rows.refusal(of: id, else: .unknownRecord(at: path)) }
            guard !records.contains(where: { $0.id == id }) else {
                throw Rejection.duplicate(at: path, message: "Similar ID is already given for merging")
            }
            if let message = reader.forbiddingState(row) { throw Rejection.notAllowed(at: path, message: message) }
            records.append(row)
        }
        let related = group.master == nil && group.policy.masterRule == .mostRelated ? try relatedCounts(records, scope) : [:]
        let chosen =
            group.master.flatMap { id in records.first { $0.id == id } }
            ?? Survivorship.master(of: records, group.policy.masterRule, related: related)
        guard let master = chosen else { throw Rejection(.invalidData) }
        let others = records.filter { $0.id != master.id }
        for child in others where !rows.grants(.delete, child.id) {
            throw rows.refusal(of: child.id, .delete, else: Rejection(.invalidData))
        }
        let written = try FieldHistory.lastWritten(records.map(\.id), scope.tx)
        let request = Survivorship(group.policy, master: master, others: others, written: written, access: scope.access).request(
            scope.catalog)
        if locked { _ = try HeldReferences(request.takenLookups).hold(scope) }
        try MergeSurvey(request: request, scope: scope).refuseValues()
        return request
    }

    /// How many rows hang on each record, counted no further than the synchronous limit in each list. Records of the group itself,
    /// which the merge takes away or keeps anyhow, do not count.
    private static func relatedCounts(_ records: [Record], _ scope: WriteScope) throws -> [RecordID: Int] {
        guard let first = records.first else { return [:] }
        let all = MergeRequest(master: first, children: records, sources: [:], values: [:], tagSource: nil)
        let bound = (MergePlan.synchronousLimit + 1) * records.count
        let moves = try MergeSurvey.moves(from: all.succession, of: all.module, upTo: bound, scope)
        return Dictionary(
            uniqueKeysWithValues: records.enumerated().map { index, record in (record.id, moves.reduce(0) { $0 + $1.counts[index] }) })
    }

    /// The journal keeps the group as the merge body it amounts to.
    private static func body(of request: MergeRequest) -> JSONValue {
        let children = request.children.enumerated().map { index, child -> JSONValue in
            let taken = request.module.fields.filter { request.sources[$0.id] == .child(index) }
            return ["id": .id(child.id), "_fields": .array(taken.map { ["api_name": .string($0.apiName)] })]
        }
        return ["data": .array(children)]
    }
}

extension MergeService.Group {
    /// The form in which a scheduled merge keeps a group.
    func kept(master: RecordID) -> JSONValue { ["ids": .array(ids.map { .id($0) }), "master": .id(master), "policy": policy.json] }

    init(kept: JSONValue, for module: Module) throws(Rejection) {
        let ids = (kept["ids"]?.array ?? []).compactMap { $0.looseInt64.map(RecordID.init(raw:)) }
        self.init(
            ids: ids, paths: ids.indices.map { JSONPath().appending("merge_group").appending(0).appending("ids").appending($0) },
            master: kept["master"]?.looseInt64.map(RecordID.init(raw:)),
            policy: try SurvivorshipPolicy(JSONCursor(kept["policy"] ?? [:]), for: module))
    }
}
