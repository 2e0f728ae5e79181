import Metadata
import Wire

/// The options of a picklist in their stored form: `{display_value, actual_value, reference_value, sequence_number, colour_code, type, id}`.
package struct PicklistValues {
    /// Contract: global-picklists, section note.
    static let usedLimit = 1000, unusedLimit = 500, textLimit = 120
    static let none = "-None-"

    package private(set) var values: [JSONValue]
    /// Options whose shown value changed: records that hold the old text must take the new one.
    private(set) var renamed: [(old: String, new: String)] = []

    init(_ values: [JSONValue] = []) { self.values = values }

    /// A field body whose options have ids.
    static func withIDs(_ field: JSONValue, _ ids: any IDSource) -> JSONValue {
        guard let values = field["pick_list_values"]?.array, !values.isEmpty else { return field }
        var field = field
        field["pick_list_values"] = .array(
            values.map { value in
                var value = value
                if value["id"] == nil { value["id"] = .id(ids.next()) }
                return value
            })
        return field
    }

    /// Adds or changes the options a request names. One with a known id or actual value changes that option. `_delete` takes one away
    /// where that may be done (`removing`), and is refused elsewhere.
    mutating func apply(_ given: JSONCursor, _ ids: any IDSource, removing: Bool = false) throws(Rejection) {
        let items = try given.elements()
        var removed = 0
        for item in items {
            _ = try item.object()
            let index = try index(of: item)
            if let delete = item.optional("_delete"), delete.value != .bool(false) {
                guard removing else { throw .notAllowed(at: delete.path, message: "options are removed from global picklists only") }
                guard let index else { throw .missing("id", at: item.path) }
                removed += 1
                // One for each call (global-picklists, U28).
                guard removed == 1 else {
                    throw Rejection(.limitExceeded, .apiName("pick_list_values"), .jsonPath(given.path), .other("limit", 1))
                }
                guard values[index]["display_value"]?.string != Self.none else { throw .notAllowed(at: item.path) }
                values.remove(at: index)
            } else {
                try set(item, at: index, ids)
            }
        }
        try check(given)
        for index in values.indices { values[index]["sequence_number"] = .integer(index + 1) }
    }

    private func index(of item: JSONCursor) throws(Rejection) -> Int? {
        if let id = item.optional("id"), !id.value.isNull {
            let wanted = try id.recordID().description
            guard let found = values.firstIndex(where: { $0["id"]?.string == wanted }) else { throw .invalid(at: id.path) }
            return found
        }
        guard let actual = item.value["actual_value"]?.string else { return nil }
        return values.firstIndex { Self.actual($0) == actual }
    }

    private mutating func set(_ item: JSONCursor, at index: Int?, _ ids: any IDSource) throws(Rejection) {
        var value: JSONValue = index.map { values[$0] } ?? ["id": .id(ids.next())]
        if index == nil || item.value["display_value"] != nil {
            let shown = try text(item, "display_value")
            if let old = value["display_value"]?.string, old != shown { renamed.append((old, shown)) }
            value["display_value"] = .string(shown)
        }
        if let actual = item.optional("actual_value"), !actual.value.isNull {
            value["actual_value"] = .string(try text(item, "actual_value"))
        } else if value["actual_value"] == nil {
            value["actual_value"] = value["display_value"]
        }
        if value["reference_value"] == nil { value["reference_value"] = value["actual_value"] }
        if let colour = item.optional("colour_code") { value["colour_code"] = colour.value }
        if let type = item.optional("type"), !type.value.isNull {
            guard ["used", "unused"].contains(type.value.string) else { throw .unsupported(["used", "unused"], at: type.path) }
            value["type"] = type.value
        }
        if let index { values[index] = value } else { values.append(value) }
        if let place = item.optional("sequence_number")?.value.looseInt64, let from = values.firstIndex(where: { $0["id"] == value["id"] })
        {
            values.remove(at: from)
            values.insert(value, at: min(max(Int(place) - 1, 0), values.count))
        }
    }

    /// No emoji: they do not fit the columns of the original, and clients have learned that they are refused.
    private func text(_ item: JSONCursor, _ key: String) throws(Rejection) -> String {
        let given = try item.required(key)
        let text = try given.string(max: Self.textLimit, min: 1)
        guard !text.unicodeScalars.contains(where: { $0.value > 0xFFFF }) else { throw .invalid(at: given.path) }
        return text
    }

    private func check(_ given: JSONCursor) throws(Rejection) {
        for key in ["display_value", "actual_value"] {
            var seen: Set<String> = []
            for value in values {
                guard let text = value[key]?.string else { continue }
                if !seen.insert(text).inserted {
                    let at = (try? given.elements())?.last { $0.value[key]?.string == text || $0.value["display_value"]?.string == text }
                    throw .duplicate(at: (at?.path ?? given.path).appending(key))
                }
            }
        }
        let unused = values.count { $0["type"]?.string == "unused" }
        for (count, limit) in [(values.count - unused, Self.usedLimit), (unused, Self.unusedLimit)] where count > limit {
            throw Rejection(.limitExceeded, .apiName("pick_list_values"), .jsonPath(given.path), .other("limit", .integer(limit)))
        }
    }

    /// Puts `-None-` first, as every single-choice list has it.
    mutating func addNone(_ ids: any IDSource) {
        guard !values.contains(where: { $0["display_value"]?.string == Self.none }) else { return }
        values.insert(
            [
                "id": .id(ids.next()), "display_value": .string(Self.none), "actual_value": .string(Self.none),
                "reference_value": .string(Self.none),
            ], at: 0)
        for index in values.indices { values[index]["sequence_number"] = .integer(index + 1) }
    }

    /// In alphabetical order, `-None-` first.
    mutating func sort() {
        values.sort { left, right in
            let (a, b) = (left["display_value"]?.string ?? "", right["display_value"]?.string ?? "")
            return (a == Self.none ? 0 : 1, a.lowercased(), a) < (b == Self.none ? 0 : 1, b.lowercased(), b)
        }
        for index in values.indices { values[index]["sequence_number"] = .integer(index + 1) }
    }

    package static func actual(_ value: JSONValue) -> String? { value["actual_value"]?.string ?? value["display_value"]?.string }
}
