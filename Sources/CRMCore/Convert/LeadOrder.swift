import Metadata
import Wire

/// What a caller asks for when leads are converted: which records to take, values for new ones, and what goes where.
package struct LeadOrder: Sendable {
    /// A record that is there, or values for a new one.
    struct Part: Sendable {
        let id: RecordID?
        let item: JSONCursor
    }

    /// The lead's tags that go along, by module.
    enum Tags: Sendable {
        case named([String: [String]])
        case all(Set<String>)
    }

    static let targets = ["Contacts", "Accounts", "Deals"]
    /// Mandatory for every deal made of a lead (135, request keys).
    private static let dealKeys = ["Deal_Name", "Closing_Date", "Stage", "Pipeline"]

    let path: JSONPath
    private(set) var account: Part?
    private(set) var contact: Part?
    private(set) var deal: Part?
    /// The contact's role in the deal.
    private(set) var role: RecordID?
    /// Whether a contact goes over to the account named.
    private(set) var overwrites = false
    /// Whether records that hold a unique value of the lead are taken rather than told of.
    private(set) var takesDuplicates = false
    /// Whether the owner of the lead, and those of the records made of it, are told by mail.
    private(set) var tellsLeadOwner = false
    private(set) var tellsNewOwners = false
    private(set) var owner: User?
    /// Finds owners for the new records of its module.
    private(set) var assignment: AssignmentRule?
    private(set) var attachments: String?
    private(set) var tags: Tags = .named([:])
    /// The new contact is invited to a portal as a user of this kind, by a link that begins so.
    private(set) var portalUserType: PortalUserType?
    private(set) var origin = ""
    /// Activities that change hands with the lead.
    private(set) var followers: [Module] = []

    /// The body of one conversion (135).
    package init(_ item: JSONCursor, _ catalog: Catalog) throws(Rejection) {
        path = item.path
        _ = try item.object()
        overwrites = try Self.flag("overwrite", item)
        takesDuplicates = try Self.flag("add_to_existing_record", item)
        tellsLeadOwner = try Self.flag("notify_lead_owner", item)
        tellsNewOwners = try Self.flag("notify_new_entity_owner", item)
        account = try Self.part("Accounts", item)
        contact = try Self.part("Contacts", item)
        try readCommon(item, catalog)
        if let given = Self.given("lar_id", item) { assignment = try Self.assignment(given, owner: owner, item, catalog) }
        if let given = Self.given("carry_over_tags", item) {
            var named: [String: [String]] = [:]
            for member in try given.object() where !member.value.isNull {
                let place = given.path.appending(member.name)
                guard Self.targets.contains(member.name) else { throw .unsupported(Self.targets, at: place) }
                var names: [String] = []
                for tag in try JSONCursor(member.value, at: place).elements() {
                    names.append(try (tag.optional("name") ?? tag).string())
                }
                named[member.name] = names
            }
            tags = .named(named)
        }
    }

    /// The body of many (138).
    package init(mass body: JSONCursor, _ catalog: Catalog) throws(Rejection) {
        path = body.path
        _ = try body.object()
        _ = try body.required("assign_to")
        try readCommon(body, catalog)
        var carried: Set<String> = []
        for element in try Self.given("carry_over_tags", body)?.elements() ?? [] {
            carried.insert(try Self.module(element, among: Self.targets, catalog).apiName)
        }
        tags = .all(carried)
        followers = try Self.followers(body, catalog)
    }

    /// Activities named beside a conversion.
    static func followers(_ body: JSONCursor, _ catalog: Catalog) throws(Rejection) -> [Module] {
        var found: [Module] = []
        for element in try given("related_modules", body)?.elements() ?? [] {
            let other = try Self.module(element, among: ["Tasks", "Events", "Calls"], catalog)
            if !found.contains(where: { $0.id == other.id }) { found.append(other) }
        }
        return found
    }

    private mutating func readCommon(_ item: JSONCursor, _ catalog: Catalog) throws(Rejection) {
        owner = try Self.owner(item, catalog)
        try readPortal(item, catalog)
        if let given = Self.given("Deals", item) { try readDeal(given, catalog) }
        if let given = Self.given("move_attachments_to", item) {
            let module = try Self.module(given, among: Self.targets, catalog)
            if module.apiName == "Deals", deal == nil { throw .invalid(at: given.path) }
            attachments = module.apiName
        }
    }

    /// A rule of a module that conversions add to; nobody can be named beside it.
    private static func assignment(_ given: JSONCursor, owner: User?, _ item: JSONCursor, _ catalog: Catalog) throws(Rejection)
        -> AssignmentRule
    {
        if owner != nil { throw .ambiguous(["assign_to", "lar_id"], at: item.path) }
        for name in targets {
            if let module = catalog.module(name), let rule = try? AssignmentRule.named(given, for: module, catalog) { return rule }
        }
        throw .invalid(at: given.path)
    }

    /// `portal_user_type` as the page of 138 has it, or the id alone.
    private mutating func readPortal(_ item: JSONCursor, _ catalog: Catalog) throws(Rejection) {
        origin = item.value[Self.originKey]?.string ?? ""
        guard let given = Self.given("portal_user_type", item) ?? Self.given("portal_user_type_id", item) else { return }
        let id = given.value.members == nil ? given : try given.required("id")
        guard let contacts = catalog.module("Contacts"), let type = PortalInvitation.type(try id.recordID(), for: contacts.id, catalog)
        else {
            throw .invalid(at: id.path)
        }
        portalUserType = type
    }

    /// Where a kept body says how its caller reached the server. Whatever a caller puts there is replaced.
    package static let originKey = "$origin"

    private mutating func readDeal(_ given: JSONCursor, _ catalog: Catalog) throws(Rejection) {
        guard let deals = catalog.module("Deals"), !(try given.object()).isEmpty else { return }
        if let wanted = Self.given("Contact_Role", given) {
            let roles = ContactRoles(catalog)
            let id = (wanted.value["id"] ?? wanted.value).looseInt64.map(RecordID.init(raw:))
            guard let found = id.flatMap(roles.role) ?? (wanted.value["name"] ?? wanted.value).string.flatMap(roles.role(named:)) else {
                throw .invalid(at: wanted.path)
            }
            role = found.id
        }
        let values = JSONCursor(.object(try given.object().filter { $0.name != "Contact_Role" }), at: given.path)
        deal = try Self.part(values)
        guard deal?.id == nil else { return }
        for key in Self.dealKeys where try given.required(key).value == .string("") { throw .missing(key, at: given.path) }
        // What no deal could take is refused before anything is looked up.
        let (change, _) = try RecordDecoder(
            catalog: catalog, module: deals, access: .system("rights are asked when the deal is written")
        ).decode(values, into: Record(deals, id: RecordID(raw: 0)), .insert)
        try Pipelines(catalog).check(change)
    }

    static func owner(_ item: JSONCursor, _ catalog: Catalog) throws(Rejection) -> User? {
        guard let given = given("assign_to", item) else { return nil }
        let id = given.optional("id") ?? given
        guard let user = catalog.user(UserID(raw: try id.recordID().raw)), user.active else { throw .invalid(at: id.path) }
        return user
    }

    static func module(_ given: JSONCursor, among names: [String], _ catalog: Catalog) throws(Rejection) -> Module {
        let module = try NamedModule.read(given, catalog)
        guard names.contains(module.apiName) else { throw .unsupported(names, at: given.path) }
        return module
    }

    static func given(_ name: String, _ item: JSONCursor) -> JSONCursor? {
        item.optional(name).flatMap { $0.value.isNull ? nil : $0 }
    }

    static func flag(_ name: String, _ item: JSONCursor) throws(Rejection) -> Bool { try given(name, item)?.bool() ?? false }

    private static func part(_ name: String, _ item: JSONCursor) throws(Rejection) -> Part? { try given(name, item).map(part) ?? nil }

    /// An object with an id or values; older clients send the id alone.
    private static func part(_ given: JSONCursor) throws(Rejection) -> Part? {
        if given.value.looseInt64 != nil { return Part(id: try given.recordID(), item: given) }
        guard !(try given.object()).isEmpty else { return nil }
        guard let id = Self.given("id", given) else { return Part(id: nil, item: given) }
        return Part(id: try id.recordID(), item: given)
    }
}
