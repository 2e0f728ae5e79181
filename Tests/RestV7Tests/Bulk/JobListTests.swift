import HTTPShell
import Metadata
import RestV7
import SQLStore
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore

/// How far jobs have come, for administrators: `/crm/v7/__jobs`, an extension of ours.
@Suite struct JobListTests {
    private static let scopes = TestServer.recordScopes + ",ZohoCRM.mass_delete.DELETE"

    private static func view(_ server: TestServer, _ token: String) async -> JSONValue {
        let views = await server.send("GET", "/crm/v7/settings/custom_views?module=Leads", token: token)
        return views.json?["custom_views"]?.array?.first { $0["system_name"]?.string?.uppercased().contains("ALL") == true }?["id"] ?? .null
    }

    @Test(arguments: TestServer.engines) func aJobTellsItsTotalAndWhatIsDone(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let bench = RecordBench(server: server, token: token)
            #expect(await server.send("GET", "/crm/v7/__jobs", token: token).status == 204)
            _ = try await bench.add("Leads", Array(repeating: ["Last_Name": "Kim"], count: 3))
            let started = await server.send(
                "POST", "/crm/v7/Leads/actions/mass_delete", ["cvid": await Self.view(server, token)], token: token)
            #expect(started.status < 300, "\(started.text)")
            let waiting = await server.send("GET", "/crm/v7/__jobs?state=unfinished", token: token)
            let job = waiting.json?["jobs"]?.array?.first
            #expect(job?["kind"] == "mass_delete" && job?["state"] == "waiting" && job?["total"] == 3 && job?["done"] == 0)
            #expect(waiting.json?["info"] == ["per_page": 200, "count": 1, "page": 1, "more_records": false])
            await JobWorker(server.services).drain()
            let id = job?["id"]?.string ?? ""
            let over = await server.send("GET", "/crm/v7/__jobs/\(id)", token: token).json?["jobs"]?.array?.first
            #expect(over?["state"] == "done" && over?["done"] == 3 && over?["failed"] == 0 && over?["percent"] == 100)
            #expect(over?["start_time"]?.string != nil && over?["end_time"]?.string != nil)
            #expect(await server.send("GET", "/crm/v7/__jobs?state=unfinished", token: token).status == 204)
            #expect(await server.send("GET", "/crm/v7/__jobs?kind=merge", token: token).status == 204)
            #expect(await server.send("GET", "/crm/v7/__jobs/1", token: token).status == 204)
        }
    }

    /// A change of settings and its job are committed at once; whoever takes the job may not have heard of the change.
    @Test(arguments: TestServer.engines) func aJobSeesTheSettingsItFollowsFrom(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes + ",ZohoCRM.org.ALL")
            let lead = try await server.add("Leads", ["Last_Name": "Kim"], token: token)
            var behind = server.services
            behind.catalog = CatalogCache(server.services.catalog.current(), server.services.database)
            let base: JSONValue = ["name": "US Dollar - USD", "iso_code": "USD", "symbol": "$", "exchange_rate": "1.0"]
            let enabled = await server.send("POST", "/crm/v7/org/currencies/actions/enable", ["base_currency": base], token: token)
            #expect(enabled.status < 300, "\(enabled.text)")
            await JobWorker(behind).drain()
            #expect(await server.record("Leads", lead, token: token)?["Currency"] == "USD")
        }
    }

    @Test(arguments: TestServer.engines) func bulkJobsTellTheirCountsToo(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let written = try await bench.write("insert", "Leads", "Last_Name,Company\na,c\nb,c\n,c\n")
            await bench.drain()
            let read = try await bench.startRead(["module": ["api_name": "Leads"]])
            var limits = BulkReadJob.Limits()
            (limits.batch, limits.part) = (1, 1)
            await bench.drain(limits)
            func counts(_ id: String) async -> [JSONValue?] {
                let job = await bench.send("GET", "/crm/v7/__jobs/\(id)").json?["jobs"]?.array?.first
                return ["total", "done", "failed", "percent"].map { job?[$0] }
            }
            #expect(await counts(written) == [3, 2, 1, 100])
            #expect(await counts(read) == [2, 2, 0, 100])
            limits.page = 1
            let first = try await bench.startRead(["module": ["api_name": "Leads"]])
            await bench.drain(limits)
            #expect(await counts(first) == [1, 1, 0, 100])
        }
    }

    @Test(arguments: TestServer.engines) func wrongCallsAreRefused(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            #expect(await server.send("GET", "/crm/v7/__jobs").status == 401)
            let narrow = try await server.token("ZohoCRM.modules.ALL")
            #expect(await server.send("GET", "/crm/v7/__jobs", token: narrow).json?["code"] == "OAUTH_SCOPE_MISMATCH")
            let token = try await server.token()
            #expect(await server.send("GET", "/crm/v7/__jobs?state=x", token: token).json?["code"] == "PATTERN_NOT_MATCHED")
            #expect(await server.send("GET", "/crm/v7/__jobs?page=0", token: token).json?["code"] == "INVALID_DATA")
            #expect(await server.send("GET", "/crm/v7/__jobs/x", token: token).json?["code"] == "INVALID_DATA")
            #expect(await server.send("POST", "/crm/v7/__jobs", [:], token: token).json?["code"] == "INVALID_REQUEST_METHOD")
        }
    }

    @Test(arguments: TestServer.engines) func jobsThatAreOverAreForgottenAfterTheirTime(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let bench = RecordBench(server: server, token: token)
            _ = try await bench.add("Leads", ["Last_Name": "Kim"])
            let view = await Self.view(server, token)
            await server.send("POST", "/crm/v7/Leads/actions/mass_delete", ["cvid": view], token: token)
            await JobWorker(server.services).drain()
            _ = try await bench.add("Leads", ["Last_Name": "Kim"])
            await server.send("POST", "/crm/v7/Leads/actions/mass_delete", ["cvid": view], token: token)
            server.clock.advance(seconds: 8 * 86_400)
            try await JobSweep(server.services, keepingDays: 7).sweep()
            // The second one still waits, however old it is.
            let left = try await JobList(server.services).page(.all).jobs
            #expect(left.map(\.state) == [.waiting])
        }
    }

    @Test func theEndIsEstimatedFromTheWorkDone() {
        let end = JobReport.end(total: 400, over: 100, began: Instant(milliseconds: 0), now: Instant(milliseconds: 5_000))
        #expect(end == Instant(milliseconds: 20_000))
        #expect(JobReport.end(total: 400, over: 0, began: Instant(milliseconds: 0), now: Instant(milliseconds: 5_000)) == nil)
    }

    @Test(arguments: TestServer.engines) func eachLaneTakesItsOwnJobs(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let bench = RecordBench(server: server, token: token)
            _ = try await bench.add("Leads", ["Last_Name": "Kim"])
            await server.send("POST", "/crm/v7/Leads/actions/mass_delete", ["cvid": await Self.view(server, token)], token: token)
            await JobWorker(server.services, lane: .exports).drain()
            #expect(try await JobList(server.services).page(.unfinished).jobs.count == 1)
            await JobWorker(server.services, lane: .records).drain()
            #expect(try await JobList(server.services).page(.unfinished).jobs.isEmpty)
        }
    }

    @Test(arguments: TestServer.engines) func clientsAreListedAndDeletedWithTheirTokens(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let made = try await server.administration.perform(.createClient(name: "One", redirectURIs: ["https://one.example/back"]))
            let id = made["client_id"]?.string ?? ""
            let listed = try await server.administration.perform(.listClients)["clients"]?.array ?? []
            #expect(listed.map { $0["client_id"] } == [.string(id)])
            #expect(listed.first?["name"] == "One" && listed.first?["redirect_uris"] == ["https://one.example/back"])
            #expect(!listed.description.contains(made["client_secret"]?.string ?? "?"))
            guard let scopes = ScopeSet("ZohoCRM.org.ALL") else { return }
            let token = try await server.shell.tokens.issueAccess(
                clientID: id, user: server.administrator.id, scopes: scopes, lifeSeconds: 600)
            #expect(await server.send("GET", "/crm/v7/org", token: token).status == 200)
            _ = try await server.administration.perform(.deleteClient(clientID: id))
            #expect(await server.send("GET", "/crm/v7/org", token: token).json?["code"] == "INVALID_TOKEN")
            #expect(try await server.administration.perform(.listClients)["clients"] == [])
            await #expect(throws: AdminFailure.self) { try await server.administration.perform(.deleteClient(clientID: id)) }
        }
    }
}
