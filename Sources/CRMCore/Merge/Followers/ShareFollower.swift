import Metadata
import SQLStore
import Wire

/// Shares: united, and for one target the higher permission wins. Nobody loses sight of what they saw, so the limits do not apply;
/// the owner's own sight needs no share.
struct ShareFollower: MergeFollower {
    func interest(in request: MergeRequest, _ scope: WriteScope) -> MergeInterest {
        RecordShares.supports(request.module) ? .anyRow(of: "sys_share", "record_id") : .never
    }

    /// Shares are no related rows: they are not counted.
    func forecast(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {}

    func follow(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        let held = try RecordShares.held(by: request.participants.map(\.id), scope.tx)
        let master = request.master.id
        let module = request.module.id
        let before = held[master] ?? []
        var united = before
        for share in request.children.flatMap({ held[$0.id] ?? [] }) {
            if let index = united.firstIndex(where: { $0.isFor(share) }) {
                united[index].permission = max(united[index].permission, share.permission)
                united[index].withRelated = united[index].withRelated || share.withRelated
            } else {
                united.append(share)
            }
        }
        if united != before { try RecordShares.store(united, of: master, in: module, scope.tx) }
        for child in request.children where held[child.id] != nil { try RecordShares.store([], of: child.id, in: module, scope.tx) }
        try ChangeLog.append(
            request.participants.filter { held[$0.id] != nil || ($0.id == master && united != before) }.map { record in
                .init(
                    record: record, kind: .shared, before: RecordShares.json(held[record.id] ?? []),
                    after: RecordShares.json(record.id == master ? united : []))
            }, scope)
    }

    /// Shares changed since stay as they are.
    func undo(_ merge: UndoneMerge, _ outcome: inout UnmergeOutcome, _ scope: WriteScope) throws {
        for (record, before, after) in try merge.logged(.shared, scope.tx) {
            let was = (before.array ?? []).compactMap { RecordShare($0) }
            let became = (after.array ?? []).compactMap { RecordShare($0) }
            let now = try RecordShares.held(by: [record], scope.tx)[record] ?? []
            if Set(now) == Set(became) { try RecordShares.store(was, of: record, in: merge.module.id, scope.tx) }
        }
    }
}
