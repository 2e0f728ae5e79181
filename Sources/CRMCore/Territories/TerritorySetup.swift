import Metadata
import SQLStore
import Wire

/// Which modules have territories, and how an organisation comes to have any. Contract: territories, section notes.
package enum TerritorySetup {
    /// The modules whose records stand in territories, with how many each record may have (territories, 8, limits).
    package static let limits: [String: Int] = ["Leads": 10, "Accounts": 10, "Contacts": 10, "Deals": 1]
    /// Those whose records find their territories by criteria, with the key that holds the criteria.
    package static let criteriaKeys: [(module: String, key: String)] = [
        ("Accounts", "account_rule_criteria"), ("Leads", "lead_rule_criteria"), ("Deals", "deal_rule_criteria"),
    ]

    /// As many as an organisation may have: one page holds them all.
    package static let most = 2_000

    package static func supports(_ module: Module) -> Bool { limits[module.apiName] != nil }

    /// Refuses while the organisation has territories turned off.
    package static func require(_ catalog: Catalog) throws(Rejection) {
        guard catalog.hasTerritories else { throw Rejection(.territoryNotEnabled) }
    }

    /// Records keep their places while territories are off.
    static func turn(on: Bool, _ services: Services) async throws -> JSONValue {
        try await services.changeMetadata { scope in
            guard let org = scope.catalog.documents(.org).first else { return }
            var body = org.body
            body["territories_off"] = .bool(!on)
            try scope.replace(org.id, body: body)
        }
        return ["territories": .string(on ? "on" : "off")]
    }

    /// Ids of what is set up stand between those of the seed and those made later.
    private static let firstID: Int64 = 112_000_000_000_000_000

    /// Gives an organisation that has none its topmost territory, and the records of the four modules the field that shows theirs.
    static func install(at now: Instant, _ tx: Transaction) throws {
        let there = try tx.first("SELECT 1 FROM sys_metadata WHERE kind = \(.text(Document.Kind.territory.name)) LIMIT 1") { _ in true }
        guard there == nil else { return }
        let catalog = try MetadataStore.load(tx)
        var next = firstID
        func id() -> RecordID {
            next += 1
            return RecordID(raw: next)
        }
        let name = catalog.organization["company_name"] ?? "Organization"
        let top = Document(
            id: id(), kind: .territory, apiName: name.string,
            body: [
                "name": name, "api_name": name, "description": .null, "permission_type": .string(Territory.Permission.full.rawValue),
                "manager": .null, "reporting_to": .null, "created_by": .null, "created_time": time(now, catalog), "modified_by": .null,
                "modified_time": time(now, catalog), "users": [],
            ])
        let modules = Set(catalog.modules.filter(supports).map(\.id.raw))
        let fields = try OptionalFields.documents("territory_management", catalog, ids: id).filter { modules.contains($0.parent?.raw ?? 0) }
        try MetadataStore.insert([top] + fields, at: now, tx)
        try MetadataStore.bumpVersion(tx)
    }

    private static func time(_ now: Instant, _ catalog: Catalog) -> JSONValue {
        .string(now.iso(offsetMinutes: catalog.zone.offsetMinutes(at: now)))
    }
}

extension Catalog {
    /// On unless an administrator has turned them off.
    package var hasTerritories: Bool { organization["territories_off"]?.bool != true && territories.top != nil }
}
