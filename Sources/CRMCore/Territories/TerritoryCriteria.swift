import Metadata
import SQLStore
import Wire

/// The rules by which records of a module find a territory, as a request gives them. Contract: territories, section notes.
package struct TerritoryCriteria {
    package static let maximumRules = 25

    private let module: Module
    private let reader: CriteriaReader
    private let tests: ConditionSQL
    private var rules = 0

    package init(_ module: Module, _ scope: MetadataScope) {
        self.module = module
        reader = CriteriaReader(module: module, user: scope.user, dates: MovingDates(now: scope.now, zone: scope.catalog.zone))
        tests = ConditionSQL(
            catalog: scope.catalog, module: module, alias: "t", access: .system("criteria of a territory are only checked"))
    }

    /// The form that is kept: every field with name and id.
    package static func read(_ given: JSONCursor, of module: Module, _ scope: MetadataScope) throws(Rejection) -> JSONValue {
        var criteria = TerritoryCriteria(module, scope)
        return try criteria.read(given)
    }

    private mutating func read(_ given: JSONCursor) throws(Rejection) -> JSONValue {
        _ = try given.object()
        if let group = given.optional("group"), !group.value.isNull {
            let joint = try given.required("group_operator")
            guard let word = joint.value.string?.lowercased(), ["and", "or"].contains(word) else {
                throw .unsupported(["and", "or"], at: joint.path)
            }
            let parts = try group.elements()
            if parts.isEmpty { throw .tooShort(1, at: group.path) }
            var kept: [JSONValue] = []
            for part in parts { kept.append(try read(part)) }
            return ["group_operator": .string(word.uppercased()), "group": .array(kept)]
        }
        rules += 1
        guard rules <= Self.maximumRules else {
            throw Rejection(.limitExceeded, .jsonPath(given.path), .other("limit", .integer(Self.maximumRules)))
        }
        let named = try given.required("field")
        guard let field = field(named), !field.columns.isEmpty else { throw .invalid(at: named.path) }
        let comparator = try given.required("comparator")
        let kept: JSONValue = [
            "comparator": comparator.value, "field": ["api_name": .string(field.apiName), "id": .string(String(field.id.raw))],
            "value": given.value["value"] ?? .null,
        ]
        do {
            _ = try tests.render(try reader.read(kept))
        } catch {
            // One rule is wrong in its comparator or its value; the query language's own words for it mean nothing here.
            throw error.details["operator"] != nil ? .invalid(at: comparator.path) : .invalid(at: given.path.appending("value"))
        }
        return kept
    }

    private func field(_ given: JSONCursor) -> Field? {
        if let name = (given.value["api_name"] ?? given.value).string, let field = module.field(name) { return field }
        return given.value["id"]?.looseInt64.flatMap { id in module.fields.first { $0.id.raw == id } }
    }
}

/// All criteria of one module's territories, ready to be asked of records.
struct TerritoryRules {
    private struct Rule {
        let territory: RecordID
        let matches: SQL
    }

    /// How many territories one statement asks about: far below the engines' limits on columns and binds.
    private static let perStatement = 40

    private let module: Module
    private let rules: [Rule]
    /// The fields that criteria name; when none of them changes, nothing does.
    let fields: Set<String>
    /// Criteria with days that move have to be asked again though no field changed.
    private let scope: WriteScope

    var isEmpty: Bool { rules.isEmpty }

    init?(_ module: Module, _ scope: WriteScope) {
        guard scope.catalog.hasTerritories, let key = TerritorySetup.criteriaKeys.first(where: { $0.module == module.apiName })?.key else {
            return nil
        }
        let reader = CriteriaReader(
            module: module, user: scope.access.user, dates: MovingDates(now: scope.now, zone: scope.catalog.zone))
        let tests = ConditionSQL(
            catalog: scope.catalog, module: module, alias: "t", access: .system("criteria hold whoever writes the record"))
        var fields: Set<String> = []
        rules = scope.catalog.territories.ruled(by: key).compactMap { territory in
            let criteria = territory.body[key] ?? .null
            // Criteria that no longer fit the module, because a field of theirs is gone, choose nothing.
            guard let matches = try? tests.render(reader.read(criteria)) else { return nil }
            Self.collect(criteria, &fields)
            return Rule(territory: territory.id, matches: matches)
        }
        self.fields = fields
        self.module = module
        self.scope = scope
    }

    private static func collect(_ criteria: JSONValue, _ fields: inout Set<String>) {
        for part in criteria["group"]?.array ?? [] { collect(part, &fields) }
        if let name = criteria["field"]?["api_name"]?.string { fields.insert(name) }
    }

    /// Brings the places that criteria gave the records in step with them; what people assigned stays. The records are locked
    /// already, or are locked now.
    func apply(to ids: [RecordID], locking: Bool = false) throws {
        guard !ids.isEmpty else { return }
        let matches = try matches(ids, locking)
        let held = try RecordTerritories.held(by: ids, scope.tx)
        let limit = TerritorySetup.limits[module.apiName] ?? 0
        var added: [(RecordID, RecordTerritories.Assignment)] = []
        var removed: [(record: RecordID, territory: RecordID)] = []
        for id in ids {
            let now = held[id] ?? []
            let wanted = matches[id] ?? []
            let lost = now.filter { !$0.manual && !wanted.contains($0.territory) }
            removed += lost.map { (id, $0.territory) }
            let kept = Set(now.map(\.territory)).subtracting(lost.map(\.territory))
            let room = max(limit - kept.count, 0)
            added += wanted.filter { !kept.contains($0) }.prefix(room).map {
                (id, .init(territory: $0, manual: false, by: nil, at: scope.now))
            }
        }
        try RecordTerritories.remove(removed, scope.tx)
        try RecordTerritories.add(added, of: module.id, scope.tx)
    }

    /// The territories whose criteria each record meets, the eldest first.
    private func matches(_ ids: [RecordID], _ locking: Bool) throws -> [RecordID: [RecordID]] {
        guard let table = module.table else { return [:] }
        var found: [RecordID: [RecordID]] = [:]
        var rest = rules[...]
        var lock: SQL = locking ? "\(.lockRowsForChange)" : ""
        while !rest.isEmpty {
            let chunk = Array(rest.prefix(Self.perStatement))
            rest = rest.dropFirst(chunk.count)
            let columns: [SQL] = chunk.map { "CASE WHEN \($0.matches) THEN 1 ELSE 0 END" }
            try scope.tx.forEach(
                "SELECT t.id, \(.joined(columns, by: ", ")) FROM \(table) t WHERE \(.memberIDs("t.id", ids.map(\.raw).sorted())) ORDER BY t.id\(lock)"
            ) { row in
                let id = RecordID(raw: row.integer(0) ?? 0)
                for (index, rule) in chunk.enumerated() where row.integer(index + 1) == 1 { found[id, default: []].append(rule.territory) }
            }
            lock = ""
        }
        return found
    }
}
