import Metadata
import SQLStore
import Wire

extension Document.Kind {
    package static let recordLocking: Document.Kind = "record_locking"
}

/// What may be forbidden on a locked record.
package enum LockedAction: String, Sendable, CaseIterable {
    case update, tags, convert, delete
    case changeOwner = "change_owner"
}

/// What may not be sent about a locked record. There are no surveys here, so that one forbids nothing.
package enum LockedCommunication: String, Sendable, CaseIterable {
    case sendMail = "send_mail"
    case sendSurvey = "send_survey"
    case sendPortalInvitation = "send_portal_invitation"
}

/// How a module's records are locked: by whom, by which rules, and what that forbids to whom. Contract: record-locking-configuration.
package struct LockingConfiguration: Sendable {
    package enum LockType: String, Sendable, CaseIterable { case manual, automatic, both }

    package struct Rule: Sendable {
        package let id: RecordID
        package let name: String
        package let criteria: JSONValue
        package let locksExisting: Bool
    }

    package let id: RecordID
    package let module: ModuleID
    package let type: LockType
    package let restricted: Set<LockedAction>
    package let silenced: Set<LockedCommunication>
    package let rules: [Rule]
    /// Fields that may be changed all the same.
    package let excludedFields: Set<FieldID>
    /// `nil` when records are locked for everybody.
    package let excludedProfiles: Set<RecordID>?
    package let body: JSONValue

    private static let standardModules: Set<String> = [
        "Leads", "Accounts", "Contacts", "Deals", "Tasks", "Cases", "Solutions", "Vendors", "Price_Books", "Quotes", "Sales_Orders",
        "Purchase_Orders",
        "Invoices",
    ]

    /// Whether records of the module can be locked at all.
    package static func supports(_ module: Module) -> Bool {
        (standardModules.contains(module.apiName) || module.generatedType == "custom") && module.lockColumn != nil
    }

    /// The configuration of a module; there is one at most.
    package static func of(_ module: Module, _ catalog: Catalog) -> LockingConfiguration? {
        catalog.documents(.recordLocking).first { $0.parent?.raw == module.id.raw }.map(LockingConfiguration.init)
    }

    init(_ document: Document) {
        let body = document.body
        func ids(_ key: String) -> [Int64] { (body[key]?.array ?? []).compactMap { $0["id"]?.looseInt64 } }
        id = document.id
        module = ModuleID(raw: document.parent?.raw ?? 0)
        type = LockType(rawValue: body["lock_type"]?.string ?? "") ?? .manual
        restricted = Set((body["restricted_actions"]?.array ?? []).compactMap { $0.string.flatMap(LockedAction.init(rawValue:)) }).union([
            .update
        ])
        silenced = Set(
            (body["restricted_communications"]?.array ?? []).compactMap { $0.string.flatMap(LockedCommunication.init(rawValue:)) })
        rules = (body["locking_rules"]?.array ?? []).map { rule in
            Rule(
                id: RecordID(raw: rule["id"]?.looseInt64 ?? 0), name: rule["name"]?.string ?? "", criteria: rule["criteria"] ?? .null,
                locksExisting: rule["lock_existing_records"]?.bool ?? false)
        }
        excludedFields = Set(ids("excluded_fields").map(FieldID.init(raw:)))
        excludedProfiles = body["locked_for"]?.string == "all_profiles" ? nil : Set(ids("lock_excluded_profiles").map(RecordID.init(raw:)))
        self.body = body
    }

    /// Whether locks hold for a user.
    package func binds(_ user: User?) -> Bool {
        guard let excludedProfiles, let user else { return true }
        return !excludedProfiles.contains(user.profile)
    }

    /// Refuses what the module's configuration forbids on a locked record. `changing` names the fields, where fields are changed.
    static func refuse(_ action: LockedAction, on record: Record, changing: Set<FieldID>? = nil, _ scope: WriteScope) throws(Rejection) {
        guard record["Locked__s"].integer == 1, let configuration = of(record.module, scope.catalog),
            configuration.restricted.contains(action),
            configuration.binds(scope.catalog.user(scope.access.user))
        else { return }
        try refuse(record, configuration, changing)
    }

    /// Refuses what the configuration forbids to be sent about a locked record.
    static func refuse(_ communication: LockedCommunication, on record: Record, _ scope: WriteScope) throws(Rejection) {
        guard record["Locked__s"].integer == 1, let configuration = of(record.module, scope.catalog),
            configuration.silenced.contains(communication), configuration.binds(scope.catalog.user(scope.access.user))
        else { return }
        throw Rejection(.recordLocked, message: "record is locked", .id(record.id))
    }

    private static func refuse(_ record: Record, _ configuration: LockingConfiguration, _ changing: Set<FieldID>?) throws(Rejection) {
        if let changing, changing.isSubset(of: configuration.excludedFields) { return }
        throw Rejection(.recordLocked, message: "record is locked", .id(record.id))
    }
}

extension Module {
    /// Where a record says that it is locked.
    package var lockColumn: ColumnName? { field("Locked__s")?.columns.first }
}
