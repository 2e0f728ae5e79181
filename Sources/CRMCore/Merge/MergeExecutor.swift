import Metadata
import SQLStore
import Wire

/// Carries a plan out. Every step is a statement over a set; none loops over related rows. All of it is in the change log
/// under the merge's group, which is what undo reads.
struct MergeExecutor {
    let plan: MergePlan
    let scope: WriteScope
    private var request: MergeRequest { plan.request }

    init(_ plan: MergePlan, _ scope: WriteScope) {
        self.plan = plan
        self.scope = scope
    }

    /// Returns how many rows moved, by module and field.
    func run() throws -> MergeOutcome {
        var outcome = MergeOutcome(warnings: plan.warnings)
        let lists = try buriedSubforms()
        try uniteLinks(lists, &outcome)
        try move(lists, &outcome)
        try ChangeLog.append(request.children.map { .init(record: $0, kind: .mergedAway, after: .id(request.master.id)) }, scope)
        try Graves.bury(request.children, as: .merged, successor: request.master.id, scope)
        try writeSurvivor()
        for follower in MergeFollowers.chosen(plan.followers) { try follower.follow(request, &outcome, scope) }
        return outcome
    }

    /// A list of the plan whose rows move.
    private typealias List = (module: Module, field: Field, table: TableName)

    /// Subform rows that go with their child are buried; what is left moves.
    private func buriedSubforms() throws -> [List] {
        let subforms = MergeSubforms(request, scope.catalog)
        try subforms.buryReplaced(scope)
        return try plan.moves.compactMap { move in
            guard let module = scope.catalog.module(id: move.module), let field = module.field(move.field), let table = module.table else {
                return nil
            }
            if module.isSubform, field.apiName == "Parent_Id" {
                try subforms.bury(of: module, field, heldBy: subforms.losers(of: module.id), scope)
                if subforms.giver(of: module.id) == nil { return nil }
            }
            return (module, field, table)
        }
    }

    /// Most merges meet no link twice: then the rows that would go, logged first, are none, and nothing more is done.
    private func uniteLinks(_ lists: [List], _ outcome: inout MergeOutcome) throws {
        var seen: Set<ModuleID> = []
        let links = lists.filter { seen.insert($0.module.id).inserted }.compactMap { MergeLinks($0.module, request.succession, scope) }
        for (link, dropped) in zip(links, try scope.tx.executeAll(links.map(\.logStatement))) where dropped > 0 {
            try link.fillAndDrop()
            outcome.collisions += dropped
        }
    }

    /// All lists at once; two statements for each.
    private func move(_ lists: [List], _ outcome: inout MergeOutcome) throws {
        let repointing = Repointing(request.succession, scope)
        let counts = try scope.tx.executeAll(lists.flatMap { repointing.statements($0.field, of: $0.module, $0.table) })
        for (index, list) in lists.enumerated() {
            outcome.moved["\(list.module.apiName).\(list.field.apiName)", default: 0] += counts[2 * index + 1]
        }
    }

    /// When the children's unique values are free.
    private func writeSurvivor() throws {
        guard let table = request.module.table else { return }
        try RecordStore.update(plan.survivor, from: request.master, table, scope)
        try SearchIndex.refresh([.init(before: request.master, after: plan.survivor)], scope.tx)
        try ChangeLog.append([.change(from: request.master, to: plan.survivor, kind: .merged)], scope)
        if request.module.apiName == "Deals", plan.survivor["Stage"] != request.master["Stage"] {
            let added = try StageHistoryRule.append([(request.master, plan.survivor)], scope)
            try ChangeLog.append(added.map { .init(record: $0, kind: .addedByMerge) }, scope)
        }
    }
}

/// What a merge did besides making one record of several.
package struct MergeOutcome: Sendable, Equatable {
    /// Rows moved to the master, by `Module.Field`.
    package var moved: [String: Int] = [:]
    /// Link rows dropped because the master had one to the same record.
    package var collisions = 0
    package var warnings: [String] = []

    /// How many rows an undo has to bring back.
    var rows: Int { moved.values.reduce(collisions, +) }

    init(warnings: [String] = []) { self.warnings = warnings }

    /// Back from what `json` wrote.
    init(_ json: JSONValue) {
        for member in json["moved"]?.members ?? [] { moved[member.name] = Int(member.value.int64 ?? 0) }
        collisions = Int(json["collisions"]?.int64 ?? 0)
        warnings = (json["warnings"]?.array ?? []).compactMap(\.string)
    }

    package var json: JSONValue {
        [
            "moved": .object(moved.sorted { $0.key < $1.key }.map { .init($0.key, .integer(Int64($0.value))) }),
            "collisions": .integer(Int64(collisions)),
            "warnings": .array(warnings.map(JSONValue.string)),
        ]
    }
}
