import HTTPShell

/// The recycle bin. Contract: recycle-bin, 216 and 217.
let recycleBinEndpoints: [any Endpoint.Type] = [
    ListRecycleBin.self, GetRecycleBin.self, EraseRecycleBin.self, EraseRecycleBinRecord.self, RestoreRecycleBin.self,
]
