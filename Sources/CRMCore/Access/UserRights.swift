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

    init(_ user: User, _ catalog: Catalog) {
        let profiles = catalog.documents(.profile)
        let names = (profiles.first { $0.id == user.profile }?.body["permissions"]?.array ?? []).compactMap(\.string)
        version = catalog.version
        profile = user.profile
        permissions = Set(names)
        isAdministrator = profiles.first?.id == user.profile
        seen = isAdministrator ? catalog : catalog.hiding(Self.hidden(from: user.profile, catalog))
        rows = RowRights(user, catalog, permissions: permissions, seesAll: isAdministrator)
    }

    func right(on field: Field) -> FieldRight { Self.canBeLimited(field) ? field.rights[profile] ?? .readWrite : .readWrite }

    private static func hidden(from profile: RecordID, _ catalog: Catalog) -> Set<FieldID> {
        var hidden: Set<FieldID> = []
        for module in catalog.modules {
            for field in module.fields where field.rights[profile] == .hidden && canBeLimited(field) { hidden.insert(field.id) }
            // A value made of hidden ones would tell them.
            let names = ["First_Name", "Last_Name"].compactMap { module.field($0)?.id }
            if let full = module.field("Full_Name"), names.contains(where: hidden.contains) { hidden.insert(full.id) }
            for (field, formula) in module.formulas
            where formula.names.contains(where: { name in module.field(name).map { hidden.contains($0.id) } ?? false }) {
                hidden.insert(field.id)
            }
        }
        return hidden
    }

    /// Nothing can be said about a record without its id.
    private static func canBeLimited(_ field: Field) -> Bool { field.columns.first?.raw != "id" }
}
