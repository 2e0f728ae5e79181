import Metadata
import Wire

/// Reads criteria given as JSON: `{field, comparator, value}` or `{group_operator, group}`. Custom views, rules and mass actions use them.
package struct CriteriaReader {
    private static let maximumDepth = 10

    private let module: Module
    private let user: UserID

    package init(module: Module, user: UserID) {
        self.module = module
        self.user = user
    }

    package func read(_ criteria: JSONValue) throws(Rejection) -> Condition { try read(criteria, depth: 0) }

    private func read(_ criteria: JSONValue, depth: Int) throws(Rejection) -> Condition {
        guard depth < Self.maximumDepth else { throw Rejection(.invalidQuery, .other("reason", "nested too deeply")) }
        if criteria.isNull { return .always }
        if let group = criteria["group"]?.array {
            var parts: [Condition] = []
            for part in group { parts.append(try read(part, depth: depth + 1)) }
            return criteria["group_operator"]?.string?.lowercased() == "or" ? .any(parts) : .all(parts)
        }
        guard let name = criteria["field"]?["api_name"]?.string ?? criteria["field"]?.string, module.field(name) != nil else {
            throw Rejection(.invalidQuery, .other("reason", "invalid field"))
        }
        let value = criteria["value"] ?? .null
        if value == .string("${EMPTY}") || value.isNull {
            return .test(field: name, criteria["comparator"]?.string == "not_equal" ? .notEmpty : .empty, [])
        }
        guard let comparator = Self.comparators[criteria["comparator"]?.string ?? ""] else {
            throw Rejection(.invalidQuery, .apiName(name), .other("operator", criteria["comparator"] ?? .null))
        }
        return .test(field: name, comparator, (value.array ?? [value]).map(resolved))
    }

    /// `${CURRENTUSER}` is whoever asks.
    private func resolved(_ value: JSONValue) -> JSONValue {
        value == .string("${CURRENTUSER}") ? .string(String(user.raw)) : value
    }

    private static let comparators: [String: Comparator] = [
        "equal": .equal, "equals": .equal, "not_equal": .notEqual, "in": .among, "not_in": .notAmong, "contains": .contains,
        "not_contains": .notContains, "starts_with": .startsWith, "less_than": .less, "less_equal": .lessOrEqual, "greater_than": .greater,
        "greater_equal": .greaterOrEqual, "between": .between, "not_between": .notBetween, "is_empty": .empty, "is_not_empty": .notEmpty,
    ]
}
