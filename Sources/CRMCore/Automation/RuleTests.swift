import Metadata
import SQLStore
import Wire

/// The criteria of several rules of one module, ready to be asked of many records at once: one statement for forty rules, however
/// many records.
struct RuleTests<Key> {
    private struct Rule {
        let key: Key
        let matches: SQL
    }

    /// How many rules one statement asks about: far below the engines' limits on columns and binds.
    private static var perStatement: Int { 40 }

    private let module: Module
    private let rules: [Rule]
    /// The fields that the criteria name.
    let fields: Set<String>
    private let scope: WriteScope

    var isEmpty: Bool { rules.isEmpty }

    /// Criteria that no longer fit the module, because a field of theirs is gone, match nothing.
    init(_ module: Module, _ criteria: [(key: Key, criteria: JSONValue)], _ scope: WriteScope) {
        rules = criteria.map { key, criteria in
            Rule(key: key, matches: KeptCriteria.test(criteria, of: module, scope.catalog, for: scope.access.user, at: scope.now))
        }
        fields = criteria.reduce(into: []) { $0.formUnion(KeptCriteria.fields(in: $1.criteria)) }
        self.module = module
        self.scope = scope
    }

    /// Whether a change is of a field that a criterion asks about; a new record always is.
    func concern(_ change: PendingChange) -> Bool {
        guard let before = change.before else { return !isEmpty }
        return fields.contains { before[$0] != change.after[$0] }
    }

    /// The rules that each record meets, in their order. The records are locked already, or are locked now.
    func matches(_ ids: [RecordID], locking: Bool = false) throws -> [RecordID: [Key]] {
        guard let table = module.table, !ids.isEmpty else { return [:] }
        return try matches(
            in: "\(table) t WHERE \(.memberIDs("t.id", ids.map(\.raw).sorted())) ORDER BY t.id", locking: locking)
    }

    /// The rules that a record would meet with values that are not written, in their order. What stands beside the record counts as it is.
    func matches(unwritten record: Record) throws -> [Key] {
        let asked = Set(module.fields.filter { fields.contains($0.apiName) }.flatMap(\.columns).map(\.raw)).union(["id"])
        let values = zip(module.storedColumns, record.values).filter { asked.contains($0.0.name.raw) }.map { column, value -> SQL in
            // A text collates as its column does.
            let typed: SQL = column.type == .text ? "\(.textOf("\(value)"))" : "CAST(\(value) AS \(.type(column.type)))"
            return "\(typed) AS \(column.name)"
        }
        return try matches(in: "(SELECT \(.joined(values, by: ", "))) t", locking: false)[record.id] ?? []
    }

    private func matches(in rows: SQL, locking: Bool) throws -> [RecordID: [Key]] {
        var found: [RecordID: [Key]] = [:]
        var rest = rules[...]
        var lock: SQL = locking ? "\(.lockRowsForChange)" : ""
        while !rest.isEmpty {
            let chunk = Array(rest.prefix(Self.perStatement))
            rest = rest.dropFirst(chunk.count)
            let columns: [SQL] = chunk.map { "CASE WHEN \($0.matches) THEN 1 ELSE 0 END" }
            try scope.tx.forEach("SELECT t.id, \(.joined(columns, by: ", ")) FROM \(rows)\(lock)") { row in
                let id = RecordID(raw: row.integer(0) ?? 0)
                for (index, rule) in chunk.enumerated() where row.integer(index + 1) == 1 { found[id, default: []].append(rule.key) }
            }
            lock = ""
        }
        return found
    }
}
