import Wire

/// Fields of the standard organisation that appear when something is turned on, such as several currencies.
package enum OptionalFields {
    /// The fields that wait for `feature`, for the modules that do not have them yet. Modules an organisation made get
    /// what leads get, where the columns are free.
    package static func documents(_ feature: String, _ catalog: Catalog, ids: () -> RecordID) throws -> [Document] {
        let seed = try StandardSeed.resource()
        let defaults = seed["field_defaults"] ?? [:]
        func fields(of name: String) -> [JSONValue] {
            (seed["fields"]?[name]?.array ?? []).filter { $0["present_when"] == .string(feature) }
        }
        var found: [Document] = []
        for module in catalog.modules where module.table != nil {
            for field in fields(of: module.generatedType == "custom" ? "Leads" : module.apiName) {
                let name = field["api_name"]?.string ?? ""
                let body = PhysicalName.withColumns(field, defaults)
                let taken = Set(module.storedColumns.map(\.name.raw))
                let columns = (body["columns"]?.array ?? []).compactMap(\.string)
                guard module.field(name) == nil, columns.allSatisfy({ !taken.contains($0) }) else { continue }
                found.append(Document(id: ids(), kind: .field, parent: RecordID(raw: module.id.raw), apiName: name, body: body))
            }
        }
        return found
    }
}
