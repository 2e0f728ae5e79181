import Metadata
import SQLStore
import Wire

/// The rights of one user, put together from a catalog: the profile's, and what the role, groups and sharing settings add.
/// A class, because policies are passed by value everywhere and this is large.
final class UserRights: Sendable {
    let version: Int64
    let profile: RecordID
    let permissions: Set<String>
    /// The first profile sees every record and every field.
    let isAdministrator: Bool
    /// The catalog without the fields hidden from the profile.
    let seen: Catalog
    let rows: RowRights
    /// Fields the profile does not see, those included that would tell hidden ones.
    private let hidden: Set<FieldID>

    init(_ user: User, _ catalog: Catalog) {
        let profiles = catalog.documents(.profile)
        let names = (profiles.first { $0.id == user.profile }?.body["permissions"]?.array ?? []).compactMap(\.string)
        version = catalog.version
        profile = user.profile
        let permissions = Set(names)
        self.permissions = permissions
        isAdministrator = profiles.first?.id == user.profile
        hidden = isAdministrator ? [] : Self.hidden(from: user.profile, permissions, catalog)
        seen = catalog.hiding(hidden)
        rows = RowRights(user, catalog, permissions: permissions, seesAll: isAdministrator)
    }

    func right(on field: Field) -> FieldRight {
        if hidden.contains(field.id) { return .hidden }
        return Self.canBeLimited(field) ? field.rights[profile] ?? .readWrite : .readWrite
    }

    private static func hidden(from profile: RecordID, _ permissions: Set<String>, _ catalog: Catalog) -> Set<FieldID> {
        var hidden: Set<FieldID> = []
        for module in catalog.modules {
            for field in module.fields where field.rights[profile] == .hidden && canBeLimited(field) { hidden.insert(field.id) }
            // A value made of hidden ones would tell them; so below.
            let names = ["First_Name", "Last_Name"].compactMap { module.field($0)?.id }
            if let full = module.field("Full_Name"), names.contains(where: hidden.contains) { hidden.insert(full.id) }
        }
        // A summary may be of formulas, and a formula of summaries: until there is nothing more to hide.
        var known = -1
        while known < hidden.count {
            known = hidden.count
            for module in catalog.modules {
                for (field, formula) in module.formulas
                where formula.names.contains(where: { name in module.field(name).map { hidden.contains($0.id) } ?? false }) {
                    hidden.insert(field.id)
                }
            }
            for rollup in catalog.rollups where tells(rollup, hidden, permissions, catalog) { hidden.insert(rollup.field.id) }
        }
        return hidden
    }

    /// Whether a summary is of what the profile does not see: the module, the field summed up, the lookup, or what its criteria ask.
    private static func tells(_ rollup: Rollup, _ hidden: Set<FieldID>, _ permissions: Set<String>, _ catalog: Catalog) -> Bool {
        guard let source = catalog.module(id: rollup.source) else { return false }
        if let view = RecordOperation.view.permission(on: source), !permissions.contains(view) { return true }
        let asked = rollup.criteria.map(names) ?? []
        let fields = [rollup.via, rollup.parameter].compactMap(\.self) + asked.compactMap { source.field($0) }
        return fields.contains { hidden.contains($0.id) }
    }

    private static func names(_ criteria: JSONValue) -> [String] {
        if let group = criteria["group"]?.array { return group.flatMap(names) }
        return [criteria["field"]?["api_name"]?.string ?? criteria["field"]?.string].compactMap(\.self)
    }

    /// Nothing can be said about a record without its id.
    private static func canBeLimited(_ field: Field) -> Bool { field.columns.first?.raw != "id" }
}
