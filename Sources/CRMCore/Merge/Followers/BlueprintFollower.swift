import Metadata
import SQLStore
import Wire

/// Blueprints: the processes of the children end with them, the master goes on with its own (`merge.md` §6). Where the survivor's
/// state is another now, it is there from now on, or out of the process when nothing leads on from it.
struct BlueprintFollower: MergeFollower {
    func interest(in request: MergeRequest, _ scope: WriteScope) -> MergeInterest {
        Blueprint.all(of: request.module.id, scope.catalog).isEmpty ? .never : .anyRow(of: "sys_blueprint_record", "record_id")
    }

    /// Places in processes are no related rows: they are not counted.
    func forecast(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {}

    func follow(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        let before = try BlueprintRecords.places(of: request.participants.map(\.id), scope.tx)
        var after: [RecordID: BlueprintRecords.Place] = [:]
        let master = request.master
        if let place = before[master.id] { after[master.id] = try self.place(place, of: master, scope) }
        try BlueprintRecords.remove(before.keys.filter { after[$0] == nil }.sorted(), scope.tx)
        let changed = request.participants.filter { before[$0.id] != after[$0.id] }
        try ChangeLog.append(
            changed.map {
                .init(record: $0, kind: .process, before: before[$0.id]?.json ?? .null, after: after[$0.id]?.json ?? .null)
            }, scope)
    }

    /// The master's place as the survivor's values have it; `nil` when the process is over.
    private func place(_ place: BlueprintRecords.Place, of master: Record, _ scope: WriteScope) throws -> BlueprintRecords.Place? {
        let module = master.module
        let planner = Planner(scope.catalog, .system("the process of a survivor follows its values"))
        let survivor = try planner.rows([master.id], of: module, for: .view, locked: false, scope.tx)[master.id] ?? master
        guard let blueprint = Self.process(of: place, moving: master, to: survivor, scope) else { return place }
        guard Self.leadsOn(blueprint, survivor) else { return nil }
        var moved = BlueprintRecords.Place(blueprint: place.blueprint, at: scope.now)
        moved.enteredAt = place.enteredAt
        try BlueprintRecords.set(moved, of: master.id, scope.tx)
        try BlueprintClock.set(blueprint, [survivor], scope)
        return moved
    }

    /// Whether the merge takes the master out of the process it is in; writes nothing.
    static func ends(_ master: Record, as survivor: Record, _ scope: WriteScope) throws -> Bool {
        guard let place = try BlueprintRecords.places(of: [master.id], scope.tx)[master.id] else { return false }
        return process(of: place, moving: master, to: survivor, scope).map { !leadsOn($0, survivor) } ?? false
    }

    /// The process, where the survivor is in another state of it than the master was.
    private static func process(of place: BlueprintRecords.Place, moving master: Record, to survivor: Record, _ scope: WriteScope)
        -> Blueprint?
    {
        let blueprint = Blueprint.all(of: master.module.id, scope.catalog).first { $0.id == place.blueprint }
        guard let blueprint, let field = master.module.field(blueprint.field),
            Blueprint.state(of: survivor, field) != Blueprint.state(of: master, field)
        else { return nil }
        return blueprint
    }

    private static func leadsOn(_ blueprint: Blueprint, _ survivor: Record) -> Bool {
        survivor.module.field(blueprint.field).map { !blueprint.transitions(from: Blueprint.state(of: survivor, $0)).isEmpty } ?? false
    }

    /// A record that went on, or entered another process, stays where it is.
    func undo(_ merge: UndoneMerge, _ outcome: inout UnmergeOutcome, _ scope: WriteScope) throws {
        let logged = try merge.logged(.process, scope.tx)
        guard !logged.isEmpty else { return }
        let now = try BlueprintRecords.places(of: logged.map(\.record), scope.tx)
        let known = Set(Blueprint.all(of: merge.module.id, scope.catalog).map(\.id))
        var back: [(record: RecordID, place: BlueprintRecords.Place)] = []
        for (record, before, after) in logged {
            guard let former = BlueprintRecords.Place(before), known.contains(former.blueprint),
                now[record] == BlueprintRecords.Place(after)
            else { continue }
            back.append((record, former))
        }
        try BlueprintRecords.remove(back.map(\.record), scope.tx)
        try BlueprintRecords.add(back, of: merge.module.id, scope.tx)
    }
}
