import Metadata
import SQLStore
import Wire

/// What a merge would do, told without doing it: the same checks, the same plan, and the outcome counted instead of made.
package struct MergePreview: Sendable {
    package let master: RecordID
    package let children: [RecordID]
    /// Whether it would run at once or as a job.
    package let scheduled: Bool
    package let outcome: MergeOutcome
    /// The surviving record as the API would show it.
    package let record: JSONValue

    init(_ plan: MergePlan, _ scope: WriteScope, _ render: RenderContext) throws {
        master = plan.request.master.id
        children = plan.request.children.map(\.id)
        scheduled = plan.mustBeScheduled
        let (shown, rows, forecasts) = try Self.asked(plan, scope, render)
        outcome = try Self.outcome(plan, forecasts, scope)
        record = rows.renamed(try SurvivorView(plan, master: shown, outcome, scope, render).json())
    }

    /// The master as it is shown, and what becomes of links; asked together.
    private static func asked(_ plan: MergePlan, _ scope: WriteScope, _ render: RenderContext) throws
        -> (master: [JSONValue], rows: SurvivorRows, links: [ModuleID: MergeLinks.Forecast])
    {
        var seen: Set<ModuleID> = []
        let links = plan.moves.filter { seen.insert($0.module).inserted }.compactMap { move in
            scope.catalog.module(id: move.module).flatMap { MergeLinks($0, plan.request.succession, scope) }.map { (move.module, $0) }
        }
        let master = try SurvivorView.plan([plan.request.master.id], nil, of: plan.request.module, depth: .single, scope)
        let rows = SurvivorRows(plan, master.rows, scope)
        var forecasts: [ModuleID: MergeLinks.Forecast] = [:]
        var shown = SurvivorView.Shown(master, render, rows: try rows.values(render))
        try scope.tx.forEach(of: links.map(\.1.forecastQuestion) + [master.rendered(scope.tx)]) { number, row in
            if number < links.count { forecasts[links[number].0] = links[number].1.forecast(row) } else { shown.take(row) }
        }
        return (try shown.records(), rows, forecasts)
    }

    package var json: JSONValue {
        var json: JSONValue = [
            "id": .id(master), "merged_ids": .array(children.map { .id($0) }), "mode": scheduled ? "scheduled" : "synchronous",
            "record": record,
        ]
        for member in outcome.json.members ?? [] { json[member.name] = member.value }
        return json
    }

    private static func outcome(_ plan: MergePlan, _ links: [ModuleID: MergeLinks.Forecast], _ scope: WriteScope) throws -> MergeOutcome {
        var outcome = MergeOutcome(warnings: plan.warnings)
        let subforms = MergeSubforms(plan.request, scope.catalog)
        outcome.collisions = links.values.reduce(0) { $0 + $1.dropped }
        for move in plan.moves {
            guard let module = scope.catalog.module(id: move.module), let field = module.field(move.field), let table = module.table else {
                continue
            }
            var moved = move.total
            if module.isSubform, field.apiName == "Parent_Id" {
                guard let giver = subforms.giver(of: module.id) else { continue }
                outcome.moved["\(module.apiName).\(field.apiName)", default: 0] += move.counts[giver]
                continue
            }
            if move.counts.contains(where: { $0 > MergePlan.synchronousLimit }) {
                // The survey stops counting at the limit.
                let moving = SuccessionRows(field, plan.request.succession).moving(of: module, alias: "t")
                moved = try scope.tx.first("SELECT count(*) FROM \(table) t WHERE \(moving)") { Int($0.integer(0) ?? 0) } ?? 0
            }
            moved -= links[module.id]?.holding[field.id] ?? 0
            outcome.moved["\(module.apiName).\(field.apiName)", default: 0] += moved
        }
        for follower in MergeFollowers.chosen(plan.followers) { try follower.forecast(plan.request, &outcome, scope) }
        return outcome
    }
}

/// The survivor as JSON: each participant as it is shown, put together as the plan says.
private struct SurvivorView {
    private let plan: MergePlan
    private let shown: [RecordID: JSONValue]
    private let zone: TimeZoneRule
    private let access: AccessPolicy
    private let territories: JSONValue?
    private let leavesProcess: Bool

    /// Records on their way from the engine's rows to JSON.
    struct Shown: ~Copyable {
        private var json = JSONWriter(capacity: 16_384)
        private var writing: RecordReader.Writing

        init(_ plan: QueryPlan, _ render: RenderContext, rows: RowValues = RowValues()) {
            writing = RecordReader.Writing(plan, render, rows: rows)
            json.beginArray()
        }

        mutating func take(_ row: borrowing Row) { writing.take(row, to: &json) }

        consuming func records() throws -> [JSONValue] {
            json.endArray()
            return try JSONValue.parse(json.finish()).array ?? []
        }
    }

