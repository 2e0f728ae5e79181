import Metadata
import SQLStore
import Wire

/// Portal users: the child's moves to a master that is none. Where both are, the master's stays and the child's is deactivated
/// (`merge.md` §6).
struct PortalFollower: MergeFollower {
    func interest(in request: MergeRequest, _ scope: WriteScope) -> MergeInterest { .anyRow(of: "sys_portal_user", "record_id") }

    /// Under what name users that move are counted.
    private static let counted = "Portal_Users"

    /// Who gives the master its user, and whose end.
    private struct Plan {
        var heir: PortalUsers.Entry?
        var ended: [PortalUsers.Entry] = []

        init(_ entries: [RecordID: PortalUsers.Entry], _ request: MergeRequest) {
            var taken = entries[request.master.id]?.isLive ?? false
            for child in request.children {
                guard let entry = entries[child.id], entry.isLive else { continue }
                if taken { ended.append(entry) } else { heir = entry }
                taken = true
            }
        }
    }

    private func tell(_ plan: Plan, _ request: MergeRequest, _ outcome: inout MergeOutcome) {
        if plan.heir != nil { outcome.moved[Self.counted] = 1 }
        for entry in plan.ended { outcome.warnings.append("the portal user of \(entry.record) was deactivated: the master has one") }
    }

    func forecast(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        tell(Plan(try PortalUsers.entries(of: request.participants.map(\.id), scope.tx), request), request, &outcome)
    }

    func follow(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        let before = try PortalUsers.entries(of: request.participants.map(\.id), scope.tx)
        let plan = Plan(before, request)
        var after = before
        for entry in plan.ended { after[entry.record] = entry.ended() }
        if let heir = plan.heir {
            after[heir.record] = nil
            after[request.master.id] = heir.following(to: request.master.id)
        }
        let changed = request.participants.filter { before[$0.id] != after[$0.id] }
        try PortalUsers.remove(changed.map(\.id), scope.tx)
        try PortalUsers.put(changed.compactMap { after[$0.id] }, scope.tx)
        try ChangeLog.append(
            changed.map {
                .init(record: $0, kind: .portalUser, before: before[$0.id]?.json ?? .null, after: after[$0.id]?.json ?? .null)
            }, scope)
        tell(plan, request, &outcome)
    }

    /// A user who was invited, moved or deactivated since stays as he is; so does one whose kind is gone, or whose address has been taken.
    /// The others come back, each by itself. Those that do not are named.
    func undo(_ merge: UndoneMerge, _ outcome: inout UnmergeOutcome, _ scope: WriteScope) throws {
        let logged = try merge.logged(.portalUser, scope.tx)
        guard !logged.isEmpty else { return }
        let now = try PortalUsers.entries(of: logged.map(\.record), scope.tx)
        let kinds = Set(PortalUserType.all(scope.catalog).map(\.id))
        var back = logged.filter { now[$0.record] == PortalUsers.Entry($0.after) }
        // The one that moved must be gone from the master before it is the child's again.
        let moved = Set(logged.filter { $0.record == merge.master || PortalUsers.Entry($0.after) == nil }.map(\.record))
        if !moved.isSubset(of: back.map(\.record)) { back.removeAll { moved.contains($0.record) } }
        let keys = back.compactMap { PortalUsers.Entry($0.before)?.addressKey }
        let taken = try PortalUsers.taken(keys, except: back.map(\.record), scope.tx)
        back.removeAll { row in PortalUsers.Entry(row.before)?.addressKey.map(taken.contains) ?? false }
        var restored = back.compactMap { PortalUsers.Entry($0.before) }.filter { kinds.contains($0.type) }
        do {
            try scope.tx.savepoint {
                try PortalUsers.remove(back.map(\.record), scope.tx)
                try PortalUsers.put(restored, scope.tx)
            }
        } catch SQLFailure.unique {
            restored = []
        }
        let returned = Set(restored.map(\.record))
        for row in logged where PortalUsers.Entry(row.before)?.isLive == true && !returned.contains(row.record) {
            outcome.keptRows.append(.init(module: merge.module.apiName, id: row.record, field: Self.counted))
        }
        outcome.countBack(returned.intersection(moved).subtracting([merge.master]).count, as: Self.counted)
    }
}
