import CRMCore
import HTTPShell
import RestV7
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// What a caller is told when something outside the request is wrong: always in the envelope of common, §5.
@Suite struct OutageTests {
    private enum Lost: Endpoint {
        static let declaration = Declaration(.get, "/crm/v7/Lost", entry: "", scope: .anyone)
        typealias Input = NoInput
        static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply { throw SQLFailure.connectionLost }
    }

    @Test func aDatabaseThatIsAwayIs503() async throws {
        try await TestServer.with(.sqlite, extra: [Lost.self]) { server in
            let answer = await server.send("GET", "/crm/v7/Lost")
            #expect(answer.status == 503)
            #expect(answer.json?["code"] == "INTERNAL_SERVER_ERROR" && answer.json?["status"] == "error")
        }
    }

    /// common.md §6: UNABLE_TO_PARSE_DATA_TYPE for a body that cannot be read.
    @Test func aBodyOfMillionsOfTinyValuesIsNotRead() async throws {
        try await TestServer.with(.sqlite) { server in
            let token = try await server.token()
            let many = ParsedRequest.mostValues
            let body = Array(("{\"data\":[" + String(repeating: "1,", count: many) + "1]}").utf8)
            let answer = await server.send("POST", "/crm/v7/Leads", body: body, token: token)
            #expect(answer.status == 400 && answer.json?["code"] == "UNABLE_TO_PARSE_DATA_TYPE")
            #expect(answer.json?["message"]?.string?.contains("tooManyValues") == true)
        }
    }
}

/// composite-api.md 252, REQUEST_TIMEOUT: over five minutes, or no connection. Here the five minutes are shorter.
@Suite struct CompositeTimeTests {
    private enum Slow: Endpoint {
        static let declaration = Declaration(.get, "/crm/v7/Leads/{id}/Slow", entry: "", scope: .modules(["READ"]))
        typealias Input = NoInput
        static func respond(_ input: NoInput, _ context: RequestContext) async throws -> Reply {
            try await Task.sleep(for: .seconds(600))
            return .json([:])
        }
    }

    @Test(arguments: TestServer.engines) func aSubRequestThatTakesTooLongIsGivenUp(_ engine: Database.Engine) async throws {
        var options = Shell.Options()
        options.innerTimeout = .milliseconds(300)
        try await TestServer.with(engine, extra: [Slow.self], options: options) { server in
            let token = try await server.token(TestServer.recordScopes + ",ZohoCRM.composite_requests.CUSTOM")
            let slow: JSONValue = ["method": "GET", "uri": "/crm/v7/Leads/1/Slow"]
            let count: JSONValue = ["method": "GET", "uri": "/crm/v7/Leads/actions/count"]
            let answer = await server.send("POST", "/crm/v7/__composite_requests", ["__composite_requests": [slow, count]], token: token)
            #expect(answer.status == 207)
            let results = answer.json?["__composite_requests"]?.array ?? []
            #expect(results.map { $0["code"] } == ["REQUEST_TIMEOUT", "SUCCESS"], "\(answer.text)")
            // With rollback nothing of the others stays.
            let add: JSONValue = ["method": "POST", "uri": "/crm/v7/Leads", "body": ["data": [["Last_Name": "Kim"]]]]
            let united = await server.send(
                "POST", "/crm/v7/__composite_requests", ["rollback_on_fail": true, "__composite_requests": [add, slow]], token: token)
            let codes = (united.json?["__composite_requests"]?.array ?? []).map { $0["code"] }
            #expect(united.status == 400 && codes == ["ROLLBACK_PERFORMED", "REQUEST_TIMEOUT"], "\(united.text)")
            #expect(await server.send("GET", "/crm/v7/Leads/actions/count", token: token).json?["count"] == 0)
        }
    }
}
