import Metadata
import Wire

/// The survivorship policies kept for modules, one each.
package enum StoredPolicies {
    package static let kind: Document.Kind = "merge_policy"

    package static func document(of module: Module, _ catalog: Catalog) -> Document? {
        catalog.documents(kind).first { $0.parent?.raw == module.id.raw }
    }

    /// The policy given, else the module's, else the standard one.
    package static func policy(_ given: JSONCursor?, for module: Module, _ catalog: Catalog) throws(Rejection) -> SurvivorshipPolicy {
        if let given, !given.value.isNull { return try SurvivorshipPolicy(given, for: module) }
        guard let stored = document(of: module, catalog) else { return .standard(for: module) }
        return try SurvivorshipPolicy(JSONCursor(pruned(stored.body, module)), for: module)
    }

    /// A stored policy without the fields that have been deleted since: they must not stand in the way of every merge.
    private static func pruned(_ policy: JSONValue, _ module: Module) -> JSONValue {
        var policy = policy
        if let fields = policy["fields"]?.members { policy["fields"] = .object(fields.filter { module.field($0.name) != nil }) }
        if let groups = policy["groups"]?.array {
            policy["groups"] = .array(
                groups.compactMap { group in
                    var group = group
                    let left = (group["fields"]?.array ?? []).filter { $0.string.flatMap { module.field($0) } != nil }
                    group["fields"] = .array(left)
                    return left.count < 2 ? nil : group
                })
        }
        return policy
    }
}
