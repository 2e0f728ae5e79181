import Metadata
import SQLStore
import Wire

extension RecordTerritories {
    /// Brings the places that people gave merged records together at the master (`merge.md` §6), its own first and cut at the
    /// limit; criteria are asked again of what the master has become. The change log keeps what each record had. Returns how
    /// many places the master gained from its children.
    static func merge(_ request: MergeRequest, _ scope: WriteScope) throws -> Int {
        guard TerritorySetup.supports(request.module) else { return 0 }
        let ids = request.participants.map(\.id)
        let before = try held(by: ids, scope.tx)
        let rules = TerritoryRules(request.module, scope)
        if before.isEmpty, rules?.isEmpty ?? true { return 0 }
        let master = request.master.id
        let gained = gained(before, request)
        try remove(request.children.flatMap { child in (before[child.id] ?? []).map { (child.id, $0.territory) } }, scope.tx)
        try add(gained.map { (master, $0) }, of: request.module.id, scope.tx)
        try rules?.apply(to: [master])
        let after = try held(by: ids, scope.tx)
        try ChangeLog.append(
            ids.filter { Set(before[$0] ?? []) != Set(after[$0] ?? []) }.map { id in
                .init(request.module.id, id, .territories, before: json(before[id] ?? []), after: json(after[id] ?? []))
            }, scope)
        return gained.count
    }

    /// How many places `merge` would give the master; writes nothing.
    static func forecast(_ request: MergeRequest, _ scope: WriteScope) throws -> Int {
        guard TerritorySetup.supports(request.module) else { return 0 }
        return gained(try held(by: request.participants.map(\.id), scope.tx), request).count
    }

    private static func gained(_ held: [RecordID: [Assignment]], _ request: MergeRequest) -> [Assignment] {
        var taken = Set((held[request.master.id] ?? []).map(\.territory))
        let limit = TerritorySetup.limits[request.module.apiName] ?? 0
        var gained: [Assignment] = []
        for place in request.children.flatMap({ held[$0.id] ?? [] }) where place.manual && taken.count < limit {
            if taken.insert(place.territory).inserted { gained.append(place) }
        }
        return gained
    }

    /// Puts back what a merge took. A record that stands elsewhere by now loses only what the merge gave it, and gets back only
    /// what the merge took.
    static func undo(_ merge: RecordID, of module: Module, _ scope: WriteScope) throws {
        let logged = try scope.tx.rows(
            "SELECT record_id, before, after FROM sys_change WHERE group_id = \(merge) AND kind = \(.text(ChangeLog.Kind.territories.rawValue))"
        ) { row in
            (RecordID(raw: row.integer(0) ?? 0), try JSONValue.parse(row.text(1) ?? "[]"), try JSONValue.parse(row.text(2) ?? "[]"))
        }
        guard !logged.isEmpty else { return }
        let held = try held(by: logged.map(\.0), scope.tx)
        // At most the records of one merge.
        for (record, before, after) in logged {
            let was = (before.array ?? []).compactMap(Assignment.init)
            let became = Set((after.array ?? []).compactMap(Assignment.init))
            let now = held[record] ?? []
            let lost = was.filter { place in !became.contains(place) && !now.contains { $0.territory == place.territory } }
            let kept = now.filter { !became.contains($0) || was.contains($0) }
            try replace(Set(now) == became ? was : kept + lost, of: record, in: module.id, scope.tx)
        }
    }

    private static func json(_ places: [Assignment]) -> JSONValue { .array(places.map(\.json)) }
}
