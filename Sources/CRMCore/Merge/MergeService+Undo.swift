import Metadata
import SQLStore
import Wire

/// Takes merges back: at once, or by a job when many rows must move.
extension MergeService {
    package enum UndoAnswer: Sendable {
        case undone(UnmergeOutcome)
        case scheduled(job: RecordID)
    }

    /// Takes a completed merge of this master back. Beyond a thousand related rows the master is held and a job does it.
    package func unmerge(
        _ module: Module, master: RecordID, journal: RecordID, at path: JSONPath, _ catalog: Catalog, _ access: AccessPolicy
    ) async throws -> UndoAnswer {
        let period = services.undoPeriod
        return try await services.write(catalog, access, .merge) { scope in
            let entry = try Self.undoable(journal, of: master, in: module, at: path, period, scope)
            let undo = try Unmerge(entry, scope)
            guard entry.outcome.rows > MergePlan.synchronousLimit else { return .undone(try undo.run()) }
            try HeldWork.hold([try undo.lockedMaster()], scope)
            try ScheduledUndos.record(entry, scope)
            try JobQueue.enqueue(UnmergeJob.kind, ["merge": .id(entry.id)], id: scope.group, at: scope.now, scope.tx)
            return .scheduled(job: scope.group)
        }
    }

    /// The journal of a merge that can be undone, locked, or the reason why it cannot.
    static func undoable(
        _ journal: RecordID, of master: RecordID, in module: Module, at path: JSONPath, _ period: UndoPeriod, _ scope: WriteScope
    ) throws -> MergeJournal.Entry {
        guard let entry = try MergeJournal.entry(journal, scope.tx, locked: true), entry.master == master, entry.module == module.id,
            try sees(master, in: module, scope.catalog, scope.access, scope.tx)
        else { throw Rejection.invalid(at: path, message: "no merge of this record has that journal id") }
        guard entry.state == .completed else { throw Rejection.notAllowed(at: path, message: "the merge is not completed") }
        guard !entry.undone else { throw Rejection.notAllowed(at: path, message: "the merge was undone already") }
        let end = entry.finished.flatMap { period.end(of: $0) }
        guard !entry.expired, end.map({ $0 >= scope.now }) ?? true else {
            throw Rejection.notAllowed(at: path, message: "the time in which the merge could be undone is over")
        }
        return entry
    }

    /// Whether a survivor, or what is left of it, is there for the caller. Of one that is hidden nobody learns that it was merged.
    static func sees(_ survivor: RecordID, in module: Module, _ catalog: Catalog, _ access: AccessPolicy, _ tx: Transaction) throws -> Bool
    {
        let planner = Planner(catalog, access)
        if try planner.rows([survivor], of: module, for: .view, locked: false, tx)[survivor] != nil { return true }
        let isGone = try tx.first("SELECT 1 FROM sys_grave WHERE id = \(survivor)") { _ in true } ?? false
        return isGone ? try access.graves([survivor], for: .view, tx).contains(survivor) : false
    }

    /// The completed merges of a record, newest first, that can be looked at or undone.
    package func journals(of master: RecordID) async throws -> [JSONValue] {
        let period = services.undoPeriod
        let now = services.clock()
        return try await services.database.run(.read) { tx in try MergeJournal.completed(of: master, period, at: now, tx) }
    }

    /// The scheduled undos of a record as JSON, newest first.
    package func undoJobs(of master: RecordID, only job: RecordID?) async throws -> [JSONValue] {
        try await services.database.run(.read) { tx in try ScheduledUndos.list(of: master, only: job, tx).map(\.json) }
    }
}
