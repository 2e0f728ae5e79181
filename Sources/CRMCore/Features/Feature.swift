import Metadata
import Wire

/// Something the server can do that has a limit or a switch, as clients ask for it before they offer it. Contract: features, 181.
package struct Feature: Sendable {
    package let name: String
    package let label: String
    /// How many there may be; none where nothing is counted.
    package let limit: Int?
    /// Those it is about, when it is a matter of single modules; nil when it is one of the organisation.
    package let modules: Set<ModuleID>?
    package let components: [Feature]

    init(_ name: String, _ label: String, limit: Int? = nil, modules: Set<ModuleID>? = nil, components: [Feature] = []) {
        self.name = name
        self.label = label
        self.limit = limit
        self.modules = modules
        self.components = components
    }

    /// What this organisation has. A feature that is turned off is not there.
    package static func all(_ catalog: Catalog) -> [Feature] {
        let records = catalog.modules.filter { $0.table != nil && !$0.isSubform && $0.linkPair == nil }
        func modules(_ test: (Module) -> Bool) -> Set<ModuleID> { Set(records.filter(test).map(\.id)) }
        let every = modules { _ in true }
        var found = [
            Feature("custom_modules", "Custom Modules", limit: ModuleShaper.limit),
            Feature("custom_fields", "Custom Fields", limit: FieldShaper.customLimit, modules: every),
            Feature("global_picklists", "Global Picklists", limit: GlobalPicklist.limit),
            Feature("profiles", "Profiles", limit: ProfileShaper.limit),
            Feature("contact_roles", "Contact Roles", limit: ContactRoles.limit),
            Feature(
                "tags", "Tags", limit: TagDirectory.limitPerModule, modules: every,
                components: [Feature("tags_per_record", "Tags per Record", limit: TagStore.limitPerRecord, modules: every)]),
            Feature("find_and_merge", "Find and Merge", limit: 3, modules: modules(MergeService.supports)),
            Feature("record_locking", "Record Locking", modules: modules(LockingConfiguration.supports)),
            Feature("multi_currency", "Multiple Currencies", limit: Services.mostActive),
        ]
        if catalog.hasTerritories {
            found.append(
                Feature(
                    "territory_management", "Territory Management", limit: TerritorySetup.most, modules: modules(TerritorySetup.supports),
                    components: [
                        Feature("lead_territories", "Territories of Leads", modules: modules { $0.apiName == "Leads" }),
                        Feature("territory_users", "Users of a Territory", limit: TerritoryPeople.most),
                    ]))
        }
        return found
    }

    /// How many people the licence lets work, and how many do.
    package static func licences(_ catalog: Catalog) -> (total: Int, used: Int) {
        let roster = UserRoster(catalog)
        return (roster.licences, roster.active)
    }
}
