import Metadata
import SQLStore
import Wire

/// What is being done to a record; each needs a right of its own.
package enum RecordOperation: String, Sendable {
    case view = "View"
    case create = "Create"
    case edit = "Edit"
    case delete = "Delete"
    case merge = "Merge"
    case convert = "Convert"
    case massConvert = "Mass_Convert"
}

/// What one user may do, worked out from one catalog version. The planner and the record store cannot work without one.
package struct AccessPolicy: Sendable {
    package let user: UserID
    private let rights: Rights

    private enum Rights: Sendable {
        /// Work of the system itself, with the reason it gave.
        case system(String)
        case profile(permissions: Set<String>)
    }

    private init(user: UserID, rights: Rights) {
        self.user = user
        self.rights = rights
    }

    /// The policy of an active user.
    package static func of(_ id: UserID, _ catalog: Catalog) throws(Rejection) -> AccessPolicy {
        guard let user = catalog.user(id), user.active else { throw Rejection(.inactiveUser) }
        let profile = catalog.documents(.profile).first { $0.id == user.profile }
        let names = (profile?.body["permissions"]?.array ?? []).compactMap(\.string)
        return AccessPolicy(user: id, rights: .profile(permissions: Set(names)))
    }

    /// Work that no user's rights limit. The reason is a literal, so every use can be found and read.
    package static func system(_ reason: StaticString) -> AccessPolicy {
        AccessPolicy(user: UserID(raw: 0), rights: .system(reason.description))
    }

    /// The same freedom, with changes recorded under the user on whose behalf it works.
    package static func system(_ reason: StaticString, for user: UserID) -> AccessPolicy {
        AccessPolicy(user: user, rights: .system(reason.description))
    }

    /// Refuses with NO_PERMISSION when the profile lacks the right. Modules without rights of their own are open.
    package func require(_ operation: RecordOperation, _ module: Module) throws(Rejection) {
        guard case .profile(let permissions) = rights else { return }
        guard let name = Self.permission(operation, module), !permissions.contains(name) else { return }
        throw Rejection(.noPermission, .permissions([name]))
    }

    /// Refuses with NO_PERMISSION when the profile lacks a right that belongs to no module, such as `Crm_Implied_Manage_Roles`.
    package func require(permission name: String) throws(Rejection) {
        guard case .profile(let permissions) = rights, !permissions.contains(name) else { return }
        throw Rejection(.noPermission, .permissions([name]))
    }

    package func may(_ operation: RecordOperation, _ module: Module) -> Bool {
        guard case .profile(let permissions) = rights, let name = Self.permission(operation, module) else { return true }
        return permissions.contains(name)
    }

    /// The predicate on rows of `module` under `alias` that the user may touch; `nil` when all.
    package func rows(of module: Module, for operation: RecordOperation, alias: String) -> SQL? { nil }

    private static func permission(_ operation: RecordOperation, _ module: Module) -> String? {
        guard let suffix = module.permissionName else { return nil }
        // Profiles list no other rights on attachments.
        if module.apiName == "Attachments", ![.view, .create, .delete].contains(operation) { return nil }
        return "Crm_Implied_\(operation.rawValue)_\(suffix)"
    }
}

extension Module {
    /// The module's name inside profile permissions; `nil` for modules that profiles do not list.
    package var permissionName: String? {
        if generatedType == "custom" { return body["module_name"]?.string ?? apiName }
        let listed = [
            "Leads", "Contacts", "Accounts", "Deals", "Tasks", "Events", "Calls", "Products", "Quotes", "Sales_Orders", "Purchase_Orders",
            "Invoices", "Campaigns", "Vendors", "Price_Books", "Cases", "Solutions",
            "Attachments", "Services__s", "Appointments__s", "Notes",
        ]
        // What an appointment was moved from is part of it.
        if apiName == RescheduleHistory.module { return "Appointments" }
        guard listed.contains(apiName) else { return nil }
        if apiName == "Deals" || apiName == "Events" { return apiName }
        return body["module_name"]?.string ?? apiName
    }
}
