import CRMCore
import HTTPShell

/// OAuth 2.0. Contract: common, §3.
package let oauthEndpoints: [any Endpoint.Type] = [AskAuthorization.self, AnswerAuthorization.self, IssueToken.self, RevokeToken.self]

extension RequestContext {
    var clients: ClientStore { ClientStore(services.database, ids: services.ids, clock: services.clock) }
    var credentials: CredentialStore { CredentialStore(services.database, clock: services.clock) }
}
