import HTTPShell

/// Asking and changing in bulk.
let queryEndpoints: [any Endpoint.Type] = [RunQuery.self, CompositeRequests.self]