    static func plan(
        _ ids: [RecordID], _ fields: [Field]?, of module: Module, depth: Query.Depth = .list, _ scope: WriteScope
    ) throws -> QueryPlan {
        var query = Query(module, fields: fields, filter: .ids(ids), limit: ids.count)
        query.depth = depth
        return try Planner(scope.catalog, scope.access).plan(query)
    }

    /// `master` is that record shown whole; of the children no more is asked than what they give.
    init(_ plan: MergePlan, master: [JSONValue], _ outcome: MergeOutcome, _ scope: WriteScope, _ render: RenderContext) throws {
        let tagsGained = outcome.moved["Tags"] != nil
        self.plan = plan
        zone = render.zone
        access = scope.access
        let request = plan.request
        var wanted = plan.survivor.changedFields(from: request.master).filter { field in
            let columns = plan.survivor.columns(of: field)
            return request.children.contains { $0.columns(of: field).elementsEqual(columns) }
        }
        wanted += request.module.fields.filter { request.files[$0.id] != nil }
        if tagsGained || request.tagSource.map({ $0 != .master }) ?? false, let tag = request.module.field("Tag") { wanted.append(tag) }
        // Whom the survey found nothing for has nothing to say.
        let followers = MergeFollowers.chosen(plan.followers)
        territories = try Self.territories(plan, isAsked: followers.contains { $0 is TerritoryFollower }, scope, render)
        leavesProcess =
            try followers.contains { $0 is BlueprintFollower } && BlueprintFollower.ends(request.master, as: plan.survivor, scope)
        var records = master
        if !wanted.isEmpty {
            let children = try Self.plan(request.children.map(\.id), wanted, of: request.module, scope)
            var given = Shown(children, render)
            try scope.tx.forEach(children.rendered(scope.tx)) { given.take($0) }
            records += try given.records()
        }
        shown = Dictionary(records.map { (RecordID(raw: $0["id"]?.looseInt64 ?? 0), $0) }, uniquingKeysWith: { first, _ in first })
    }

    func json() -> JSONValue {
        let request = plan.request
        var answer = shown[request.master.id] ?? [:]
        for field in plan.survivor.changedFields(from: request.master) where access.right(on: field) != .hidden {
            let columns = Array(plan.survivor.columns(of: field))
            let giver = request.children.first { Array($0.columns(of: field)) == columns }
            answer[field.apiName] = giver.flatMap { shown[$0.id]?[field.apiName] } ?? scalar(plan.survivor[field], field)
        }
        if answer["Tag"] != nil { answer["Tag"] = shownTags() }
        let places = request.module.fields.first { $0.type.cell == .territories }?.apiName
        if let places, let territories, answer[places] != nil { answer[places] = territories }
        if leavesProcess, answer["$process_flow"] != nil { answer["$process_flow"] = false }
        for field in request.module.fields {
            guard access.right(on: field) != .hidden, let ids = request.files[field.id] else { continue }
            let files = request.participants.flatMap { shown[$0.id]?[field.apiName]?.array ?? [] }
            let chosen = ids.compactMap { id in files.first { $0["id"]?.looseInt64 == id.raw } }
            answer[field.apiName] = chosen.isEmpty ? .null : .array(chosen)
        }
        return answer
    }

    /// Where the survivor will stand, as it will be shown; `nil` where there are no territories. Not `isAsked`: nobody stands in any.
    private static func territories(_ plan: MergePlan, isAsked: Bool, _ scope: WriteScope, _ render: RenderContext) throws -> JSONValue? {
        guard scope.catalog.territories.top != nil, TerritorySetup.supports(plan.request.module) else { return nil }
        guard isAsked else { return [] }
        let places = try TerritoryFollower.foretold(plan.survivor, of: plan.request, scope)
        return try TerritoryValueWriter.shown(places, render)
    }

    /// The tags that stay, as the participants that carry them show them.
    private func shownTags() -> JSONValue {
        let request = plan.request
        let all = Dictionary(uniqueKeysWithValues: request.participants.map { ($0.id, shown[$0.id]?["Tag"]?.array ?? []) })
        let stays = TagFollower.remaining(all.mapValues { $0.compactMap { $0["id"]?.looseInt64 } }, request)
        let named = request.participants.flatMap { all[$0.id] ?? [] }
        return .array(stays.compactMap { id in named.first { $0["id"]?.looseInt64 == id } })
    }

    /// A value no participant has: computed ones are plain.
    private func scalar(_ value: SQLValue, _ field: Field) -> JSONValue {
        guard field.plainType.cell == .instant, let milliseconds = value.integer else { return value.json }
        let instant = Instant(milliseconds: milliseconds)
        return .string(instant.iso(offsetMinutes: zone.offsetMinutes(at: instant)))
    }
}
