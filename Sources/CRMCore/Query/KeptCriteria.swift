import Metadata
import SQLStore
import Wire

/// Criteria as settings keep them: every field with name and id, and nothing in them that could not be asked of records.
package struct KeptCriteria {
    /// Refuses a field that a kind of settings may not ask about; the path is the field's.
    package typealias FieldTest = (Field, JSONPath) throws(Rejection) -> Void

    private let module: Module
    private let most: Int
    private let isAllowed: FieldTest
    private let reader: CriteriaReader
    private let tests: ConditionSQL
    private var rules = 0

    private init(_ module: Module, most: Int, _ isAllowed: @escaping FieldTest, _ scope: MetadataScope) {
        self.module = module
        self.most = most
        self.isAllowed = isAllowed
        reader = CriteriaReader(
            module: module, user: scope.user, dates: MovingDates(now: scope.now, zone: scope.catalog.zone, of: scope.catalog))
        tests = ConditionSQL(catalog: scope.catalog, module: module, alias: "t", access: .system("criteria of settings are only checked"))
    }

    /// The form that is kept, of at most so many tests.
    package static func read(
        _ given: JSONCursor, of module: Module, most: Int = 25, _ scope: MetadataScope,
        fields isAllowed: @escaping FieldTest = { (_, _) throws(Rejection) in }
    ) throws(Rejection) -> JSONValue {
        var criteria = KeptCriteria(module, most: most, isAllowed, scope)
        return try criteria.read(given, depth: 0)
    }

    private mutating func read(_ given: JSONCursor, depth: Int) throws(Rejection) -> JSONValue {
        _ = try given.object()
        guard depth < CriteriaLimits.depth else { throw .invalid(at: given.path) }
        if let group = given.optional("group"), !group.value.isNull {
            let joint = try given.required("group_operator")
            guard let word = joint.value.string?.lowercased(), ["and", "or"].contains(word) else {
                throw .unsupported(["and", "or"], at: joint.path)
            }
            let parts = try group.elements()
            if parts.isEmpty { throw .tooShort(1, at: group.path) }
            var kept: [JSONValue] = []
            for part in parts { kept.append(try read(part, depth: depth + 1)) }
            return ["group_operator": .string(word.uppercased()), "group": .array(kept)]
        }
        rules += 1
        guard rules <= most else { throw Rejection(.limitExceeded, .jsonPath(given.path), .other("limit", .integer(most))) }
        let named = try given.required("field")
        guard let field = try field(named), !field.columns.isEmpty else { throw .invalid(at: named.path) }
        try isAllowed(field, named.path)
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

    private func field(_ given: JSONCursor) throws(Rejection) -> Field? {
        let id = try given.ownID()
        if let name = (given.value["api_name"] ?? given.value).string, let field = module.field(name) { return field }
        return id.flatMap { id in module.fields.first { $0.id.raw == id.raw } }
    }
}

extension KeptCriteria {
    /// Every single test in criteria.
    package static func tests(in criteria: JSONValue) -> [JSONValue] {
        if let group = criteria["group"]?.array { return group.flatMap(tests) }
        return criteria["field"] == nil ? [] : [criteria]
    }

    /// The API names of the fields that criteria test.
    package static func fields(in criteria: JSONValue) -> Set<String> {
        Set(tests(in: criteria).compactMap { $0["field"]?["api_name"]?.string })
    }

    /// The test of rows `t`, whoever asks. Criteria that no longer fit the module, because a field of theirs is gone, hold for no row.
    static func test(_ criteria: JSONValue, of module: Module, _ catalog: Catalog, for user: UserID, at now: Instant) -> SQL {
        let reader = CriteriaReader(module: module.whole, user: user, dates: MovingDates(now: now, zone: catalog.zone, of: catalog))
        let tests = ConditionSQL(
            catalog: catalog, module: module.whole, alias: "t", access: .system("criteria of settings hold whoever asks"))
        return (try? tests.render(reader.read(criteria))) ?? SQL.isFalse
    }
}
