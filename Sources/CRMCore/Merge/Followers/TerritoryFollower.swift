import Metadata
import SQLStore
import Wire

/// Territories: the places that people gave the records come together at the master, its own first and cut at the limit; criteria are
/// asked again of what the master has become.
struct TerritoryFollower: MergeFollower {
    /// Under what name places that move are counted.
    private static let counted = "Territories"

    func interest(in request: MergeRequest, _ scope: WriteScope) -> MergeInterest {
        guard TerritorySetup.supports(request.module), scope.catalog.territories.top != nil else { return .never }
        if let rules = TerritoryRules(request.module, scope), !rules.isEmpty { return .always }
        return .anyRow(of: "sys_record_territory", "record_id")
    }

    func forecast(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        let held = try RecordTerritories.held(by: request.participants.map(\.id), scope.tx)
        count(Self.gained(held, request).count, &outcome)
    }

    /// The change log keeps what each record had.
    func follow(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        let ids = request.participants.map(\.id)
        let before = try RecordTerritories.held(by: ids, scope.tx)
        let master = request.master.id
        let gained = Self.gained(before, request)
        try RecordTerritories.remove(
            request.children.flatMap { child in (before[child.id] ?? []).map { (child.id, $0.territory) } }, scope.tx)
        try RecordTerritories.add(gained.map { (master, $0) }, of: request.module.id, scope.tx)
        try TerritoryRules(request.module, scope)?.apply(to: [master], logging: false)
        let after = try RecordTerritories.held(by: ids, scope.tx)
        try RecordTerritories.log(ids, of: request.module.id, from: before, to: after, scope)
        count(gained.count, &outcome)
    }

    /// A record that stands elsewhere by now loses only what the merge gave it, and gets back only what the merge took.
    func undo(_ merge: UndoneMerge, _ outcome: inout UnmergeOutcome, _ scope: WriteScope) throws {
        let logged = try merge.logged(.territories, scope.tx)
        guard !logged.isEmpty else { return }
        let held = try RecordTerritories.held(by: logged.map(\.record), scope.tx)
        // At most the records of one merge.
        for (record, before, after) in logged {
            let was = (before.array ?? []).compactMap(RecordTerritories.Assignment.init)
            let became = Set((after.array ?? []).compactMap(RecordTerritories.Assignment.init))
            let now = held[record] ?? []
            let lost = was.filter { place in !became.contains(place) && !now.contains { $0.territory == place.territory } }
            let kept = now.filter { !became.contains($0) || was.contains($0) }
            try RecordTerritories.replace(Set(now) == became ? was : kept + lost, of: record, in: merge.module.id, scope.tx)
            guard record == merge.master else { continue }
            outcome.countBack(now.count { $0.manual && became.contains($0) && !was.contains($0) }, as: Self.counted)
        }
    }

    private func count(_ gained: Int, _ outcome: inout MergeOutcome) {
        if gained > 0 { outcome.moved[Self.counted] = gained }
    }

    /// Where the survivor will stand: where the master does, where people put the children, and where criteria put what it becomes.
    static func foretold(_ survivor: Record, of request: MergeRequest, _ scope: WriteScope) throws -> [RecordTerritories.Assignment] {
        let held = try RecordTerritories.held(by: request.participants.map(\.id), scope.tx)
        let places = (held[request.master.id] ?? []) + gained(held, request)
        let after = try TerritoryRules(request.module, scope)?.foretold(survivor, from: places) ?? places
        return after.sorted { ($0.at, $0.territory) < ($1.at, $1.territory) }
    }

    /// What people gave the children and the master gets.
    private static func gained(_ held: [RecordID: [RecordTerritories.Assignment]], _ request: MergeRequest)
        -> [RecordTerritories.Assignment]
    {
        var taken = Set((held[request.master.id] ?? []).map(\.territory))
        let limit = TerritorySetup.limits[request.module.apiName] ?? 0
        var gained: [RecordTerritories.Assignment] = []
        for place in request.children.flatMap({ held[$0.id] ?? [] }) where place.manual && taken.count < limit {
            if taken.insert(place.territory).inserted { gained.append(place) }
        }
        return gained
    }
}
