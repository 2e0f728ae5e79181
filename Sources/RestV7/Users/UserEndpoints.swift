import HTTPShell

let userEndpoints: [any Endpoint.Type] = [
    ListUsers.self, GetUser.self, CountUsers.self, AddUser.self, UpdateUsers.self, UpdateUser.self, DeleteUser.self, TransferUsers.self,
    TransferUser.self, GetUserTransfer.self, SearchUsers.self,
]
