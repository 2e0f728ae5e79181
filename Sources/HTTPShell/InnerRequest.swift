import CRMCore

/// A request that another one carries.
package struct InnerRequest: Sendable {
    package let method: String
    /// Path and query.
    package let target: String
    package let headers: [(String, String)]
    package let body: [UInt8]

    package init(method: String, target: String, headers: [(String, String)] = [], body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

/// Answers inner requests for the caller of the outer one, with scopes and rights checked as always.
package struct InnerDispatcher: Sendable {
    private let dispatch: @Sendable (InnerRequest, Services) async -> Reply

    init(_ dispatch: @Sendable @escaping (InnerRequest, Services) async -> Reply) { self.dispatch = dispatch }

    /// `services` are the outer request's, or those of a transaction it holds.
    package func answer(_ request: InnerRequest, _ services: Services) async -> Reply { await dispatch(request, services) }
}
