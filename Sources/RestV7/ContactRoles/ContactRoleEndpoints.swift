import HTTPShell

/// Roles of contacts, and contacts in their roles on deals. Contract: contact-roles, 187 to 193.
let contactRoleEndpoints: [any Endpoint.Type] = [
    ListContactRoles.self, GetContactRole.self, CreateContactRoles.self, UpdateContactRoles.self, UpdateContactRole.self,
    DeleteContactRoles.self,
    DeleteContactRole.self, GetDealContacts.self, GetDealContact.self, UpdateDealContacts.self, UpdateDealContact.self,
    RemoveDealContacts.self,
    RemoveDealContact.self,
]
