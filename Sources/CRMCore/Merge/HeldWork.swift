import Metadata
import SQLStore
import Wire

/// The common course of a merge and of an undo that a job does: the records are held while it is under way, one transaction does
/// all of it, so a crash leaves it to be run again from the start, and whatever happens the records are free afterwards.
struct HeldWork: Sendable {
    let id: RecordID
    /// The table that keeps its state.
    let table: TableName
    let module: ModuleID
    let held: [RecordID]

    /// What the job counts: the records that are merged away, or the one undo.
    private var count: Int { max(1, held.count - 1) }

    /// `body` ends with `complete`, in the transaction that did the work.
    func run(_ job: Job, _ services: Services, _ body: () async throws -> Void) async throws {
        let now = services.clock()
        let work = self
        guard
            try await services.database.run(
                .write,
                { tx in
                    try JobQueue.setTotal(job.id, work.count, tx)
                    return try MergeJournal.advance(work.id, in: work.table, to: .running, at: now, tx)
                })
        else { return }
        do {
            try await body()
        } catch let refusal as MergeRefusal {
            try await giveUp(refusal.rejection, services)
        } catch let rejection as Rejection {
            try await giveUp(rejection, services)
        } catch  where job.isLastAttempt {
            // Nobody will try again: the records may not stay locked.
            try await giveUp(Rejection(.internalError), services)
            throw error
        }
    }

    func complete(_ outcome: JSONValue, _ scope: WriteScope) throws {
        // Another worker that took this one for dead may have finished it: then nothing of ours may stay.
        guard try MergeJournal.advance(id, in: table, to: .completed, outcome: outcome, at: scope.now, scope.tx) else {
            throw Rejection(.notAllowed)
        }
        try JobQueue.advance(id, done: count, failed: 0, scope.tx)
    }

    /// Nothing has changed; the records are free again.
    private func giveUp(_ reason: Rejection, _ services: Services) async throws {
        let now = services.clock()
        let records = services.catalog.current().module(id: module)?.table
        let work = self
        try await services.database.run(.write) { tx in
            guard try MergeJournal.advance(work.id, in: work.table, to: .failure, outcome: reason.result, at: now, tx), let records else {
                return
            }
            try JobQueue.advance(work.id, done: 0, failed: work.count, tx)
            try tx.execute(
                "UPDATE \(records) SET in_merge = NULL WHERE \(.memberIDs("id", work.held.map(\.raw))) AND in_merge = \(work.id)")
        }
    }

    /// Holds records under the scope's group until its job frees them.
    static func hold(_ records: [Record], _ scope: WriteScope) throws {
        guard let table = records.first?.module.table else { return }
        try scope.tx.execute("UPDATE \(table) SET in_merge = \(scope.group) WHERE \(.memberIDs("id", records.map(\.id.raw)))")
    }
}
