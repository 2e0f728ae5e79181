import HTTPShell

/// Jobs of any kind; an extension of ours.
package let jobEndpoints: [any Endpoint.Type] = [ListJobs.self, GetJob.self]
