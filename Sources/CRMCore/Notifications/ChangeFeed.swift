import Metadata
import SQLStore
import Synchronization
import Wire

/// Changes that channels are still to be told of, by their place in the change log. A write adds to it in its own transaction and
/// does no more; who is told what is found out later (`FanOut`).
package struct ChangeFeed: Sendable {
    static let schema: [SQL] = ["CREATE TABLE sys_feed (sequence \(.type(.integer)) PRIMARY KEY)\(.strict)"]

    /// Modules whose changes somebody may have to be told of.
    let modules: Set<ModuleID>
    let bell: FeedBell?

    /// Nobody listens.
    static let closed = ChangeFeed(modules: [], bell: nil)

    /// The kinds of entries that are news of their record. Rows that a merge points elsewhere are not (`merge.md` §9).
    static let kinds: [ChangeLog.Kind] = [
        .added, .restored, .updated, .merged, .unmerged, .converted, .tagged, .files, .territories, .deleted, .mergedAway,
    ]

    func wants(_ entries: [ChangeLog.Entry]) -> Bool {
        !modules.isEmpty && entries.contains { modules.contains($0.module) && Self.kinds.contains($0.kind) }
    }

    /// The end of what the group has logged so far.
    static func mark(_ group: RecordID, _ tx: Transaction) throws -> Int64 {
        try tx.first("SELECT max(sequence) FROM sys_change WHERE group_id = \(group)") { $0.integer(0) ?? 0 } ?? 0
    }

    /// Takes in what the group has logged since.
    func add(after mark: Int64, _ group: RecordID, _ tx: Transaction) throws {
        let kinds: SQL = .joined(Self.kinds.map { "\(SQLValue.text($0.rawValue))" }, by: ", ")
        try tx.execute(
            """
            INSERT INTO sys_feed (sequence) SELECT sequence FROM sys_change WHERE group_id = \(group) AND sequence > \(.integer(mark)) \
            AND kind IN (\(kinds)) AND \(.memberIDs("module_id", modules.map(\.raw).sorted()))
            """)
        if let bell { tx.afterCommit { bell.ring() } }
    }
}

/// Wakes the process's own worker; that of another process looks by itself.
final class FeedBell: Sendable {
    private let listener = Mutex<AsyncStream<Void>.Continuation?>(nil)

    func ring() { _ = listener.withLock { $0?.yield() } }

    /// For one listener: the newest takes over.
    func rings() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        listener.withLock { $0 = continuation }
        return stream
    }

    func silence() { listener.withLock { $0?.finish() } }
}

/// What this process remembers of who listens. A writer compares epochs with the statement that opens every write, so that what it
/// goes by is what was committed before it began.
final class FeedCache: Sendable {
    private struct Held {
        let epoch: Int64
        let version: Int64
        let feed: ChangeFeed
    }

    let bell = FeedBell()
    private let held = Mutex<Held?>(nil)

    func feed(_ epoch: Int64, _ catalog: Catalog, _ tx: Transaction) throws -> ChangeFeed {
        guard epoch != 0 else { return .closed }
        if let held = held.withLock({ $0 }), held.epoch == epoch, held.version == catalog.version { return held.feed }
        let feed = ChangeFeed(modules: try modules(catalog, tx), bell: bell)
        held.withLock { $0 = Held(epoch: epoch, version: catalog.version, feed: feed) }
        return feed
    }

    private func modules(_ catalog: Catalog, _ tx: Transaction) throws -> Set<ModuleID> {
        let sql: SQL = "SELECT DISTINCT s.module_id, s.events, ch.related FROM sys_subscription s JOIN sys_channel ch ON ch.id = s.channel"
        let watched = try tx.rows(sql) { row in
            (ModuleID(raw: row.integer(0) ?? 0), ChannelEvents(rawValue: row.integer(1) ?? 0), row.integer(2) == 1)
        }
        var modules = Set(watched.map(\.0))
        for (module, events, related) in watched where related && events.contains(.edit) && catalog.module(id: module)?.isUsers != true {
            modules.formUnion(catalog.inbound(to: module).filter { Channel.tellsOthers($0.module) }.map(\.module.id))
        }
        return modules
    }
}
