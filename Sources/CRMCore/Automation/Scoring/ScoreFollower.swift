import Metadata
import SQLStore
import Wire

/// Scores: the survivor is scored as what it has become, and what was merged away has none. An undo scores all of them again.
struct ScoreFollower: MergeFollower {
    func interest(in request: MergeRequest, _ scope: WriteScope) -> MergeInterest {
        guard ScoringRule.supports(request.module), !ScoringRule.active(in: request.module.id, scope.catalog).isEmpty else { return .never }
        return .always
    }

    /// Scores are no related rows: they are not counted.
    func forecast(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {}

    func follow(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        try Scores.forget(request.children.map(\.id.raw), scope.tx)
        try Scoring.refresh([request.master.id], of: request.module, scope)
    }

    func undo(_ merge: UndoneMerge, _ outcome: inout UnmergeOutcome, _ scope: WriteScope) throws {
        guard ScoringRule.supports(merge.module), !ScoringRule.active(in: merge.module.id, scope.catalog).isEmpty else { return }
        let children = try merge.logged(.mergedAway, scope.tx).map(\.record)
        try Scoring.refresh([merge.master] + children, of: merge.module, scope)
    }
}
