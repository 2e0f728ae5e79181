import CRMCore
import Metadata
import Wire

/// Everything settled before an endpoint runs. A value; nothing in it changes.
package struct RequestContext: Sendable {
    package let services: Services
    package let tokens: TokenStore
    /// As the caller sees it: hidden fields are not there.
    package let catalog: Catalog
    package let access: AccessPolicy
    package let scopes: ScopeSet
    package let requestID: String
    package let now: Instant
    /// Our own origin as this caller reaches it, without a slash at the end.
    package let baseURL: String
    /// Our own origin as everybody else reaches it, for links in mails: never what the caller calls us.
    package let homeURL: String
    /// The time zone in which the caller reads datetimes.
    package let zone: TimeZoneRule
    /// Empty where no token is asked for.
    package let clientID: String
    /// What this request uses of the limits; `nil` where nothing is limited.
    package let meter: CallMeter?
    /// Answers requests that came inside this one.
    package let inner: InnerDispatcher
}

extension RequestContext {
    /// Questions about records with the caller's rights and in the caller's time zone.
    package var records: RecordQueries { RecordQueries(services, catalog, access, zone: zone) }

    /// For endpoints that learn the module from a body: the same check the path's module gets.
    package func requireScope(_ operations: [String], on module: Module) throws(Rejection) {
        guard scopes.covers(operations, module: module.apiName, custom: module.isCustomMade) else { throw .scopeMismatch }
    }
}

extension Rejection {
    /// The text is the one common §2 gives; the code's usual message is another API's.
    package static var scopeMismatch: Rejection { Rejection(.oauthScopeMismatch, message: "invalid oauth scope to access this URL") }
}
