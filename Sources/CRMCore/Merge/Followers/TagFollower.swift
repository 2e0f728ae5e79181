import Metadata
import SQLStore
import Wire

/// Tags: the union, the master's first and cut at the limit, or one record's alone (`docs/merge-rules.md`, values).
struct TagFollower: MergeFollower {
    func interest(in request: MergeRequest, _ scope: WriteScope) -> MergeInterest {
        .anyRow(of: "sys_record_tag", "record_id")
    }

    func forecast(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        let held = try TagStore.held(by: request.participants.map(\.id), scope.tx)
        count(Self.remaining(held, request), held[request.master.id] ?? [], &outcome)
    }

    func follow(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        let held = try TagStore.held(by: request.participants.map(\.id), scope.tx)
        let master = request.master.id
        let left = Self.remaining(held, request)
        try TagStore.replace(master, from: held[master] ?? [], with: left, scope)
        for child in request.children { try TagStore.replace(child.id, from: held[child.id] ?? [], with: [], scope) }
        try ChangeLog.append(
            request.participants.filter { held[$0.id] != nil || ($0.id == master && !left.isEmpty) }.map { record in
                .init(
                    record: record, kind: .tagged, before: TagStore.json(held[record.id] ?? []),
                    after: TagStore.json(record.id == master ? left : []))
            }, scope)
        count(left, held[master] ?? [], &outcome)
    }

    /// A child gets its tags again, the master loses those it gained and has kept.
    func undo(_ merge: UndoneMerge, _ outcome: inout UnmergeOutcome, _ scope: WriteScope) throws {
        for (record, before, after) in try merge.logged(.tagged, scope.tx) {
            let lost = try TagStore.undo(
                record, before: (before.array ?? []).compactMap(\.int64), after: (after.array ?? []).compactMap(\.int64), scope)
            outcome.countBack(lost, as: "Tags")
        }
    }

    private func count(_ left: [Int64], _ before: [Int64], _ outcome: inout MergeOutcome) {
        let gained = left.filter { !before.contains($0) }.count
        if gained > 0 { outcome.moved["Tags"] = gained }
    }

    /// What the master has afterwards.
    static func remaining(_ held: [RecordID: [Int64]], _ request: MergeRequest) -> [Int64] {
        switch request.tagSource {
        case .master: return held[request.master.id] ?? []
        case .child(let index): return held[request.children[index].id] ?? []
        case nil:
            var united = held[request.master.id] ?? []
            for tag in request.children.flatMap({ held[$0.id] ?? [] }) where !united.contains(tag) && united.count < TagStore.limitPerRecord
            {
                united.append(tag)
            }
            return united
        }
    }
}
