import Metadata
import SQLStore
import Wire

/// Cadences: the children are un-enrolled, the master goes on with its own (`merge.md` §6). Nothing is enrolled twice, and nothing that
/// a child was told is told again.
struct CadenceFollower: MergeFollower {
    func interest(in request: MergeRequest, _ scope: WriteScope) -> MergeInterest {
        Cadence.supports(request.module) ? .anyRow(of: "sys_cadence_record", "record_id") : .never
    }

    /// Enrolments are no related rows: they are not counted.
    func forecast(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {}

    func follow(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        let held = Dictionary(grouping: try CadenceRecords.of(request.children.map(\.id), scope.tx), by: \.record)
        let leaving = request.children.filter { held[$0.id] != nil }
        try CadenceRecords.remove(leaving.map(\.id), scope.tx)
        try ChangeLog.append(
            leaving.map { .init(record: $0, kind: .cadences, before: .array((held[$0.id] ?? []).map(\.json)), after: []) }, scope)
    }

    /// The steps go on from where they were; those whose time has passed meanwhile are done now.
    func undo(_ merge: UndoneMerge, _ outcome: inout UnmergeOutcome, _ scope: WriteScope) throws {
        let known = Set(Cadence.all(scope.catalog).map(\.id))
        let back = try merge.logged(.cadences, scope.tx).flatMap { $0.before.array ?? [] }.compactMap { CadenceRecords.Entry($0) }
            .filter { known.contains($0.cadence) }
        guard !back.isEmpty else { return }
        try CadenceRecords.put(back, scope.tx)
        try CadenceJob.set(back, scope)
    }
}
