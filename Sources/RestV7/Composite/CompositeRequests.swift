import CRMCore
import HTTPShell
import Wire

/// Up to five requests in one. Contract: composite-api, 252.
enum CompositeRequests: Endpoint {
    static let declaration = Declaration(
        .post, "/crm/v7/__composite_requests", entry: "252", scope: .fixed(["ZohoCRM.composite_requests.CUSTOM"]),
        upTo: 2)

    /// One credit and the places of five calls; another credit when a request that rolls back went well.
    static func load(_ input: Input) -> CallLoad { CallLoad(credits: 1, places: places, isHeavy: true) }

    /// Where a client has fewer, the composite takes all of them and its parts come one after another.
    private static let places = 5

    private static let key = "__composite_requests", limit = 5

    struct Input: EndpointInput {
        let requests: [Result<SubRequest, Rejection>]
        let rollsBack: Bool
        let isParallel: Bool

        init(_ request: ParsedRequest, _ context: RequestContext) throws(Rejection) {
            let body = try request.json()
            let rollback = try Self.flag("rollback_on_fail", body)
            let parallel = try Self.flag("parallel_execution", body)
            if rollback == true, parallel == true {
                throw Rejection(
                    .ambiguityDuringProcessing,
                    .other(
                        "ambiguity_due_to",
                        .array(
                            ["rollback_on_fail", "parallel_execution"].map { ["api_name": .string($0), "json_path": .string("$.\($0)")] })))
            }
            rollsBack = rollback ?? false
            isParallel = parallel ?? !rollsBack
            var requests: [Result<SubRequest, Rejection>] = []
            var taken: Set<String> = []
            for item in try body.required(key).elements(1...limit) {
                do throws(Rejection) {
                    let read = try SubRequest(item, taken: taken)
                    if let id = read.id { taken.insert(id) }
                    requests.append(.success(read))
                } catch {
                    requests.append(.failure(error))
                }
            }
            self.requests = requests
        }

        private static func flag(_ name: String, _ body: JSONCursor) throws(Rejection) -> Bool? {
            guard let given = body.optional(name), !given.value.isNull else { return nil }
            return try given.bool()
        }
    }

    static func respond(_ input: Input, _ context: RequestContext) async throws -> Reply {
        let run = CompositeRun(requests: input.requests, context: context)
        guard input.rollsBack else {
            let hasPlaces = context.meter?.allows(places: places) ?? true
            let outcomes = await run.apart(atOnce: input.isParallel && hasPlaces, inOrder: !input.isParallel)
            let sent = outcomes.filter(\.wasSent).count
            return answer(zip(input.requests, outcomes).map(result), status: sent == outcomes.count ? 200 : sent == 0 ? 400 : 207)
        }
        let (outcomes, failed) = try await run.united()
        var results = zip(input.requests, outcomes).map(result)
        guard let failed else {
            context.meter?.add(1)
            return answer(results, status: 200)
        }
        for index in 0..<failed {
            results[index] = Rejection(.rollbackPerformed, .other("rollbacked_by_sub_request_index", .integer(failed))).result
        }
        for _ in results.count..<input.requests.count { results.append(Rejection(.processingStopped).result) }
        return answer(results, status: 400)
    }

    private static func answer(_ results: [JSONValue], status: Int) -> Reply {
        .json(.object([.init(key, .array(results))]), status: status)
    }

    private static func result(_ request: Result<SubRequest, Rejection>, _ outcome: CompositeRun.Outcome) -> JSONValue {
        switch outcome {
        case .refused(let rejection): return rejection.result
        case .answered(let reply):
            let headers = reply.header("content-type").map { ["content-type": .string($0)] as JSONValue } ?? [:]
            var response: JSONValue = ["headers": headers, "status_code": .integer(reply.status)]
            if let body = try? JSONValue.parse(reply.body) { response["body"] = body }
            var details: JSONValue = ["response": response]
            if let id = (try? request.get())?.id { details = ["sub_request_id": .string(id), "response": response] }
            return .success("composite sub request executed successfully", details: details)
        }
    }
}
