import Metadata
import SQLStore
import Wire

/// What territories add to a user's rights: the records of the territories the user manages or belongs to, and of all below, to read
/// or wholly, as each says.
struct TerritoryRights: Sendable {
    private let readable: [RecordID]
    private let full: [RecordID]

    init(_ user: User, _ catalog: Catalog) {
        let reach = catalog.hasTerritories ? catalog.territories.reach(of: user.id) : [:]
        readable = reach.keys.sorted()
        full = reach.filter { $0.value == .full }.keys.sorted()
    }

    /// Rows of `module` that stand in a territory which grants `level`; `nil` when territories say nothing of them.
    func clause(_ module: Module, _ level: AccessLevel, alias: String) -> SQL? {
        let granting = level == .read ? readable : full
        guard !granting.isEmpty, TerritorySetup.supports(module) else { return nil }
        return RecordTerritories.holds(module, alias: alias, in: granting)
    }
}
