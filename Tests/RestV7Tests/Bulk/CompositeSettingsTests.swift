import CRMCore
import Metadata
import RestV7
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Settings inside a composite that rolls back. Contract: composite-api, 252, "Allowed APIs".
@Suite struct CompositeSettingsTests {
    private static let scopes = TestServer.recordScopes + ",ZohoCRM.composite_requests.CUSTOM,ZohoCRM.org.ALL"

    private static func role(_ name: String) -> JSONValue {
        ["method": "POST", "uri": "/crm/v7/settings/roles", "body": ["roles": [["name": .string(name)]]]]
    }
    private static let lead: JSONValue = ["method": "POST", "uri": "/crm/v7/Leads", "body": ["data": [["Last_Name": "Kim"]]]]
    private static let badLead: JSONValue = ["method": "POST", "uri": "/crm/v7/Leads", "body": ["data": [["Company": "x"]]]]
    private static func send(_ server: TestServer, _ token: String, _ parts: [JSONValue]) async -> TestServer.Answer {
        await server.send(
            "POST", "/crm/v7/__composite_requests", ["rollback_on_fail": true, "__composite_requests": .array(parts)], token: token)
    }

    private static func roles(_ server: TestServer, _ token: String) async -> [String] {
        (await server.send("GET", "/crm/v7/settings/roles", token: token).json?["roles"]?.array ?? []).compactMap { $0["name"]?.string }
    }

    @Test(arguments: TestServer.engines) func settingsAndRecordsChangeTogether(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let read: JSONValue = ["method": "GET", "uri": "/crm/v7/settings/roles"]
            let answer = await Self.send(server, token, [Self.lead, Self.role("Scouts"), Self.lead, read])
            #expect(answer.status == 200, "\(answer.text)")
            let seen = answer.json?["__composite_requests"]?.array?.last?["details"]?["response"]?["body"]?["roles"]?.array ?? []
            #expect(seen.contains { $0["name"] == "Scouts" })
            #expect(await Self.roles(server, token).contains("Scouts"))
            #expect(await server.send("GET", "/crm/v7/Leads/actions/count", token: token).json?["count"] == 2)
            // What was made is good for what follows.
            #expect(await server.send("POST", "/crm/v7/settings/roles", ["roles": [["name": "Guides"]]], token: token).status == 201)
        }
    }

    @Test(arguments: TestServer.engines) func aFailureUndoesSettingsToo(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let before = await Self.roles(server, token)
            let version = server.services.catalog.current().version
            for parts in [[Self.role("Scouts"), Self.badLead], [Self.lead, Self.role("Scouts"), Self.role("Scouts")]] {
                let answer = await Self.send(server, token, parts)
                let codes = (answer.json?["__composite_requests"]?.array ?? []).map { $0["code"] }
                #expect(answer.status == 400 && codes.dropLast().allSatisfy { $0 == "ROLLBACK_PERFORMED" }, "\(answer.text)")
            }
            #expect(await Self.roles(server, token) == before)
            #expect(server.services.catalog.current().version == version)
            #expect(await server.send("GET", "/crm/v7/Leads/actions/count", token: token).json?["count"] == 0)
            // The versions that were never committed are forgotten everywhere.
            #expect(await server.send("POST", "/crm/v7/settings/roles", ["roles": [["name": "Scouts"]]], token: token).status == 201)
            #expect(await Self.roles(server, token).filter { $0 == "Scouts" }.count == 1)
            #expect(await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "Kim"]]], token: token).status == 201)
        }
    }

    @Test(arguments: TestServer.engines) func manyAtOnceDoNotLockEachOtherOut(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let statuses = await withTaskGroup(of: Int.self) { group in
                for number in 1...6 {
                    group.addTask { await Self.send(server, token, [Self.lead, Self.role("Role \(number)")]).status }
                    group.addTask { await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "Lee"]]], token: token).status }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.allSatisfy { $0 < 300 }, "\(statuses)")
            #expect(await Self.roles(server, token).filter { $0.hasPrefix("Role ") }.count == 6)
            #expect(await server.send("GET", "/crm/v7/Leads/actions/count", token: token).json?["count"] == 12)
        }
    }
}
