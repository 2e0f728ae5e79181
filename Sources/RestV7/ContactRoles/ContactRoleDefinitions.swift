import CRMCore
import HTTPShell
import Wire

/// Roles as answers show them.
private func shown(_ roles: ContactRoles) -> [JSONValue] {
    roles.roles.enumerated().map { ["id": .id($1.id), "name": .string($1.name), "sequence_number": .integer($0 + 1)] }
}

/// The roles a contact may have in a deal. Contract: contact-roles, 187.
enum ListContactRoles: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/Contacts/roles", entry: "187", scope: .fixed(["ZohoCRM.modules.contacts.READ"]))

    static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
        let roles = shown(ContactRoles(context.catalog))
        return roles.isEmpty ? .nothing : .json(["contact_roles": .array(roles)])
    }
}

/// One role. Contract: contact-roles, 187.
enum GetContactRole: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/Contacts/roles/{role_id}", entry: "187", scope: .fixed(["ZohoCRM.modules.contacts.READ"]))

    struct Input: EndpointInput {
        let id: String
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) { id = request.path["role_id"] ?? "" }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let role = shown(ContactRoles(context.catalog)).first { $0["id"] == .string(input.id) }
        return role.map { .json(["contact_roles": [$0]]) } ?? .nothing
    }
}

/// Adds roles. Contract: contact-roles, 188.
enum CreateContactRoles: Endpoint {
    static let declaration = Declaration(.post, "/crm/v7/Contacts/roles", entry: "188", scope: .fixed(["ZohoCRM.modules.contacts.CREATE"]))

    struct Input: EndpointInput {
        let drafts: [ContactRoles.Draft]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            drafts = try ContactRoleDrafts.read(try request.json().items("contact_roles"), naming: nil, new: true)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.addContactRoles(input.drafts)
        return .items("contact_roles", outcomes, saying: "contact role added")
    }
}

/// Changes roles. Contract: contact-roles, 189.
enum UpdateContactRoles: Endpoint {
    static let declaration = Declaration(.put, "/crm/v7/Contacts/roles", entry: "189", scope: .fixed(["ZohoCRM.modules.contacts.UPDATE"]))

    struct Input: EndpointInput {
        let drafts: [ContactRoles.Draft]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let id = request.path["role_id"] == nil ? nil : try request.recordID("role_id", index: 2)
            drafts = try ContactRoleDrafts.read(
                try request.json().items("contact_roles", limit: id == nil ? 100 : 1), naming: id, new: false)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.changeContactRoles(input.drafts)
        return .items("contact_roles", outcomes, saying: "record updated")
    }
}

/// Changes the role of the path. Contract: contact-roles, 189.
enum UpdateContactRole: SameWork {
    typealias Work = UpdateContactRoles
    static let declaration = Declaration(
        .put, "/crm/v7/Contacts/roles/{role_id}", entry: "189", scope: .fixed(["ZohoCRM.modules.contacts.UPDATE"]))
}

/// Deletes roles. Contract: contact-roles, 190.
enum DeleteContactRoles: Endpoint {
    static let declaration = Declaration(
        .delete, "/crm/v7/Contacts/roles", entry: "190", scope: .fixed(["ZohoCRM.modules.contacts.DELETE"]))

    struct Input: EndpointInput {
        let ids: [RecordID]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            ids = request.path["role_id"] == nil ? try request.ids() : [try request.recordID("role_id", index: 2)]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let outcomes = try await context.services.removeContactRoles(input.ids)
        return .items("contact_roles", outcomes, saying: "contact role deleted")
    }
}

/// Deletes the role of the path. Contract: contact-roles, 190.
enum DeleteContactRole: SameWork {
    typealias Work = DeleteContactRoles
    static let declaration = Declaration(
        .delete, "/crm/v7/Contacts/roles/{role_id}", entry: "190", scope: .fixed(["ZohoCRM.modules.contacts.DELETE"]))
}

/// Reads the items of role bodies.
enum ContactRoleDrafts {
    /// Names are as long as any picklist value may be.
    private static let nameLimit = 120

    static func read(_ items: [JSONCursor], naming id: RecordID?, new: Bool) throws(Rejection) -> [ContactRoles.Draft] {
        var drafts: [ContactRoles.Draft] = []
        for item in items {
            var id = id
            if !new, id == nil { id = try item.required("id").recordID() }
            let name = new ? try item.required("name") : item.optional("name")
            let position = item.optional("sequence_number").flatMap { $0.value.isNull ? nil : $0 }
            drafts.append(
                .init(id: id, name: try name?.string(max: nameLimit, min: 1), position: try position.map(Self.position), path: item.path))
        }
        return drafts
    }

    private static func position(_ input: JSONCursor) throws(Rejection) -> Int {
        guard let number = input.value.looseInt64, (1...Int64(ContactRoles.limit)).contains(number) else { throw .invalid(at: input.path) }
        return Int(number)
    }
}
