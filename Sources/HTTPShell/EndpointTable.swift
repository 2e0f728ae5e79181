import Wire

/// Every endpoint by method and path.
package struct EndpointTable: Sendable {
    /// An endpoint with its types closed over.
    struct Entry: Sendable {
        let declaration: Declaration
        let scope: ScopeCheck
        let answer: @Sendable (ParsedRequest, RequestContext) async throws -> Reply
        let pattern: PathPattern
        /// Whether calls cost credits: those of the API, not of sign-in or downloads.
        let isCounted: Bool

        init<E: Endpoint>(_ endpoint: E.Type) {
            declaration = E.declaration
            scope = ScopeCheck(E.declaration.scope)
            pattern = PathPattern(E.declaration.path)
            isCounted = E.declaration.path.hasPrefix("/crm/")
            answer = { request, context in
                let input = try E.Input(request, context)
                try context.meter?.bear(E.load(input))
                return try await E.respond(input, context)
            }
        }
    }

    struct Match: Sendable {
        let entry: Entry
        let method: HTTPMethod
        let parameters: [String: String]
    }

    package let declarations: [Declaration]
    private let entries: [Entry]
    private let root: PathNode

    /// Two endpoints of one method and path are a mistake in the list, found by the first start.
    package init(_ endpoints: [any Endpoint.Type]) {
        let entries = endpoints.map { Self.entry($0) }
        var root = PathNode()
        for word in Self.reservedAfterVersion { root.reserve(["crm", "v7", word]) }
        for (index, entry) in entries.enumerated() {
            let taken = root.insert(index, entry.declaration.method, entry.pattern.steps[...])
            precondition(!taken, "declared twice: \(entry.declaration.method.rawValue) \(entry.declaration.path)")
        }
        self.entries = entries
        self.root = root
        declarations = entries.map(\.declaration)
    }

    /// First words of the directory's paths that are no module, whether we answer them yet or not.
    private static let reservedAfterVersion = [
        "__apis", "__composite_requests", "__digest", "__features", "__jobs", "__zia_org_enrichment", "__zia_people_enrichment", "actions",
        "coql",
        "files", "functions", "org", "settings", "upload", "users",
    ]

    private static func entry<E: Endpoint>(_ endpoint: E.Type) -> Entry { Entry(endpoint) }

    /// A page and some clients spell the users' paths with a capital (users, 121).
    private static func known(_ segments: [String]) -> [String] {
        guard segments.count > 2, segments[2] == "Users", segments[0] == "crm", segments[1] == "v7" else { return segments }
        return segments[..<2] + ["users"] + segments[3...]
    }

    /// The endpoint for a request line. An unknown path is INVALID_URL_PATTERN; a known one that has not this method
    /// INVALID_REQUEST_METHOD. Contract: common, §1.
    func match(_ method: String, _ segments: [String]) throws(Rejection) -> Match {
        // What the users' paths do not know may be one of the module's.
        var segments = segments
        var places = root.places(for: Self.known(segments)[...])
        if places.isEmpty { places = root.places(for: segments[...]) } else { segments = Self.known(segments) }
        guard let best = places.first else { throw Rejection(.invalidURLPattern) }
        guard let known = HTTPMethod(rawValue: method) else { throw Rejection(.invalidRequestMethod) }
        for place in places where !place.ignoresWordOf(best) {
            guard let index = place.endpoints[known] else { continue }
            let entry = entries[index]
            return Match(entry: entry, method: known, parameters: entry.pattern.parameters(in: segments))
        }
        throw Rejection(.invalidRequestMethod)
    }
}
