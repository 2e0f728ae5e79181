import CRMCore
import HTTPShell
import RestV7
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Credits and concurrency. Contract: common, §13.
@Suite struct LimitsTests {
    private static func options(credits: Int64? = nil, concurrency: Int? = nil) -> Shell.Options {
        var options = Shell.Options()
        options.limits = APILimits(credits: credits, concurrency: concurrency)
        return options
    }

    private static let lead: JSONValue = ["Last_Name": "Kim"]

    private static func leads(_ count: Int) -> JSONValue { ["data": .array(Array(repeating: lead, count: count))] }

    @Test(arguments: TestServer.engines) func nothingIsLimitedUnlessSomebodySaysSo(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            let answer = await server.send("GET", "/crm/v7/Leads?fields=Last_Name", token: token)
            #expect(answer.status == 204)
            #expect(answer.header("X-API-CREDITS-REMAINING") == nil)
        }
    }

    /// common.md §13: insert 1 per 10 records; the header once half the credits are used; 429 over the limit, without Retry-After.
    @Test(arguments: TestServer.engines) func creditsAreUsedUpAndComeBackADayLater(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine, options: Self.options(credits: 10)) { server in
            let token = try await server.token()
            let first = await server.send("POST", "/crm/v7/Leads", Self.leads(31), token: token)
            #expect(first.status == 201 && first.header("X-API-CREDITS-REMAINING") == nil)
            let second = await server.send("GET", "/crm/v7/Leads?fields=Last_Name", token: token)
            #expect(second.header("x-api-credits-remaining") == "5")
            let third = await server.send("POST", "/crm/v7/Leads", Self.leads(50), token: token)
            #expect(third.status == 201 && third.header("x-api-credits-remaining") == "0")
            let refused = await server.send("GET", "/crm/v7/Leads?fields=Last_Name", token: token)
            #expect(refused.status == 429)
            #expect(refused.json == ["code": "TOO_MANY_REQUESTS", "details": [:], "message": "too many requests", "status": "error"])
            #expect(refused.header("Retry-After") == nil)
            server.clock.advance(seconds: 24 * 3_600 + 300)
            let later = try await server.token()
            #expect(await server.send("GET", "/crm/v7/Leads?fields=Last_Name", token: later).status == 200)
        }
    }

    @Test(arguments: TestServer.engines) func aCallThatCostsMoreThanIsLeftDoesNothing(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine, options: Self.options(credits: 4)) { server in
            let token = try await server.token(TestServer.recordScopes)
            #expect(await server.send("POST", "/crm/v7/Leads", Self.leads(50), token: token).status == 429)
            // One credit is gone for the asking; three are left.
            let counted = await server.send("GET", "/crm/v7/Leads/actions/count", token: token)
            #expect(counted.json?["count"] == 0, "\(counted.status) \(counted.text)")
            #expect(counted.header("x-api-credits-remaining") == "2")
        }
    }

    /// common.md §13: COQL 1/2/3 for limit ≤200/≤1000/≤2000.
    @Test(arguments: TestServer.engines) func aQueryCostsByItsLimit(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine, options: Self.options(credits: 12)) { server in
            let token = try await server.token()
            var left: [String?] = []
            for limit in [200, 1000, 2000, 2000] {
                let body: JSONValue = ["select_query": .string("select Last_Name from Leads where id is not null limit \(limit)")]
                left.append(await server.send("POST", "/crm/v7/coql", body, token: token).header("x-api-credits-remaining"))
            }
            #expect(left == [nil, nil, "6", "3"])
        }
    }

    @Test(arguments: TestServer.engines) func signInCostsNothing(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine, options: Self.options(credits: 1)) { server in
            let token = try await server.token()
            _ = await server.send("GET", "/crm/v7/org", token: token)
            #expect(await server.send("GET", "/crm/v7/org", token: token).status == 429)
            #expect(await server.send("GET", "/health").status == 200)
            let answer = await server.post("/oauth/v2/token", form: [("grant_type", "refresh_token"), ("client_id", "x")])
            #expect(answer.status == 200)
        }
    }

    /// composite-api.md 252: 1 credit and its parts; another one when everything with rollback went well.
    @Test(arguments: TestServer.engines) func aCompositeCostsItselfAndItsParts(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine, options: Self.options(credits: 8)) { server in
            let token = try await server.token("ZohoCRM.modules.ALL,ZohoCRM.org.ALL,ZohoCRM.composite_requests.CUSTOM")
            let part: JSONValue = ["method": "POST", "uri": "/crm/v7/Leads", "body": ["data": [["Last_Name": "Kim"]]]]
            let body: JSONValue = ["rollback_on_fail": true, "__composite_requests": [part, part]]
            #expect(await server.send("POST", "/crm/v7/__composite_requests", body, token: token).status == 200)
            let answer = await server.send("GET", "/crm/v7/org", token: token)
            #expect(answer.header("x-api-credits-remaining") == "3")
        }
    }

    /// A call that stays until it is let go.
    private enum Staying: Endpoint {
        static let declaration = Declaration(.get, "/crm/v7/Stays", entry: "", scope: .fixed(["ZohoCRM.org.ALL"]))
        typealias Input = NoInput
        static let arrivals = AsyncStream.makeStream(of: Void.self)
        static let departures = AsyncStream.makeStream(of: Void.self)

        static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
            arrivals.continuation.yield()
            for await _ in departures.stream { break }
            return .json([:])
        }
    }

    /// common.md §13: concurrent calls per org and app.
    @Test func moreCallsAtOnceThanAllowedAreRefused() async throws {
        try await TestServer.with(.sqlite, extra: [Staying.self], options: Self.options(concurrency: 1)) { server in
            let token = try await server.token("ZohoCRM.org.ALL")
            let staying = Task { await server.send("GET", "/crm/v7/Stays", token: token) }
            for await _ in Staying.arrivals.stream { break }
            #expect(await server.send("GET", "/crm/v7/org", token: token).status == 429)
            Staying.departures.continuation.yield()
            #expect(await staying.value.status == 200)
            #expect(await server.send("GET", "/crm/v7/org", token: token).status == 200)
        }
    }

    /// composite-api.md 252: each consumes five, however many its parts.
    @Test func aCompositeTakesThePlacesOfFiveCalls() async throws {
        let body: JSONValue = ["__composite_requests": [["method": "GET", "uri": "/crm/v7/org"]]]
        for (concurrency, status) in [(5, 429), (6, 200)] {
            try await TestServer.with(.sqlite, extra: [Lingering.self], options: Self.options(concurrency: concurrency)) { server in
                let token = try await server.token("ZohoCRM.org.ALL,ZohoCRM.composite_requests.CUSTOM")
                let staying = Task { await server.send("GET", "/crm/v7/Lingers", token: token) }
                for await _ in Lingering.arrivals.stream { break }
                #expect(await server.send("POST", "/crm/v7/__composite_requests", body, token: token).status == status)
                Lingering.departures.continuation.yield()
                #expect(await staying.value.status == 200)
                #expect(await server.send("POST", "/crm/v7/__composite_requests", body, token: token).status == 200)
            }
        }
    }

    /// As `Staying`, for another test.
    private enum Lingering: Endpoint {
        static let declaration = Declaration(.get, "/crm/v7/Lingers", entry: "", scope: .fixed(["ZohoCRM.org.ALL"]))
        typealias Input = NoInput
        static let arrivals = AsyncStream.makeStream(of: Void.self)
        static let departures = AsyncStream.makeStream(of: Void.self)

        static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
            arrivals.continuation.yield()
            for await _ in departures.stream { break }
            return .json([:])
        }
    }

    /// Where there are fewer than five places a composite takes them all, and its parts come one after another.
    @Test(arguments: [1, 2, 4]) func aCompositeMakesDoWithFewerPlaces(_ places: Int) async throws {
        try await TestServer.with(.sqlite, options: Self.options(concurrency: places)) { server in
            let token = try await server.token("ZohoCRM.modules.ALL,ZohoCRM.org.ALL,ZohoCRM.composite_requests.CUSTOM")
            func part(_ id: String, _ body: JSONValue) -> JSONValue {
                ["sub_request_id": .string(id), "method": "POST", "uri": "/crm/v7/Contacts", "body": ["data": [body]]]
            }
            let parts: [JSONValue] = [
                part("b", ["Last_Name": "Lee", "Account_Name": ["id": "@{a:$.data[0].details.id}"]]),
                ["sub_request_id": "a", "method": "POST", "uri": "/crm/v7/Accounts", "body": ["data": [["Account_Name": "Acme"]]]],
                part("c", ["Last_Name": "Kim"]),
            ]
            for flags in [[:], ["parallel_execution": false], ["rollback_on_fail": true]] as [JSONValue] {
                let order = flags == [:] ? parts : [parts[1], parts[0], parts[2]]
                let body = JSONValue.object((flags.members ?? []) + [.init("__composite_requests", .array(order))])
                let answer = await server.send("POST", "/crm/v7/__composite_requests", body, token: token)
                #expect(answer.status == 200, "\(flags.text): \(answer.text)")
                let statuses = answer.json?["__composite_requests"]?.array?.map { $0["details"]?["response"]?["status_code"] ?? .null }
                #expect(statuses == [201, 201, 201], "\(answer.text)")
            }
            // The places are free again.
            #expect(await server.send("GET", "/crm/v7/org", token: token).status == 200)
        }
    }

    @Test(arguments: TestServer.engines) func processesOnOneDatabaseCountTogether(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let one = CreditLedger(server.services)
            let other = CreditLedger(server.services)
            #expect(one.use(60, of: 100) == 40)
            #expect(other.use(30, of: 100) == 70)
            try await one.flush()
            try await other.flush()
            #expect(other.use(20, of: 100) == nil)
            #expect(other.use(10, of: 100) == 0)
            try await other.flush()
            try await one.flush()
            #expect(one.use(1, of: 100) == nil)
            // A process that starts anew knows what was used.
            let third = CreditLedger(server.services)
            try await third.flush()
            #expect(third.use(1, of: 100) == nil)
        }
    }

    @Test func callsCostWhatTheDirectorySays() throws {
        let declared = Dictionary(grouping: EndpointTable(allEndpoints).declarations, by: \.entry)
        for entry in try Directory().entries {
            // Of several calls that one entry describes, those for a single record cost less.
            guard let range = (declared[entry.number] ?? []).map(\.credits).max(by: { $0.upperBound < $1.upperBound }) else { continue }
            let text = range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
            #expect(text == (entry.credits.isEmpty ? "1" : entry.credits), "\(entry.number) \(entry.path)")
        }
    }

    @Test func editionsHaveTheLimitsOfTheOriginal() {
        #expect(Edition.free.limits(users: 900) == APILimits(credits: 5_000, concurrency: 5))
        #expect(Edition.standard.limits(users: 1000) == APILimits(credits: 100_000, concurrency: 10))
        #expect(Edition.enterprise.limits(users: 10) == APILimits(credits: 60_000, concurrency: 20))
    }
}
