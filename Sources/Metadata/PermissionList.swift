import Wire

/// The rights a profile can have, in the order of the seed file. Custom modules add five each.
package enum PermissionList {
    package struct Permission: Sendable {
        package let id: RecordID
        package let name: String
        package let label: String
        package let module: String?
        package let customizable: Bool
        package let parents: [String]
    }

    /// Ids stand between those of the seed and those made later; they name rights only.
    private static let firstID: Int64 = 110_000_000_000_000_000, firstCustomID: Int64 = 111_000_000_000_000_000

    private static let seed: JSONValue = (try? StandardSeed.resource())?["org"]?["profiles"] ?? [:]

    private static let standard: [Permission] = (seed["permissions_details"]?.array ?? []).enumerated().map { index, body in
        Permission(
            id: RecordID(raw: firstID + Int64(index)), name: body["name"]?.string ?? "", label: body["display_label"]?.string ?? "",
            module: body["module"]?.string, customizable: body["customizable"]?.bool ?? true,
            parents: (body["parent_permissions"]?.array ?? []).compactMap(\.string))
    }

    /// The rights that are there before any custom module.
    package static let standardNames = Set(standard.map(\.name))

    /// Sections and categories as the profile page groups rights, by their names.
    package static let sections: [JSONValue] = seed["sections"]?.array ?? []

    package static func all(_ catalog: Catalog) -> [Permission] {
        standard
            + catalog.modules.filter { $0.generatedType == "custom" }.flatMap { module in
                let suffix = module.body["module_name"]?.string ?? module.apiName
                let number = Int64(suffix.drop { !$0.isNumber }) ?? 0
                return ["View", "Create", "Edit", "Delete", "Merge"].enumerated().map { index, operation in
                    Permission(
                        id: RecordID(raw: firstCustomID + number * 10 + Int64(index)), name: "Crm_Implied_\(operation)_\(suffix)",
                        label: operation, module: module.apiName,
                        customizable: true, parents: index == 0 ? [] : ["Crm_Implied_View_\(suffix)"])
                }
            }
    }
}
