import Metadata
import Wire

/// A territory that narrows a list or a mass action, alone or with all below it.
package struct TerritorySelection: Sendable {
    private let territory: RecordID
    private let below: Bool

    package init(_ territory: RecordID, below: Bool) {
        self.territory = territory
        self.below = below
    }

    /// Back from the kept form.
    init?(_ json: JSONValue) {
        guard let id = json["id"]?.looseInt64 else { return nil }
        self.init(RecordID(raw: id), below: json["include_child"]?.bool ?? false)
    }

    var json: JSONValue { ["id": .id(territory), "include_child": .bool(below)] }

    package func condition(_ catalog: Catalog) -> Condition {
        .inTerritories([territory] + (below ? catalog.territories.below(territory).sorted() : []))
    }
}
