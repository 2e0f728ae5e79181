/// What a prepared statement is found by: its text, or the number of the template its text comes from.
enum StatementKey: Hashable {
    case text(String)
    case number(UInt64)
}

/// Prepared statements of one connection by their text; the one longest unused makes room.
struct StatementCache<Statement> {
    private final class Entry {
        let statement: Statement
        var lastUsed: Int
        init(_ statement: Statement, _ lastUsed: Int) {
            self.statement = statement
            self.lastUsed = lastUsed
        }
    }

    private var entries: [StatementKey: Entry] = [:]
    private var clock = 0
    private let limit: Int

    /// 256: the shapes one server uses are a few per module; each costs some tens of kilobytes in the engine.
    init(limit: Int = 256) { self.limit = limit }

    var count: Int { entries.count }

    mutating func statement(for key: StatementKey) -> Statement? {
        guard let entry = entries[key] else { return nil }
        clock += 1
        entry.lastUsed = clock
        return entry.statement
    }

    /// The statement that had to go for it, if any: the one it replaces, or the one longest unused.
    @discardableResult
    mutating func insert(_ statement: Statement, for key: StatementKey) -> Statement? {
        clock += 1
        if let replaced = entries.updateValue(Entry(statement, clock), forKey: key) { return replaced.statement }
        // A walk over all entries, but only when a new text is prepared, which costs far more.
        guard entries.count > limit, let oldest = entries.min(by: { $0.value.lastUsed < $1.value.lastUsed }) else { return nil }
        entries[oldest.key] = nil
        return oldest.value.statement
    }

    mutating func remove(_ key: StatementKey) { entries[key] = nil }

    mutating func removeAll() { entries.removeAll() }
}
