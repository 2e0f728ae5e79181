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
        return try SurvivorshipPolicy(JSONCursor(stored.body), for: module)
    }
}
