import Metadata
import SQLStore
import Wire

/// What one user may do, worked out from one catalog version: which modules, which records, which fields. The planner and the
/// record store cannot work without one. The rules are told in `docs/rights.md`.
package struct AccessPolicy: Sendable {
    package let user: UserID
    private let rights: Rights

    private enum Rights: Sendable {
        /// Work of the system itself, with the reason it gave.
        case system(String)
        case user(UserRights)
    }

    private init(user: UserID, rights: Rights) {
        self.user = user
        self.rights = rights
    }

    /// The policy of an active user.
    package static func of(_ id: UserID, _ catalog: Catalog) throws(Rejection) -> AccessPolicy {
        guard let user = catalog.user(id), user.active else { throw Rejection(.inactiveUser) }
        return AccessPolicy(user: id, rights: .user(UserRights(user, catalog.whole)))
    }

    /// Work that no user's rights limit. The reason is a literal, so every use can be found and read.
    package static func system(_ reason: StaticString) -> AccessPolicy {
        AccessPolicy(user: UserID(raw: 0), rights: .system(reason.description))
    }

    /// The same freedom, with changes recorded under the user on whose behalf it works.
    package static func system(_ reason: StaticString, for user: UserID) -> AccessPolicy {
        AccessPolicy(user: user, rights: .system(reason.description))
    }

    /// Whose rights these are, where they follow from that catalog; `nil` for work of the system.
    func rightsHolder(in catalog: Catalog) -> UserID? { own.flatMap { $0.version == catalog.version ? user : nil } }

    private var own: UserRights? { if case .user(let own) = rights { own } else { nil } }
}

/// Modules.
extension AccessPolicy {
    /// Refuses with NO_PERMISSION when the profile lacks the right. Modules without rights of their own are open.
    package func require(_ operation: RecordOperation, _ module: Module) throws(Rejection) {
        guard let own, let name = operation.permission(on: module), !own.permissions.contains(name) else { return }
        throw Rejection(.noPermission, .permissions([name]))
    }

    /// Refuses with NO_PERMISSION when the profile lacks a right that belongs to no module, such as `Crm_Implied_Manage_Roles`.
    package func require(permission name: String) throws(Rejection) {
        guard !may(permission: name) else { return }
        throw Rejection(.noPermission, .permissions([name]))
    }

    package func may(_ operation: RecordOperation, _ module: Module) -> Bool {
        guard let own, let name = operation.permission(on: module) else { return true }
        return own.permissions.contains(name)
    }

    package func may(permission name: String) -> Bool { own?.permissions.contains(name) ?? true }

    /// The refusal of what a record that the caller sees does not grant.
    package static func refusal(_ operation: RecordOperation, on id: RecordID, of module: Module) -> Rejection {
        let name = operation.permission(on: module) ?? "Crm_Implied_\(operation.rawValue)_\(module.permissionName ?? module.apiName)"
        return Rejection(.noPermission, .id(id), .permissions([name]))
    }
}

/// Records.
extension AccessPolicy {
    /// The predicate on rows of `module` under `alias` that the user may touch; `nil` when all.
    package func rows(of module: Module, for operation: RecordOperation, alias: String) -> SQL? {
        own?.rows.clause(module.whole, operation.level, alias: alias)
    }

    /// How much of each row the user may touch, as the number of an `AccessLevel`; `nil` when all may be touched wholly. For rows
    /// that the user sees.
    func level(of module: Module, alias: String) -> SQL? {
        guard let rows = own?.rows, let full = rows.clause(module.whole, .full, alias: alias) else { return nil }
        guard let write = rows.clause(module.whole, .write, alias: alias) else { return "CASE WHEN \(full) THEN 3 ELSE 2 END" }
        return "CASE WHEN \(full) THEN 3 WHEN \(write) THEN 2 ELSE 1 END"
    }

    /// The predicate on rows of `sys_grave g`, of the modules in `catalog`, that the user may touch; `nil` when all.
    func graves(for operation: RecordOperation) -> SQL? { own?.rows.graves(operation) }

    /// Those among the graves `ids` that the user may touch so.
    func graves(_ ids: Set<RecordID>, for operation: RecordOperation, _ tx: Transaction) throws -> Set<RecordID> {
        guard !ids.isEmpty, let clause = graves(for: operation) else { return ids }
        let found = try tx.rows("SELECT g.id FROM sys_grave g WHERE \(.memberIDs("g.id", ids.map(\.raw).sorted())) AND \(clause)") {
            RecordID(raw: $0.integer(0) ?? 0)
        }
        return Set(found)
    }

    /// Those among `ids` that the user may touch so. No statement where all may be.
    func rows(_ ids: Set<RecordID>, of module: Module, for operation: RecordOperation, _ tx: Transaction) throws -> Set<RecordID> {
        guard !ids.isEmpty, let clause = rows(of: module, for: operation, alias: "t"), let table = module.table else { return ids }
        let found = try tx.rows("SELECT t.id FROM \(table) t WHERE \(.memberIDs("t.id", ids.map(\.raw).sorted())) AND \(clause)") {
            RecordID(raw: $0.integer(0) ?? 0)
        }
        return Set(found)
    }
}

/// Fields.
extension AccessPolicy {
    /// The catalog as the user sees it: a field hidden from the profile is not there, under no name and no id. What it costs to
    /// make is paid once for a user and a version.
    package func seen(_ catalog: Catalog) -> Catalog {
        guard let own, own.version == catalog.version else { return catalog.whole }
        return own.seen
    }

    /// What the user may do with a field.
    package func right(on field: Field) -> FieldRight {
        guard let own, !own.isAdministrator else { return .readWrite }
        return own.right(on: field)
    }

    /// Refuses a path through, or to, a hidden field like one to a field that is not there.
    func requireSeen(_ path: FieldPath) throws(Rejection) {
        guard let hidden = path.fields.first(where: { right(on: $0) == .hidden }) else { return }
        throw Rejection(.invalidQuery, .other("column_name", .string(hidden.apiName)), .other("reason", "invalid column"))
    }

    /// What people call a record, unless the user may not see it.
    package func name(of record: Record) -> String? {
        guard let field = record.module.displayField, right(on: field) != .hidden else { return nil }
        return record.displayName
    }
}
