import Metadata
import SQLStore
import Wire

/// Records that fit a process enter it when they are written; in it, nothing but its transitions changes their state.
struct BlueprintRule: RecordRule {
    /// The record whose transition is just being carried out.
    private let running: RecordID?
    private var blueprints: [Blueprint] = []
    private var places: [RecordID: BlueprintRecords.Place] = [:]

    init(running: RecordID? = nil) { self.running = running }

    /// The rules of every write, but for the one record that a transition writes.
    static func rules(running: RecordID) -> [any RecordRule] {
        RecordRules.all.map { $0 is BlueprintRule ? BlueprintRule(running: running) : $0 }
    }

    func concerns(_ module: Module) -> Bool { Blueprint.supports(module) }

    func prepared(for changes: [PendingChange], _ scope: WriteScope) throws -> any RecordRule {
        var rule = self
        guard let module = changes.first?.after.module else { return rule }
        rule.blueprints = Blueprint.all(of: module.id, scope.catalog).filter(\.isActive)
        guard !rule.blueprints.isEmpty else { return rule }
        rule.places = try BlueprintRecords.places(of: changes.filter { $0.kind == .update }.map(\.after.id), scope.tx)
        return rule
    }

    /// Contract: mass-update, 201, RECORD_IN_BLUEPRINT; the same for every other way of writing.
    func before(_ change: inout PendingChange, _ scope: WriteScope) throws {
        guard let before = change.before, before.id != running, let place = places[before.id],
            let blueprint = blueprints.first(where: { $0.id == place.blueprint }), let field = change.after.module.field(blueprint.field),
            change.after[field] != before[field], blueprint.leadsOn(before, field)
        else { return }
        throw Rejection(
            .recordInBlueprint, message: "the field is changed by transitions only while the record is in the process", .id(before.id),
            .apiName(field.apiName), .jsonPath(change.path.appending(field.apiName)))
    }

    func after(_ changes: [PendingChange], _ scope: WriteScope) throws {
        guard !blueprints.isEmpty, let module = changes.first?.after.module else { return }
        let written = changes.filter { $0.after.id != running }
        let open = written.map(\.after)
        // A record of another layout goes through its processes no more, nor does one that nothing led on for.
        let strays = written.filter { change in
            guard let place = places[change.after.id], let blueprint = blueprints.first(where: { $0.id == place.blueprint }) else {
                return false
            }
            if change.after["Layout"].integer != blueprint.layout.raw { return true }
            guard let before = change.before, let field = module.field(blueprint.field) else { return false }
            return !blueprint.leadsOn(before, field)
        }.map(\.after.id)
        try BlueprintRecords.remove(strays, scope.tx)
        var free = open.filter { places[$0.id] == nil || strays.contains($0.id) }
        for blueprint in blueprints where !free.isEmpty {
            let entering = try Self.fitting(blueprint, among: free, of: module, scope)
            guard !entering.isEmpty else { continue }
            try BlueprintRecords.add(
                entering.map { ($0.id, .init(blueprint: blueprint.id, at: scope.now)) }, of: module.id, scope.tx)
            try BlueprintClock.set(blueprint, entering, scope)
            let ids = Set(entering.map(\.id))
            free.removeAll { ids.contains($0.id) }
        }
    }

    /// Those of the layout, in a state that something leads out of, that meet the criteria.
    private static func fitting(_ blueprint: Blueprint, among records: [Record], of module: Module, _ scope: WriteScope) throws -> [Record]
    {
        guard let field = module.field(blueprint.field), let table = module.table else { return [] }
        let states = blueprint.openStates
        let candidates = records.filter {
            $0["Layout"].integer == blueprint.layout.raw && states.contains(Blueprint.state(of: $0, field))
        }
        guard !candidates.isEmpty, !blueprint.criteria.isNull else { return candidates }
        let test = KeptCriteria.test(blueprint.criteria, of: module, scope.catalog, for: scope.access.user, at: scope.now)
        let ids = Set(
            try scope.tx.rows("SELECT t.id FROM \(table) t WHERE \(.memberIDs("t.id", candidates.map(\.id.raw))) AND \(test)") {
                $0.integer(0) ?? 0
            })
        return candidates.filter { ids.contains($0.id.raw) }
    }
}
