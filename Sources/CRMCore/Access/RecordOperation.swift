import Metadata
import Wire

/// How much of a record somebody may touch. Each includes those before it.
package enum AccessLevel: Int, Sendable, Comparable, CaseIterable {
    case read = 1
    case write
    /// Deleting it, sharing it and giving it away included.
    case full

    package static func < (left: AccessLevel, right: AccessLevel) -> Bool { left.rawValue < right.rawValue }
}

/// What is being done to a record; each needs a right of its own, by its name in profiles.
package enum RecordOperation: String, Sendable {
    case view = "View"
    case create = "Create"
    case edit = "Edit"
    case delete = "Delete"
    case merge = "Merge"
    case massUpdate = "Mass_Update"
    case massDelete = "Mass_Delete"
    case changeOwner = "Change_Owner"
    case massTransfer = "Mass_Transfer"
    case share = "Share"
    case lock = "Lock"
    case tag = "Tags"
    case timeline = "AccessTimeline"
    case convert = "Convert"
    case massConvert = "Mass_Convert"
    case importing = "Import"
    case exporting = "Export"
    case sendMail = "Send_Mail"

    /// What the record itself must grant.
    package var level: AccessLevel {
        switch self {
        case .view, .timeline, .exporting, .sendMail: .read
        case .create, .edit, .merge, .massUpdate, .lock, .tag, .importing, .convert, .massConvert: .write
        case .delete, .massDelete, .changeOwner, .massTransfer, .share: .full
        }
    }

    /// The right that stands in for this one where profiles do not list it for a module.
    var base: RecordOperation {
        switch self {
        case .view, .timeline, .exporting, .sendMail: .view
        case .create, .importing: .create
        case .edit, .merge, .massUpdate, .changeOwner, .massTransfer, .share, .lock, .tag, .convert, .massConvert: .edit
        case .delete, .massDelete: .delete
        }
    }

    /// Whether profiles list this right for the module itself.
    package func isListed(for module: Module) -> Bool {
        module.permissionName.map { PermissionList.standardNames.contains("Crm_Implied_\(rawValue)_\($0)") } ?? false
    }

    /// The right's name in profiles; `nil` for modules that profiles do not list.
    func permission(on module: Module) -> String? {
        guard let suffix = module.permissionName else { return nil }
        let name = "Crm_Implied_\(rawValue)_\(suffix)"
        if module.generatedType == "custom" ? ModulePermissions.operations.contains(self) : PermissionList.standardNames.contains(name) {
            return name
        }
        return base == self ? nil : base.permission(on: module)
    }
}

extension Module {
    /// The module's name inside profile permissions; `nil` for modules that profiles do not list.
    package var permissionName: String? {
        if generatedType == "custom" { return body["module_name"]?.string ?? apiName }
        let listed = [
            "Leads", "Contacts", "Accounts", "Deals", "Tasks", "Events", "Calls", "Products", "Quotes", "Sales_Orders", "Purchase_Orders",
            "Invoices", "Campaigns", "Vendors", "Price_Books", "Cases", "Solutions", "Attachments", "Notes", "Services__s",
            "Appointments__s",
        ]
        // What an appointment was moved from is part of it.
        if apiName == RescheduleHistory.module { return "Appointments" }
        guard listed.contains(apiName) else { return nil }
        if apiName == "Deals" || apiName == "Events" { return apiName }
        return body["module_name"]?.string ?? apiName
    }
}
