import CRMCore
import HTTPShell
import Wire

/// Carries out the sub-requests of one composite, each through the shell as any request.
struct CompositeRun: Sendable {
    enum Outcome: Sendable {
        case answered(Reply)
        /// Never sent.
        case refused(Rejection)

        var failed: Bool {
            switch self {
            case .answered(let reply): reply.status >= 400
            case .refused: true
            }
        }
        var wasSent: Bool { if case .answered = self { true } else { false } }
    }

    let requests: [Result<SubRequest, Rejection>]
    let context: RequestContext

    /// One after another; a reference sees the answers before it.
    private func sequential() async -> [Outcome] {
        var outcomes: [Outcome] = []
        var answers = SubAnswers()
        for request in requests {
            let outcome = await outcome(of: request, answers, context.services)
            note(outcome, of: request, in: &answers)
            outcomes.append(outcome)
        }
        return outcomes
    }

    /// In the order given, or in that of their references; then those of a round at once, where that is allowed.
    func apart(atOnce: Bool, inOrder: Bool) async -> [Outcome] { inOrder ? await sequential() : await rounds(atOnce: atOnce) }

    /// Those whose references are answered, round by round.
    private func rounds(atOnce: Bool) async -> [Outcome] {
        var outcomes: [Int: Outcome] = [:]
        var answers = SubAnswers()
        let needs = requests.map { (try? $0.get()).map(Self.references) ?? [] }
        let ids = requests.map { (try? $0.get())?.id }
        while outcomes.count < requests.count {
            let open = requests.indices.filter { outcomes[$0] == nil }
            let waiting = Set(open.compactMap { ids[$0] })
            let ready = open.filter { index in needs[index].allSatisfy { !waiting.contains($0) || $0 == ids[index] } }
            if ready.isEmpty {
                for index in open { outcomes[index] = .refused(Rejection(.loopingFound)) }
                break
            }
            let known = answers
            let round = await withTaskGroup(of: (Int, Outcome).self) { group in
                var round: [(Int, Outcome)] = []
                for index in ready {
                    group.addTask { (index, await outcome(of: requests[index], known, context.services)) }
                    if !atOnce, let answered = await group.next() { round.append(answered) }
                }
                for await answered in group { round.append(answered) }
                return round
            }
            for (index, outcome) in round {
                outcomes[index] = outcome
                note(outcome, of: requests[index], in: &answers)
            }
        }
        return requests.indices.map { outcomes[$0] ?? .refused(Rejection(.internalError)) }
    }

    /// All or nothing: the index of the first that failed, after everything is undone, or `nil`.
    func united() async throws -> (outcomes: [Outcome], failed: Int?) {
        do {
            let changesSettings = requests.contains { request in
                (try? request.get()).map { CompositeCatalogue.changesSettings($0.method, SubRequest.segments(of: $0.uri)) } ?? false
            }
            let outcomes = try await context.services.together(changingSettings: changesSettings) { services in
                var outcomes: [Outcome] = []
                var answers = SubAnswers()
                for request in requests {
                    let outcome = await outcome(of: request, answers, services)
                    outcomes.append(outcome)
                    if outcome.failed { throw Stopped(outcomes: outcomes) }
                    note(outcome, of: request, in: &answers)
                }
                return outcomes
            }
            return (outcomes, nil)
        } catch let stopped as Stopped {
            return (stopped.outcomes, stopped.outcomes.count - 1)
        }
    }

    private struct Stopped: Error { let outcomes: [Outcome] }

    private func outcome(of request: Result<SubRequest, Rejection>, _ answers: SubAnswers, _ services: Services) async -> Outcome {
        do throws(Rejection) {
            let inner = try innerRequest(try request.get(), answers)
            // Over the time, or no connection (composite-api, REQUEST_TIMEOUT).
            guard let reply = await context.inner.answer(inner.request, services), reply.status != 503 else {
                return .refused(Rejection(.requestTimeout))
            }
            return checked(reply, inner.allowance)
        } catch {
            return .refused(error)
        }
    }

    private func innerRequest(_ request: SubRequest, _ answers: SubAnswers) throws(Rejection) -> (
        request: InnerRequest, allowance: CompositeCatalogue.Allowance
    ) {
        var target = try answers.resolved(request.uri, escaping: PercentCoding.encode)
        let segments = SubRequest.segments(of: target)
        guard let allowance = CompositeCatalogue.allowance(request.method, segments) else { throw Rejection(.notSupported) }
        var query = target.firstIndex(of: "?").map { [String(target[target.index(after: $0)...])] } ?? []
        let params = try answers.resolved(request.params).members ?? []
        for param in params {
            query.append("\(PercentCoding.encode(param.name))=\(PercentCoding.encode(param.value.string ?? param.value.text))")
        }
        let body = if let body = request.body { try answers.resolved(body) } else { JSONValue.null }
        switch allowance {
        case .free: break
        case .oneRecord:
            let items = (body.members ?? []).compactMap { $0.value.array?.count }.max() ?? 0
            guard items <= 1 else { throw Rejection(.limitExceeded, .other("limit", 1)) }
        case .shortPage:
            let asked = PercentCoding.pairs(query.joined(separator: "&")).first { $0.name == "per_page" }?.value
            if let asked, let count = Int(asked), count > CompositeCatalogue.pageLimit {
                throw Rejection(.limitExceeded, .other("limit", .integer(CompositeCatalogue.pageLimit)))
            }
            if asked == nil, request.method == .get { query.append("per_page=\(CompositeCatalogue.pageLimit)") }
        }
        target = "/crm/v7/" + segments.joined(separator: "/") + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        let headers = try answers.resolved(request.headers).members ?? []
        return (
            InnerRequest(
                method: request.method.rawValue, target: target, headers: headers.map { ($0.name, $0.value.string ?? $0.value.text) },
                body: body.isNull ? [] : body.encoded()), allowance
        )
    }

    /// A query says itself how many rows it wants, so those are counted afterwards.
    private func checked(_ reply: Reply, _ allowance: CompositeCatalogue.Allowance) -> Outcome {
        guard case .shortPage = allowance, let rows = (try? JSONValue.parse(reply.body))?["data"]?.array,
            rows.count > CompositeCatalogue.pageLimit
        else {
            return .answered(reply)
        }
        return .refused(Rejection(.limitExceeded, .other("limit", .integer(CompositeCatalogue.pageLimit))))
    }

    private func note(_ outcome: Outcome, of request: Result<SubRequest, Rejection>, in answers: inout SubAnswers) {
        guard case .answered(let reply) = outcome, !outcome.failed, let id = (try? request.get())?.id else { return }
        answers.bodies[id] = (try? JSONValue.parse(reply.body)) ?? .null
    }

    /// What is wrong in a reference is said when the request's turn comes.
    private static func references(_ request: SubRequest) -> Set<String> {
        let texts: [JSONValue] = [.string(request.uri), request.params, request.headers, request.body ?? .null]
        return Set(texts.flatMap { (try? SubReference.all(in: $0)) ?? [] }.map(\.id))
    }
}
