import HTTPShell

/// Portals. Contract: portals, 79 to 92.
let portalEndpoints: [any Endpoint.Type] = [
    ListPortals.self, GetPortal.self, CreatePortal.self, RenamePortal.self, ListUserTypes.self, GetUserType.self, CreateUserType.self,
    UpdateUserType.self, DeleteUserType.self, ListPortalUsers.self, TransferPortalUsers.self, ChangePortalUserStatus.self,
    DeletePortalUsers.self, InvitePortalUser.self, InvitePortalUsers.self, GetPortalInvites.self, ShowPortalInvitation.self,
    AcceptPortalInvitation.self,
]
