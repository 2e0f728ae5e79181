import CRMCore
import HTTPShell
import Metadata
import Wire

/// Reads the `filters` parameter of a timeline (records, 134).
struct TimelineFilter {
    private static let deepest = 5, most = 50

    let context: RequestContext

    func read(_ text: String) throws(Rejection) -> Timeline.Filter {
        guard let json = try? JSONValue.parse(Array(text.utf8)) else { throw Self.refusal("filters") }
        return try read(json, depth: 0)
    }

    private func read(_ json: JSONValue, depth: Int) throws(Rejection) -> Timeline.Filter {
        guard depth < Self.deepest, json.members != nil else { throw Self.refusal("filters") }
        guard let group = json["group"] else { return try leaf(json) }
        guard let parts = group.array, (1...Self.most).contains(parts.count) else { throw Self.refusal("group") }
        var read: [Timeline.Filter] = []
        for part in parts { read.append(try self.read(part, depth: depth + 1)) }
        switch json["group_operator"]?.string?.uppercased() {
        case "AND": return .all(read)
        case "OR": return .any(read)
        default: throw Self.refusal("group_operator")
        }
    }

    private func leaf(_ json: JSONValue) throws(Rejection) -> Timeline.Filter {
        let field = json["field"]?.string ?? json["field"]?["api_name"]?.string ?? ""
        let comparator = json["comparator"]?.string ?? ""
        if field == "audited_time" {
            guard comparator == "between" else { throw Self.refusal("comparator") }
            let moments = (json["value"]?.array ?? []).compactMap { $0.string.flatMap(Instant.init(iso:)) }
            guard moments.count == 2, json["value"]?.array?.count == 2 else { throw Self.refusal("value") }
            return .between(moments[0], moments[1])
        }
        guard ["record.module.api_name", "done_by.id", "source"].contains(field) else { throw Self.refusal("field") }
        let values = try values(json["value"] ?? .null, comparator)
        switch field {
        case "record.module.api_name":
            return .modules(values.compactMap { $0.string.flatMap { context.catalog.module($0)?.id } })
        case "done_by.id":
            let ids = values.compactMap { $0.looseInt64.map(RecordID.init(raw:)) }
            guard ids.count == values.count else { throw Self.refusal("value") }
            return .users(ids)
        default:
            let names = values.compactMap(\.string)
            guard names.count == values.count else { throw Self.refusal("value") }
            return .sources(names)
        }
    }

    private func values(_ value: JSONValue, _ comparator: String) throws(Rejection) -> [JSONValue] {
        switch (comparator, value) {
        case ("equal", .string), ("equal", .number): return [value]
        case ("in", .array(let values)) where (1...Self.most).contains(values.count): return values
        case ("in", .string(let text)) where !text.isEmpty: return text.split(separator: ",").map { .string(String($0)) }
        case ("equal", _), ("in", _): throw Self.refusal("value")
        default: throw Self.refusal("comparator")
        }
    }

    private static func refusal(_ key: String) -> Rejection { Rejection(.invalidData, .apiName(key), .parameter("filters")) }
}
