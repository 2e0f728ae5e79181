import CRMCore
import Metadata
import Wire

/// The way every request goes. Each stage may refuse; what it refuses is said in docs/ARCHITECTURE.md.
extension Shell {
    func walk(_ incoming: IncomingRequest, _ meter: CallMeter?, _ trace: inout RequestTrace) async throws -> Reply {
        let target = try RequestTarget(incoming.target)
        let match = try table.match(incoming.method, target.segments)
        let body = try body(of: incoming, match)
        let grant = match.entry.scope.needsToken ? try await Authenticator(tokens: tokens).grant(incoming.header("authorization")) : nil
        trace.userID = grant?.user.raw
        let catalog = services.catalog.current()
        let policy = try policy(of: grant, catalog)
        try checkScope(match, grant, catalog)
        if let grant, match.entry.isCounted { try meter?.begin(grant.clientID) }
        try NulCharacter.refuse(in: target.query)
        let request = ParsedRequest(
            method: match.method, path: match.parameters, query: target.query, headers: incoming.headers, body: body.bytes,
            upload: body.upload)
        return try await match.entry.answer(request, context(incoming, grant, catalog, policy, meter, trace, services))
    }

    /// A request that came inside `outer`: the caller is known, everything else is asked as of any request.
    func answerInside(
        _ request: InnerRequest, _ services: Services, _ outer: IncomingRequest, _ grant: Grant?, _ outerMeter: CallMeter?,
        _ trace: RequestTrace
    ) async -> Reply {
        let meter = outerMeter?.inner()
        do {
            return try await onNewestCatalog(services) {
                let target = try RequestTarget(request.target)
                let match = try table.match(request.method, target.segments)
                let catalog = services.catalog.current()
                let policy = try policy(of: grant, catalog, isPrivate: services.isUnited)
                try checkScope(match, grant, catalog)
                try meter?.begin()
                try NulCharacter.refuse(in: target.query)
                let parsed = ParsedRequest(
                    method: match.method, path: match.parameters, query: target.query, headers: request.headers, body: request.body)
                return try await match.entry.answer(parsed, context(outer, grant, catalog, policy, meter, trace, services))
            }
        } catch {
            return refusal(of: error, trace)
        }
    }

    private func body(of incoming: IncomingRequest, _ match: EndpointTable.Match) throws(Rejection) -> (bytes: [UInt8], upload: Upload?) {
        let declaration = match.entry.declaration
        let limit = declaration.bodyLimit ?? options.bodyLimit
        switch incoming.body {
        case .upload(let upload): return ([], upload)
        case .bytes(let bytes) where bytes.count <= limit:
            guard declaration.bodyKind == .upload else { return (bytes, nil) }
            return ([], Upload(ByteStream(bytes), contentType: incoming.header("content-type") ?? ""))
        case .bytes, .tooLarge: throw .bodyTooLarge(limit)
        }
    }

    /// A token whose user is gone says nothing any more; one whose user is inactive says too much.
    /// Of a catalog that may never be committed nothing is remembered.
    private func policy(of grant: Grant?, _ catalog: Catalog, isPrivate: Bool = false) throws(Rejection) -> AccessPolicy {
        guard let grant else { return .system("endpoints without a token hold no records") }
        guard let user = catalog.user(grant.user), user.status != "deleted" else { throw Rejection(.invalidToken) }
        guard user.active else { throw Rejection(.inactiveUser) }
        return isPrivate ? try AccessPolicy.of(grant.user, catalog) : try access.policy(of: grant.user, catalog)
    }

    private func checkScope(_ match: EndpointTable.Match, _ grant: Grant?, _ catalog: Catalog) throws(Rejection) {
        guard let grant else { return }
        let pathModule = match.parameters["module"]
        let module = pathModule.flatMap { catalog.module($0) }
        guard match.entry.scope.permits(grant.scopes, pathModule: pathModule, module) else {
            let declaration = match.entry.declaration
            if let refusal = declaration.scopeRefusal { throw Rejection(refusal) }
            throw declaration.scopeMessage.map { Rejection(.oauthScopeMismatch, message: $0) } ?? .scopeMismatch
        }
    }

    private func context(
        _ incoming: IncomingRequest, _ grant: Grant?, _ catalog: Catalog, _ policy: AccessPolicy, _ meter: CallMeter?,
        _ trace: RequestTrace, _ services: Services
    ) -> RequestContext {
        RequestContext(
            services: services,
            // Inside a transaction tokens are changed in it, too.
            tokens: services.isUnited ? TokenStore(services.database, ids: services.ids, clock: services.clock) : tokens,
            catalog: policy.seen(catalog),
            access: policy, scopes: grant?.scopes ?? .none,
            requestID: trace.requestID, now: services.clock(), baseURL: baseURL(incoming),
            homeURL: options.publicURL ?? options.fallbackURL,
            zone: grant.flatMap { catalog.user($0.user)?.zone } ?? catalog.zone, clientID: grant?.clientID ?? "", meter: meter,
            inner: InnerDispatcher(timeout: options.innerTimeout) { await answerInside($0, $1, incoming, grant, meter, trace) })
    }

    /// The Host header is the caller's word: it is used only in what goes back to that caller, and only if it looks like one.
    private func baseURL(_ incoming: IncomingRequest) -> String {
        if let url = options.publicURL { return url }
        guard let host = incoming.header("host"), (1...255).contains(host.utf8.count), host.utf8.allSatisfy(Self.isHostByte) else {
            return options.fallbackURL
        }
        return "http://\(host)"
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
