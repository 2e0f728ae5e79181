import CRMCore
import Metadata
import Wire

/// The external values in the items of a write body, found and replaced.
struct ExternalBody {
    /// Stands where a value names no record: no record ever has it, so the call answers as for any unknown id.
    static let nobody: JSONValue = "1"

    var items: [JSONValue]

    init?(_ body: JSONValue) {
        guard let items = body["data"]?.array else { return nil }
        self.items = items
    }

    /// The values an item gives for the field that names it, item by item.
    func keys(_ own: ExternalReference) -> [String?] { items.map { $0[own.field.apiName]?.string } }

    func values(_ reference: ExternalReference) -> [String] {
        var found: [String] = []
        for item in items {
            _ = Self.walk(item, reference.way[...]) { value in
                if let text = value[reference.field.apiName]?.string { found.append(text) }
                return value
            }
        }
        return found
    }

    /// Puts ids in place of the values in lookups. The external value wins over an id beside it.
    mutating func replace(_ reference: ExternalReference, _ ids: [String: RecordID]) {
        items = items.map { item in
            Self.walk(item, reference.way[...]) { value in
                guard let text = value[reference.field.apiName]?.string else { return value }
                var named: JSONValue = ["id": ids[text].map(JSONValue.id) ?? Self.nobody]
                if reference.namesModule { named["module"] = ["api_name": .string(reference.module.apiName)] }
                return named
            }
        }
    }

    /// Gives items without an id the id their external field names.
    mutating func name(_ own: ExternalReference, _ ids: [String: RecordID]) {
        items = items.map { item in
            guard case .object = item, item["id"] == nil, let text = item[own.field.apiName]?.string else { return item }
            var item = item
            item["id"] = ids[text].map(JSONValue.id) ?? Self.nobody
            return item
        }
    }

    /// Follows lookups and subforms to the objects at the end of the way.
    private static func walk(_ value: JSONValue, _ way: ArraySlice<String>, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        guard let step = way.first else { return change(value) }
        guard let inner = value[step] else { return value }
        var value = value
        if let rows = inner.array {
            value[step] = .array(rows.map { walk($0, way.dropFirst(), change) })
        } else if case .object = inner {
            value[step] = walk(inner, way.dropFirst(), change)
        }
        return value
    }
}
