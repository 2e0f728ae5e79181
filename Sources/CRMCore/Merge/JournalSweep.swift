import Logging
import Metadata
import SQLStore
import Wire

/// Takes away what only an undo needs, of merges that can be undone no more: which rows moved, what dropped links held, the images
/// of the children and their files. What the merge was, when, and where the children went stays for ever; so does the move of what a
/// timeline shows, which is the history of a note or an activity as an edit of it would be.
package struct JournalSweep: Sendable {
    /// Rows of the change log in one transaction.
    private static let batch: Int64 = 5_000
    private static let pause = Duration.seconds(3_600)
    /// What a merge logs about rows other than the records merged.
    private static let kinds: [ChangeLog.Kind] =
        [.repoint, .linkDropped, .linkFilled, .addedByMerge] + MergeFollowers.loggedElsewhere

    private let services: Services

    package init(_ services: Services) { self.services = services }

    /// At the start, and every hour until cancelled.
    package func run() async {
        repeat {
            do { try await sweep() } catch {
                services.logger.warning("journals of merges could not be swept", metadata: ["error": "\(error)"])
            }
        } while (try? await Task.sleep(for: Self.pause)) != nil
    }

    /// One journal after another, the oldest first. Each step is a transaction of its own; one that is cut off is done again.
    package func sweep() async throws {
        guard let period = services.undoPeriod.milliseconds else { return }
        let now = services.clock()
        let oldest = Instant(milliseconds: now.milliseconds - period)
        let catalog = services.catalog.current()
        while try await services.database.run(.write, { tx in try Self.step(finishedBefore: oldest, at: now, catalog, tx) }) {
            try Task.checkCancellation()
        }
    }

    /// Returns whether there may be more. Another process that sweeps at the same time takes another journal.
    private static func step(finishedBefore oldest: Instant, at now: Instant, _ catalog: Catalog, _ tx: Transaction) throws -> Bool {
        let due: SQL = """
            SELECT id, module_id FROM sys_merge WHERE expired_at IS NULL AND finished_at IS NOT NULL AND finished_at < \(oldest) \
            ORDER BY finished_at, id LIMIT 1\(.skipLocked)
            """
        guard let (id, module) = try tx.first(due, { (RecordID(raw: $0.integer(0) ?? 0), $0.integer(1) ?? 0) }) else { return false }
        let names: SQL = .joined(kinds.map { "\(SQLValue.text($0.rawValue))" }, by: ", ")
        let told = Timeline.hangingLookups(catalog).map(\.id.raw)
        let repoint = SQLValue.text(ChangeLog.Kind.repoint.rawValue)
        let some: SQL = """
            SELECT sequence FROM sys_change WHERE group_id = \(id) AND kind IN (\(names)) \
            AND NOT (kind = \(repoint) AND \(.memberIDs("coalesce(field_id, 0)", told))) LIMIT \(.integer(batch))
            """
        guard try tx.execute("DELETE FROM sys_change WHERE sequence IN (\(some))") < batch else { return true }
        try dropFiles(of: id, at: now, tx)
        // Rows that went with a child are forgotten whole; a child's id goes on leading to its survivor.
        try tx.execute("DELETE FROM sys_grave WHERE group_id = \(id) AND kind = 'merged' AND module_id <> \(.integer(module))")
        try tx.execute("UPDATE sys_grave SET image = '{}' WHERE group_id = \(id) AND kind = 'merged'")
        try tx.execute("UPDATE sys_merge SET expired_at = \(now) WHERE id = \(id)")
        return true
    }

    /// The children's files, and those the merge took from the master. Their contents go with the next sweep of files.
    private static func dropFiles(of merge: RecordID, at now: Instant, _ tx: Transaction) throws {
        let buried = try tx.rows("SELECT id FROM sys_grave WHERE group_id = \(merge) AND kind = 'merged' ORDER BY id") {
            RecordID(raw: $0.integer(0) ?? 0)
        }
        let dropped = try FieldFiles.entries(where: "h.dropped_by = \(merge)", tx)
        try FieldFiles.remove(dropped, at: now, tx)
        try FieldFiles.removeAll(of: buried, at: now, tx)
    }
}
