import CRMCore
import HTTPShell
import Metadata
import Wire

/// The list of a deal's contacts, and the scopes its calls need on both modules.
private enum DealContacts {
    static func path(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) -> RelatedPath {
        guard let deals = context.catalog.module("Deals") else { throw .invalidModule() }
        return try RelatedPath(deals, try request.recordID(), "Contact_Roles", context.catalog)
    }

    static func scope(_ operations: [String]) -> ScopeRule {
        .all(["deals", "contacts"].map { module in .fixed(operations.map { "ZohoCRM.modules.\(module).\($0)" }) })
    }

    /// The item as the linking module takes it: the role by its id.
    static func item(_ item: JSONCursor, _ context: RequestContext) throws(Rejection) -> JSONCursor {
        let given = try item.required("Contact_Role")
        let roles = ContactRoles(context.catalog)
        let role: ContactRoles.Role?
        if let id = given.value["id"] {
            role = roles.role(RecordID(raw: id.looseInt64 ?? 0))
        } else {
            role = (given.value["name"]?.string ?? given.value.string).flatMap { roles.role(named: $0) }
        }
        guard let role else { throw .invalid(at: given.path) }
        var value = item.value
        value["Contact_Role"] = .id(role.id)
        return JSONCursor(value, at: item.path)
    }
}

/// A deal's contacts with their roles. Contract: contact-roles, 191.
enum GetDealContacts: Endpoint {
    static let declaration = Declaration(.get, "/crm/v7/Deals/{id}/Contact_Roles", entry: "191", scope: DealContacts.scope(["READ"]))

    struct Input: EndpointInput {
        let list: RelatedRows
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            list = try RelatedRows(try DealContacts.path(request, context), request, context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await input.list.answer(context)
    }
}

/// One contact of a deal. Contract: contact-roles, 191.
enum GetDealContact: Endpoint {
    static let declaration = Declaration(
        .get, "/crm/v7/Deals/{id}/Contact_Roles/{related_id}", entry: "191", scope: DealContacts.scope(["READ"]))

    struct Input: EndpointInput {
        let one: GetRelatedRecord.Input
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            one = try .init(try DealContacts.path(request, context), request, context)
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        try await GetRelatedRecord.respond(input.one, context)
    }
}

/// Gives contacts a role in a deal. Contract: contact-roles, 192; related-records, 162 for several.
enum UpdateDealContacts: Endpoint {
    static let declaration = Declaration(
        .put, "/crm/v7/Deals/{id}/Contact_Roles", entry: "192", scope: DealContacts.scope(["WRITE", "UPDATE"]))

    struct Input: EndpointInput {
        let path: LinkPath
        let items: [JSONCursor]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try LinkPath(try DealContacts.path(request, context), context)
            let id = request.path["related_id"] == nil ? nil : try request.recordID("related_id", index: 3)
            var items: [JSONCursor] = []
            for item in try request.json().items("data", limit: id == nil ? 100 : 1) {
                items.append(try DealContacts.item(id.map(item.naming) ?? item, context))
            }
            self.items = items
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply { try await input.path.join(input.items, context) }
}

/// Gives a contact a role in a deal. Contract: contact-roles, 192.
enum UpdateDealContact: SameWork {
    typealias Work = UpdateDealContacts
    static let declaration = Declaration(
        .put, "/crm/v7/Deals/{id}/Contact_Roles/{related_id}", entry: "192", scope: DealContacts.scope(["WRITE", "UPDATE"]))
}

/// Takes contacts off a deal. Contract: contact-roles, 193.
enum RemoveDealContacts: Endpoint {
    static let declaration = Declaration(.delete, "/crm/v7/Deals/{id}/Contact_Roles", entry: "193", scope: DealContacts.scope(["DELETE"]))

    struct Input: EndpointInput {
        let path: LinkPath
        let ids: [RecordID]
        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            path = try LinkPath(try DealContacts.path(request, context), context)
            ids = request.path["related_id"] == nil ? try request.ids() : [try request.recordID("related_id", index: 3)]
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply { try await input.path.part(input.ids, context) }
}

/// Takes a contact off a deal. Contract: contact-roles, 193.
enum RemoveDealContact: SameWork {
    typealias Work = RemoveDealContacts
    static let declaration = Declaration(
        .delete, "/crm/v7/Deals/{id}/Contact_Roles/{related_id}", entry: "193", scope: DealContacts.scope(["DELETE"]))
}
