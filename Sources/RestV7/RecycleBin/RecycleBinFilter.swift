import CRMCore
import HTTPShell
import Wire

/// Reads the `filters` parameter of recycle bin calls. Whatever is wrong with it is INVALID_DATA with status 403 (recycle-bin, 216).
enum RecycleBinFilter {
    private static let most = 20

    static func read(_ text: String) throws(Rejection) -> RecycleBin.Filter {
        guard let json = try? JSONValue.parse(Array(text.utf8)), json.members != nil else { throw refusal("filters") }
        var filter = RecycleBin.Filter()
        guard let group = json["group"] else {
            try add(json, to: &filter)
            return filter
        }
        guard let leaves = group.array, !leaves.isEmpty, leaves.count <= most else { throw refusal("group") }
        guard json["group_operator"]?.string?.uppercased() == "AND" || (leaves.count == 1 && json["group_operator"] == nil) else {
            throw refusal("group_operator")
        }
        for leaf in leaves { try add(leaf, to: &filter) }
        return filter
    }

    private static func add(_ leaf: JSONValue, to filter: inout RecycleBin.Filter) throws(Rejection) {
        guard let name = leaf["field"]?.string ?? leaf["field"]?["api_name"]?.string, let field = RecycleBin.Filter.Field(rawValue: name)
        else {
            throw refusal("field")
        }
        guard let comparator = leaf["comparator"]?.string.flatMap(RecycleBin.Filter.Comparator.init(rawValue:)) else {
            throw refusal("comparator")
        }
        guard let value = leaf["value"]?.string ?? leaf["value"]?["api_name"]?.string ?? leaf["value"]?["name"]?.string else {
            throw refusal("value")
        }
        guard filter.add(field, comparator, value) else { throw refusal(field == .deletedTime ? "value" : "comparator") }
    }

    private static func refusal(_ key: String) -> Rejection { Rejection(.invalidData, status: 403, .apiName(key), .parameter("filters")) }
}
