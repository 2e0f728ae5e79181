import Metadata
import Wire

extension Document.Kind {
    package static let portal: Document.Kind = "portal"
    package static let portalUserType: Document.Kind = "portal_user_type"
}

/// A door for people outside the organisation, with kinds of users that say which records and fields are meant for them.
package struct Portal: Sendable {
    package let id: RecordID
    package let name: String
    package let body: JSONValue

    init(_ document: Document) {
        id = document.id
        name = document.body["name"]?.string ?? ""
        body = document.body
    }

    package static func all(_ catalog: Catalog) -> [Portal] { catalog.documents(.portal).map(Portal.init) }

    /// Names differ by more than the case of letters.
    package static func named(_ name: String, _ catalog: Catalog) -> Portal? {
        all(catalog).first { $0.name.lowercased() == name.lowercased() }
    }
}

/// A kind of portal users: whose records they are, and what they may see of which modules.
package struct PortalUserType: Sendable {
    /// Portals, section notes.
    package static let limit = 5
    /// Not kept from looking up other records, but never people outside.
    private static let notPersonalities: Set<String> = ["Notes", "Attachments", "Tasks", "Events", "Calls"]

    package let id: RecordID
    package let portal: RecordID
    package let name: String
    package let isActive: Bool
    package let personality: ModuleID
    package let body: JSONValue

    init(_ document: Document) {
        id = document.id
        portal = document.parent ?? RecordID(raw: 0)
        name = document.body["name"]?.string ?? ""
        isActive = document.body["active"]?.bool ?? false
        personality = ModuleID(raw: document.body["personality_module"]?["id"]?.looseInt64 ?? 0)
        body = document.body
    }

    package static func all(_ catalog: Catalog) -> [PortalUserType] { catalog.documents(.portalUserType).map(PortalUserType.init) }
    package static func find(_ id: RecordID, _ catalog: Catalog) -> PortalUserType? { all(catalog).first { $0.id == id } }

    /// Modules whose records can be invited: those that have an address.
    static func canBePersonality(_ module: Module) -> Bool {
        module.table != nil && module.apiSupported && !notPersonalities.contains(module.apiName) && address(of: module) != nil
    }

    /// The field that holds the address of a person.
    static func address(of module: Module) -> Field? {
        let fields = module.whole.fields.filter { $0.type.dataType == "email" && !$0.columns.isEmpty }
        return fields.first { $0.apiName == "Email" } ?? fields.first
    }
}
