import Metadata
import Wire

/// Reads criteria given as JSON: `{field, comparator, value}` or `{group_operator, group}`. Custom views, rules and mass actions use them.
package struct CriteriaReader {
    private let module: Module
    private let user: UserID
    private let dates: MovingDates
    /// Where lookups may be followed, as in `Owner.last_name`: what it leads to.
    private let catalog: Catalog?

    package init(module: Module, user: UserID, dates: MovingDates, catalog: Catalog? = nil) {
        self.module = module
        self.user = user
        self.dates = dates
        self.catalog = catalog
    }

    package func read(_ criteria: JSONValue) throws(Rejection) -> Condition {
        var tests = 0
        return try read(criteria, depth: 0, &tests)
    }

    private func read(_ criteria: JSONValue, depth: Int, _ tests: inout Int) throws(Rejection) -> Condition {
        guard depth < CriteriaLimits.depth else { throw Rejection(.invalidQuery, .other("reason", "nested too deeply")) }
        if criteria.isNull { return .always }
        if let group = criteria["group"]?.array {
            var parts: [Condition] = []
            for part in group { parts.append(try read(part, depth: depth + 1, &tests)) }
            return criteria["group_operator"]?.string?.lowercased() == "or" ? .any(parts) : .all(parts)
        }
        tests += 1
        guard tests <= CriteriaLimits.tests else { throw Rejection(.invalidQuery, .other("reason", "too many conditions")) }
        guard let name = criteria["field"]?["api_name"]?.string ?? criteria["field"]?.string else {
            throw Rejection(.invalidQuery, .other("reason", "invalid field"))
        }
        if name.contains("."), let catalog { return try followed(name, criteria, catalog) }
        guard let field = module.field(name) else { throw Rejection(.invalidQuery, .other("reason", "invalid field")) }
        let value = criteria["value"] ?? .null
        let comparator = try comparator(of: criteria, name)
        if value == .string("${EMPTY}") || value.isNull {
            return .test(field: name, Self.isNegative(comparator) ? .notEmpty : .empty, [])
        }
        if value == .string("${NOTEMPTY}") {
            return .test(field: name, comparator == .notEqual ? .empty : .notEmpty, [])
        }
        if field.isEncrypted, ![.equal, .notEqual, .among, .notAmong, .empty, .notEmpty].contains(comparator) {
            throw Rejection(.invalidQuery, .apiName(name), .other("reason", "the field is encrypted"))
        }
        if let days = value.string.flatMap(dates.days) { return try moving(field, comparator, days) }
        return .test(field: name, comparator, try operands(value, comparator, name))
    }

    /// A test of what lookups lead to.
    private func followed(_ name: String, _ criteria: JSONValue, _ catalog: Catalog) throws(Rejection) -> Condition {
        let steps = name.split(separator: ".", omittingEmptySubsequences: false).map { FieldPath.Step(String($0)) }
        guard let path = try? FieldPath(steps, from: module, catalog) else {
            throw Rejection(.invalidQuery, .apiName(name), .other("reason", "invalid field"))
        }
        let value = criteria["value"] ?? .null
        let comparator = try comparator(of: criteria, name)
        if value == .string("${EMPTY}") || value.isNull {
            return .path(path, Self.isNegative(comparator) ? .notEmpty : .empty, [])
        }
        return .path(path, comparator, try operands(value, comparator, name))
    }

    /// Whether "empty" is asked for the other way round.
    private static func isNegative(_ comparator: Comparator) -> Bool { comparator == .notEqual || comparator == .notEmpty }

    private func comparator(of criteria: JSONValue, _ name: String) throws(Rejection) -> Comparator {
        guard let comparator = Self.comparators[criteria["comparator"]?.string ?? ""] else {
            throw Rejection(.invalidQuery, .apiName(name), .other("operator", criteria["comparator"] ?? .null))
        }
        return comparator
    }

    private func operands(_ value: JSONValue, _ comparator: Comparator, _ name: String) throws(Rejection) -> [JSONValue] {
        guard CriteriaLimits.admits(value, comparator) else {
            throw Rejection(.invalidQuery, .apiName(name), .other("reason", "the value is missing, too long or of another type"))
        }
        return (value.array ?? [value]).map(resolved)
    }

    /// A test against days that move with the calendar. A moment equals a day when it lies in it.
    private func moving(_ field: Field, _ comparator: Comparator, _ days: ClosedRange<Int>) throws(Rejection) -> Condition {
        guard [.date, .instant].contains(field.type.comparison) else {
            throw Rejection(.invalidQuery, .apiName(field.apiName), .other("reason", "the value does not fit the field"))
        }
        let name = field.apiName
        func edge(_ day: Int) -> JSONValue {
            field.type.comparison == .instant
                ? .string(dates.start(of: day).iso(offsetMinutes: 0)) : CalendarDate(daysSinceEpoch: day).map { .string($0.iso) } ?? .null
        }
        let first = edge(days.lowerBound)
        let next = edge(days.upperBound + 1)
        let inside: Condition = .all([.test(field: name, .greaterOrEqual, [first]), .test(field: name, .less, [next])])
        return switch comparator {
        case .equal, .among, .between: inside
        case .notEqual, .notAmong: .not(inside)
        case .less: .test(field: name, .less, [first])
        case .lessOrEqual: .test(field: name, .less, [next])
        case .greater: .test(field: name, .greaterOrEqual, [next])
        case .greaterOrEqual: .test(field: name, .greaterOrEqual, [first])
        default: throw Rejection(.invalidQuery, .apiName(name), .other("reason", "the operator does not fit the field"))
        }
    }

    /// `${CURRENTUSER}` is whoever asks.
    private func resolved(_ value: JSONValue) -> JSONValue {
        value == .string("${CURRENTUSER}") ? .string(String(user.raw)) : value
    }

    private static let comparators: [String: Comparator] = [
        "equal": .equal, "equals": .equal, "not_equal": .notEqual, "in": .among, "not_in": .notAmong, "contains": .contains,
        "not_contains": .notContains, "starts_with": .startsWith, "ends_with": .endsWith, "less_than": .less, "less_equal": .lessOrEqual,
        "greater_than": .greater,
        "greater_equal": .greaterOrEqual, "between": .between, "not_between": .notBetween, "is_empty": .empty, "is_not_empty": .notEmpty,
    ]
}
