import CRMCore
import HTTPShell
import Metadata
import Wire

extension TerritorySelection {
    /// The parameters `territory_id` and `include_child` of lists; `nil` when they are not given. Contract: records, 124.
    init?(_ request: ParsedRequest, _ module: Module, _ catalog: Catalog) throws(Rejection) {
        guard let text = request.query("territory_id"), !text.isEmpty else { return nil }
        guard TerritorySetup.supports(module), catalog.hasTerritories else { throw .invalidModule() }
        guard let id = RecordID(text), catalog.territories[id] != nil else { throw .invalidParameter("territory_id") }
        let below = request.query("include_child")?.lowercased() ?? ""
        guard ["", "true", "false"].contains(below) else {
            throw Rejection(.invalidData, .parameter("include_child"), .expectedType("boolean"))
        }
        self.init(id, below: below == "true")
    }

    /// The key `territory` of mass actions. Contract: mass-update, 201; mass-delete, 203; mass-change-owner, 219.
    init?(_ body: JSONCursor, _ module: Module, _ catalog: Catalog) throws(Rejection) {
        guard let given = body.optional("territory"), !given.value.isNull else { return nil }
        let named = try given.required("id")
        let id = try named.recordID()
        guard TerritorySetup.supports(module), catalog.hasTerritories, catalog.territories[id] != nil else {
            throw .invalid(at: named.path)
        }
        let below = given.optional("include_child").flatMap { $0.value.isNull ? nil : $0 }
        self.init(id, below: try below?.bool() ?? false)
    }
}
