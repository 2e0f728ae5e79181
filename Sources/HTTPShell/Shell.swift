import CRMCore
import Logging
import Metadata
import Wire

/// Answers requests: no sockets, so tests call it as the server does.
package struct Shell: Sendable {
    package struct Options: Sendable {
        /// 16 MB: a hundred records with every text field full stay well below.
        package var bodyLimit = 16 << 20
        /// Our origin as clients reach it. Without one the Host header tells.
        package var publicURL: String?
        package var fallbackURL = "http://127.0.0.1:8080"
        package var limits = APILimits()
        /// How long a request inside another one may take (composite-api, REQUEST_TIMEOUT).
        package var innerTimeout = Duration.seconds(300)

        package init() {}
    }

    package let services: Services
    package let tokens: TokenStore
    package let table: EndpointTable
    package let options: Options
    let access = AccessCache()
    let keeper: LimitKeeper?
    let log: AccessLog

    /// The health endpoint comes on its own.
    package init(services: Services, tokens: TokenStore? = nil, endpoints: [any Endpoint.Type], options: Options = Options()) {
        self.services = services
        self.tokens = tokens ?? TokenStore(services.database, ids: services.ids, clock: services.clock)
        self.options = options
        table = EndpointTable(endpoints + [CheckHealth.self])
        keeper = options.limits.areOff ? nil : LimitKeeper(limits: options.limits, ledger: CreditLedger(services))
        log = AccessLog(services.logger)
    }

    /// `path` carries the query.
    package func answer(method: String, path: String, headers: [(String, String)] = [], body: [UInt8] = []) async -> Reply {
        await answer(IncomingRequest(method: method, target: path, headers: headers, body: .bytes(body)))
    }

    package func answer(_ incoming: IncomingRequest) async -> Reply {
        let began = ContinuousClock.now
        var trace = RequestTrace(requestID: RequestTrace.requestID(incoming.header("x-request-id")))
        var reply: Reply
        let meter = keeper.map(CallMeter.init)
        defer { meter?.end() }
        do {
            reply = try await onNewestCatalog { try await walk(incoming, meter, &trace) }
        } catch {
            reply = refusal(of: error, trace)
        }
        if reply.status == 204 || reply.status == 304 {
            reply.body = []
            reply.stream = nil
            reply.headers.removeAll { ASCIICase.equal($0.0, "content-type") }
        }
        reply.headers.append(("X-Request-Id", trace.requestID))
        if let header = meter?.header { reply.headers.append(header) }
        log.note(incoming, reply.status, trace, since: began)
        return reply
    }

    /// How the body of this request is to be read, and how much of it; asked before it is.
    package func bodyPlan(method: String, target: String) -> (kind: BodyKind, limit: Int) {
        guard let target = try? RequestTarget(target), let match = try? table.match(method, target.segments) else {
            return (.whole, options.bodyLimit)
        }
        return (match.entry.declaration.bodyKind, match.entry.declaration.bodyLimit ?? options.bodyLimit)
    }

    /// A request planned on a catalog that is no longer the newest changed nothing: it starts again on the newer one. Changes
    /// may come faster than a busy process reads them, so time and not a count ends it: 15 s, half of what clients wait.
    func onNewestCatalog(_ inner: Services? = nil, _ walk: () async throws -> Reply) async throws -> Reply {
        let services = inner ?? self.services
        let deadline = ContinuousClock.now + .seconds(15)
        while true {
            do {
                return try await walk()
            } catch let moved as CatalogMoved {
                if ContinuousClock.now > deadline { throw Rejection(.tooManyRequests) }
                try await services.catalog.refresh(ifOlderThan: moved.newest)
            }
        }
    }

    /// The only place where an error becomes an answer. What is not a refusal is ours: logged, never shown.
    func refusal(of error: any Error, _ trace: RequestTrace) -> Reply {
        if let rejection = error as? Rejection { return .rejected(rejection) }
        // Too many at once, or in each other's way for too long: trying again later is right for both.
        if Services.isOverload(error) { return .rejected(Rejection(.tooManyRequests)) }
        // Whoever comes again later finds a new connection.
        if Services.isOutage(error) {
            services.logger.warning("the database cannot be reached", metadata: ["request_id": .string(trace.requestID)])
            return .rejected(Rejection(.internalServerError, message: "the database cannot be reached at the moment", status: 503))
        }
        services.logger.error(
            "request failed", metadata: ["request_id": .string(trace.requestID), "error": .string(String(describing: error))])
        return .rejected(Rejection(.internalError))
    }

    /// Keeps the count of what is used with that of other processes, until cancelled.
    package func followLimits() async { await keeper?.ledger.run() }
}
