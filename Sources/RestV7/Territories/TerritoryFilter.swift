import CRMCore
import HTTPShell
import Metadata
import Wire

/// The `filters` parameter of territory lists: one test, or tests joined by `group_operator`. Contract: territories, 2 and U34.
struct TerritoryFilter: Sendable {
    private indirect enum Test: Sendable {
        case all([Test])
        case any([Test])
        case one(key: String, comparator: String, values: [String])
    }

    private let test: Test?

    init(_ request: ParsedRequest) throws(Rejection) {
        guard let text = request.query("filters"), !text.isEmpty else {
            test = nil
            return
        }
        guard let parsed = try? JSONValue.parse(Array(text.utf8)) else { throw .invalidParameter("filters") }
        test = try Self.read(parsed, depth: 0)
    }

    private static let comparators: [String: Set<String>] = {
        let identity: Set<String> = ["equal", "not_equal"]
        let moment: Set<String> = ["equal", "less_equal", "greater_than", "less_than", "between"]
        return [
            "reporting_to.id": identity, "manager.id": identity, "id": identity, "permission_type": identity, "created_by": identity,
            "modified_by": identity, "name": identity.union(["starts_with", "ends_with", "contains", "not_contains"]),
            "created_time": moment, "modified_time": moment,
        ]
    }()

    private static func read(_ json: JSONValue, depth: Int) throws(Rejection) -> Test {
        if let group = json["group"]?.array, depth < 5 {
            var parts: [Test] = []
            for part in group { parts.append(try read(part, depth: depth + 1)) }
            return json["group_operator"]?.string?.lowercased() == "or" ? .any(parts) : .all(parts)
        }
        guard let key = json["field"]?["api_name"]?.string, let comparator = json["comparator"]?.string,
            comparators[key]?.contains(comparator) == true, let value = json["value"]
        else { throw .invalidParameter("filters") }
        let values = (value.array ?? [value]).compactMap { one in one.string ?? one["id"]?.string ?? one.int64.map(String.init) }
        guard values.count == (comparator == "between" ? 2 : 1) else { throw .invalidParameter("filters") }
        if key.hasSuffix("_time"), values.contains(where: { Instant(iso: $0) == nil }) { throw .invalidParameter("filters") }
        return .one(key: key, comparator: comparator, values: values)
    }

    func accepts(_ territory: Territory) -> Bool { test.map { Self.accepts($0, territory) } ?? true }

    private static func accepts(_ test: Test, _ territory: Territory) -> Bool {
        switch test {
        case .all(let parts): parts.allSatisfy { accepts($0, territory) }
        case .any(let parts): parts.contains { accepts($0, territory) }
        case .one(let key, let comparator, let values) where key.hasSuffix("_time"):
            compare(territory.body[key]?.string.flatMap(Instant.init(iso:)), comparator, values.compactMap(Instant.init(iso:)))
        case .one(let key, let comparator, let values): compare(text(key, territory), comparator, values[0].lowercased())
        }
    }

    private static func text(_ key: String, _ territory: Territory) -> String {
        switch key {
        case "reporting_to.id": territory.parent?.description ?? ""
        case "manager.id": territory.manager.map { String($0.raw) } ?? ""
        case "id": territory.id.description
        case "created_by", "modified_by": territory.body[key]?["id"]?.string ?? ""
        default: territory.body[key]?.string?.lowercased() ?? ""
        }
    }

    private static func compare(_ text: String, _ comparator: String, _ value: String) -> Bool {
        switch comparator {
        case "not_equal": text != value
        case "starts_with": text.hasPrefix(value)
        case "ends_with": text.hasSuffix(value)
        case "contains": text.contains(value)
        case "not_contains": !text.contains(value)
        default: text == value
        }
    }

    private static func compare(_ moment: Instant?, _ comparator: String, _ values: [Instant]) -> Bool {
        guard let moment, let first = values.first else { return false }
        return switch comparator {
        case "less_equal": moment <= first
        case "less_than": moment < first
        case "greater_than": moment > first
        case "between": moment >= first && moment <= values[1]
        default: moment == first
        }
    }
}
