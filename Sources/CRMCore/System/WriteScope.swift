import Metadata
import SQLStore
import Wire

/// What every write needs. Not Sendable: it lives and dies with its transaction.
package struct WriteScope {
    package let tx: Transaction
    /// With every field; what the caller may write of them, `access` says.
    package let catalog: Catalog
    package let access: AccessPolicy
    package let origin: Origin
    package let now: Instant
    /// Joins everything one request or job does.
    package let group: RecordID
    package let ids: any IDSource
    /// Takes the changes that somebody wants to be told of.
    var feed = ChangeFeed.closed
    /// The rule in whose name this changes things, where one does.
    var automation: AutomationMark?
}

/// The catalog a request was planned on is no longer the newest; the request must be planned again.
package struct CatalogMoved: Error {
    package let newest: Int64
}
