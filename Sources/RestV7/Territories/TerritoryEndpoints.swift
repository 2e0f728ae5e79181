import HTTPShell

let territoryEndpoints: [any Endpoint.Type] =
    Territories.endpoints + [
        ListTerritories.self, ListChildTerritories.self, AssignTerritories.self, AssignTerritoriesToOne.self, RemoveTerritories.self,
        RemoveTerritoriesFromOne.self, TransferTerritories.self, TransferTerritoriesByDelete.self, TransferTerritory.self,
        TransferTerritoryByDelete.self, ListTerritoryUsers.self, GetTerritoryUser.self, AddTerritoryUsers.self, AddTerritoryUser.self,
        RemoveTerritoryUsers.self, RemoveTerritoryUser.self, CountTerritoryUsers.self, ListUserTerritories.self,
        GetUserTerritory.self, AddUserTerritories.self, RemoveUserTerritories.self, RemoveUserTerritory.self,
    ]
