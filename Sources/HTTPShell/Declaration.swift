import Metadata
import Wire

/// The request methods that endpoints answer.
package enum HTTPMethod: String, Sendable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
}

/// How much of its directory entry an endpoint fulfils; printed on the coverage page.
package enum Support: Sendable, Equatable {
    case full
    /// What is missing.
    case partial(StaticString)

    package static func == (a: Support, b: Support) -> Bool {
        switch (a, b) {
        case (.full, .full): true
        case (.partial(let left), .partial(let right)): left.description == right.description
        case (.full, .partial), (.partial, .full): false
        }
    }
}

/// A row of the directory, and how much of it is fulfilled; a literal says all of it.
package struct DirectoryRow: Sendable, ExpressibleByStringLiteral {
    package let entry: String
    package let support: Support

    package init(stringLiteral entry: String) { self.init(entry: entry, support: .full) }
    package static func partial(_ entry: String, _ missing: StaticString) -> DirectoryRow {
        DirectoryRow(entry: entry, support: .partial(missing))
    }

    package init(entry: String, support: Support) {
        self.entry = entry
        self.support = support
    }
}

/// How an endpoint wants its body.
package enum BodyKind: Sendable {
    /// In memory, up to the limit.
    case whole
    /// A form with files, read while it comes: `ParsedRequest.upload`.
    case upload
}

/// The only statement of an endpoint's method, path, scope, credits and support. Routing, `__apis` and the coverage
/// page are read from it.
package struct Declaration: Sendable {
    package let method: HTTPMethod
    /// Such as "/crm/v7/{module}/{id}/actions/merge".
    package let path: String
    /// The row of the directory: "178", "U1"; empty for extensions of our own and for OAuth.
    package let entry: String
    /// Other rows of the directory that the same call answers.
    package let also: [DirectoryRow]
    package let scope: ScopeRule
    /// What a token without the scope is told, where it is not the usual.
    package let scopeRefusal: ErrorCode?
    /// What a call costs at least, and at most: `Endpoint.load` says what the one at hand costs.
    package let credits: ClosedRange<Int>
    package let support: Support
    /// The largest body in bytes, where it is not the usual one.
    package let bodyLimit: Int?
    package let bodyKind: BodyKind
    /// What a caller without the scope is told, where the endpoint's page has words of its own.
    package let scopeMessage: String?
    /// Of an endpoint of any module: the modules it takes, where it refuses the others; it is listed for these only.
    package let modules: (@Sendable (Module) -> Bool)?

    package init(
        _ method: HTTPMethod, _ path: String, entry: String, also: [DirectoryRow] = [], scope: ScopeRule, credits: Int = 1,
        upTo mostCredits: Int? = nil, scopeRefusal: ErrorCode? = nil,
        support: Support = .full,
        bodyLimit: Int? = nil, body bodyKind: BodyKind = .whole, scopeMessage: String? = nil,
        modules: (@Sendable (Module) -> Bool)? = nil
    ) {
        self.method = method
        self.path = path
        self.entry = entry
        self.also = also
        self.scope = scope
        self.scopeRefusal = scopeRefusal
        self.credits = credits...max(credits, mostCredits ?? credits)
        self.support = support
        self.bodyLimit = bodyLimit
        self.bodyKind = bodyKind
        self.scopeMessage = scopeMessage
        self.modules = modules
    }
}
