/// Finds out which index a unique failure of SQLite is about.
///
/// SQLite names the columns (`UNIQUE constraint failed: t.a, t.b`), or the index when it is on an expression
/// (`… index 'name'`). PostgreSQL names the index in both cases, so SQLite's columns are looked up.
struct SQLiteConstraint {
    struct Index {
        let name: String
        /// `c` from CREATE INDEX, `u` from UNIQUE, `pk` from PRIMARY KEY.
        let origin: String
        /// In order, with commas between.
        let columns: String
    }

    /// The unique indexes of a table, as `Index` has them.
    static let indexes = """
        SELECT list.name, list.origin, \
        (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(list.name) ORDER BY seqno)) \
        FROM pragma_index_list(?) AS list WHERE list."unique" ORDER BY list.seq DESC
        """

    private let subject: Substring
    private let isPrimaryKey: Bool

    init(_ message: String, isPrimaryKey: Bool) {
        let mark = "constraint failed: "
        var subject = message[...]
        if let start = message.firstRange(of: mark) { subject = message[start.upperBound...] }
        self.subject = subject
        self.isPrimaryKey = isPrimaryKey
    }

    /// The name of the index; `indexes` looks a table up.
    func name(_ indexes: (_ table: String) -> [Index]) -> String {
        if subject.hasPrefix("index '") { return String(subject.dropFirst(7).dropLast()) }
        let parts = subject.split(separator: ", ").map { $0.split(separator: ".", maxSplits: 1) }
        guard let table = parts.first?.first.map(String.init), parts.allSatisfy({ $0.count == 2 }) else { return String(subject) }
        if isPrimaryKey { return "\(table)_pkey" }
        let columns = parts.map { $0[1] }
        let index = indexes(table).first { $0.columns == columns.joined(separator: ",") }
        switch index?.origin {
        case "c": return index?.name ?? String(subject)
        // The name PostgreSQL gives by itself, as `_pkey` above.
        case "u": return "\(table)_\(columns.joined(separator: "_"))_key"
        // An index that is just being built, and not listed yet: SQLite's own words.
        default: return String(subject)
        }
    }
}
