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
    private let timeout: Duration
    private let dispatch: @Sendable (InnerRequest, Services) async -> Reply

    init(timeout: Duration, _ dispatch: @Sendable @escaping (InnerRequest, Services) async -> Reply) {
        self.timeout = timeout
        self.dispatch = dispatch
    }

    /// `services` are the outer request's, or those of a transaction it holds. `nil` when the answer was too long in coming: what
    /// waits is given up, and a write under way ends before this returns.
    package func answer(_ request: InnerRequest, _ services: Services) async -> Reply? {
        await withTaskGroup(of: Reply?.self) { group in
            group.addTask { await dispatch(request, services) }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
