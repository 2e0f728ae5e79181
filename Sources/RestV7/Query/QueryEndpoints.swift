import HTTPShell

/// Asking and changing in bulk.
let queryEndpoints: [any Endpoint.Type] = [
    RunQuery.self, CompositeRequests.self, MassUpdateRecords.self, GetMassUpdate.self, MassDeleteRecords.self, GetMassDelete.self,
]
