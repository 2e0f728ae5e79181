import CRMCore
import HTTPShell
import Metadata
import RestV7
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Contract: data-backup, 239 to 244.
@Suite struct BackupTests {
    static let path = "/crm/bulk/v7/backup"
    static let scopes = TestServer.recordScopes + ",ZohoCRM.bulk.backup.ALL,ZohoFiles.files.ALL,ZohoCRM.org.ALL,ZohoCRM.users.ALL"
    private static let weekly: JSONValue = ["backup": ["rrule": "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"]]

    private static func id(_ answer: TestServer.Answer) -> String { answer.json?["backup"]?["details"]?["id"]?.string ?? "" }

    private static func history(_ server: TestServer, _ token: String) async -> [JSONValue] {
        await server.send("GET", path + "/history", token: token).json?["history"]?.array ?? []
    }

    /// 239, "absent/empty body = at once"; 240; 241; 243.
    @Test(arguments: TestServer.engines) func aBackupIsTakenAtOnceAndCanBeDownloaded(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            #expect(await server.send("GET", Self.path, token: token).status == 204)
            #expect(await server.send("GET", Self.path + "/history", token: token).status == 204)
            #expect(await server.send("GET", Self.path + "/urls", token: token).status == 204)
            _ = try await RecordBench(server: server, token: token).add("Leads", ["Last_Name": "Kim"])
            let started = await server.send("POST", Self.path, token: token)
            #expect(started.status == 200)
            #expect(
                started.json?["backup"]?["code"] == "SUCCESS" && started.json?["backup"]?["message"] == "Backup scheduled successfully.")
            let waiting = await server.send("GET", Self.path, token: token).json?["backup"]
            #expect(waiting?["id"]?.string == Self.id(started) && waiting?["status"] == "SCHEDULED" && waiting?["rrule"] == .null)
            #expect(waiting?["requester"]?["zuid"]?.string != nil)
            await JobWorker(server.services).drain()
            #expect(await server.send("GET", Self.path, token: token).json?["backup"]?["status"] == "COMPLETED")
            let history = await Self.history(server, token)
            #expect(history.map { $0["state"] } == ["completed", .null] && history.map { $0["action"] } == [.null, "initiated"])
            #expect(history.allSatisfy { $0["repeat_type"] == "immediate" && $0["count"] == 0 })
            #expect(history.first?["file_name"] == "Data_001.zip")
            let urls = await server.send("GET", Self.path + "/urls", token: token).json?["urls"]
            let link = urls?["data_links"]?.array?.first?.string ?? ""
            #expect(link.hasSuffix("/Data_001.zip") && link.contains("/v2/crm/") && urls?["attachment_links"] == [])
            let target = String(link.dropFirst("http://crm.example.test".count))
            let zip = await server.send("GET", target, token: token)
            #expect(zip.status == 200 && zip.header("content-type") == "application/zip" && zip.body.starts(with: [0x50, 0x4B, 3, 4]))
            #expect(zip.header("content-disposition")?.contains("Data_001.zip") == true)
            // Job lists show it too, with what it had to do.
            let job = await server.send("GET", "/crm/v7/__jobs?kind=backup", token: token).json?["jobs"]?.array?.first
            #expect(job?["state"] == "done" && (job?["total"]?.int64 ?? 0) > 100 && job?["total"] == job?["done"], "\(job?.text ?? "")")
            // expiry_date: beyond it nothing is left.
            server.clock.advance(seconds: 7 * 86_400 + 60)
            let later = try await server.token(Self.scopes)
            #expect(await server.send("GET", Self.path + "/urls", token: later).status == 204)
            #expect(await server.send("GET", target, token: later).json?["code"] == "URL_RULE_NOT_CONFIGURED")
        }
    }

    /// 239: rrule; 240: scheduled_date is the next one. A scheduled backup runs when due, also by a process started later.
    @Test(arguments: TestServer.engines) func aRuleRepeats(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let id = Self.id(await server.send("POST", Self.path, Self.weekly, token: token))
            #expect(!id.isEmpty)
            let first = await server.send("GET", Self.path, token: token).json?["backup"]
            #expect(first?["status"] == "SCHEDULED" && first?["rrule"] == "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU")
            #expect(first?["start_date"]?.string != nil && first?["start_date"] == first?["scheduled_date"])
            await JobWorker(server.services).drain()
            #expect(await server.send("GET", Self.path + "/urls", token: token).status == 204)
            server.clock.advance(seconds: 15 * 86_400)
            await JobWorker(server.services).drain()
            let later = try await server.token(Self.scopes)
            let second = await server.send("GET", Self.path, token: later).json?["backup"]
            #expect(second?["id"]?.string == id && second?["status"] == "SCHEDULED" && second?["start_date"] == first?["start_date"])
            let start = try #require(second?["start_date"]?.string.flatMap(Instant.init(iso:)))
            let next = try #require(second?["scheduled_date"]?.string.flatMap(Instant.init(iso:)))
            #expect((next.milliseconds - start.milliseconds) % (14 * 86_400_000) == 0 && next > server.clock.now())
            #expect(await Self.history(server, later).map { $0["repeat_type"] } == ["biweekly", "biweekly"])
            #expect(await server.send("GET", Self.path + "/urls", token: later).status == 200)
        }
    }

    /// 239: BACKUP_ALREADY_SCHEDULED; 244.
    @Test(arguments: TestServer.engines) func oneAtATimeAndItCanBeStopped(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let id = Self.id(await server.send("POST", Self.path, Self.weekly, token: token))
            let again = await server.send("POST", Self.path, token: token)
            #expect(again.status == 400 && again.json?["code"] == "BACKUP_ALREADY_SCHEDULED")
            let cancel = "\(Self.path)/\(id)/actions/cancel"
            let stopped = await server.send("PUT", cancel, token: token)
            #expect(
                stopped.json == ["backup": .success("Backup stopped successfully.", details: ["id": .string(id)])], "\(stopped.text)")
            let twice = await server.send("PUT", cancel, token: token)
            #expect(twice.status == 400 && twice.json?["code"] == "ALREADY_CANCELLED" && twice.json?["details"]?["id"]?.string == id)
            for unknown in ["1", "x"] {
                let answer = await server.send("PUT", "\(Self.path)/\(unknown)/actions/cancel", token: token)
                #expect(answer.status == 400 && answer.json?["code"] == "RESOURCE_NOT_FOUND")
            }
            #expect(await server.send("GET", Self.path, token: token).json?["backup"]?["status"] == "STOPPED")
            server.clock.advance(seconds: 15 * 86_400)
            await JobWorker(server.services).drain()
            let later = try await server.token(Self.scopes)
            #expect(await Self.history(server, later).map { $0["action"] } == ["stopped", "scheduled"])
            #expect(await server.send("GET", Self.path + "/urls", token: later).status == 204)
            #expect(await server.send("POST", Self.path, token: later).status == 200)
        }
    }

    @Test(arguments: TestServer.engines) func badCallsAreRefusedAndScheduleNothing(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let bad: [(JSONValue, String)] = [
                (["backup": ["rrule": "RRULE:FREQ=DAILY;INTERVAL=1;BYDAY=TU"]], "INVALID_DATA"), (["backup": ["rrule": 5]], "INVALID_DATA"),
                (["backup": []], "INVALID_DATA"), ([], "INVALID_DATA"),
            ]
            for (body, code) in bad {
                let answer = await server.send("POST", Self.path, body, token: token)
                #expect(answer.status == 400 && answer.json?["code"]?.string == code, "\(answer.text)")
            }
            #expect(await server.send("GET", Self.path, token: token).status == 204)
            #expect(await server.send("POST", Self.path).status == 401)
            let narrow = try await server.token("ZohoCRM.bulk.backup.READ")
            #expect(await server.send("POST", Self.path, token: narrow).json?["code"] == "OAUTH_SCOPE_MISMATCH")
            #expect(await server.send("DELETE", Self.path, token: token).json?["code"] == "INVALID_REQUEST_METHOD")
            for (query, code) in [("page=0", "INVALID_DATA"), ("per_page=x", "UNABLE_TO_PARSE_DATA_TYPE")] {
                #expect(await server.send("GET", "\(Self.path)/history?\(query)", token: token).json?["code"]?.string == code)
            }
            // 242.
            let file = "/v2/crm/1/backup/1/Data_001.zip"
            #expect(await server.send("GET", file, token: token).json?["code"] == "URL_RULE_NOT_CONFIGURED")
            let without = await server.send("GET", file, token: narrow)
            #expect(without.status == 401 && without.json?["code"] == "INVALID_OAUTHSCOPE")
        }
    }

    @Test(arguments: TestServer.engines) func onlyAdministratorsMay(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let organisation = try Organisation(server)
            let token = try await organisation.user("other@tributary.test", profile: organisation.standard, scopes: Self.scopes).token
            for (method, path) in [
                ("POST", Self.path), ("GET", Self.path), ("GET", Self.path + "/history"), ("GET", Self.path + "/urls"),
                ("PUT", Self.path + "/1/actions/cancel"), ("GET", "/crm/v7/__jobs"),
            ] {
                let answer = await server.send(method, path, token: token)
                #expect(answer.status == 403 && answer.json?["code"] == "NO_PERMISSION", "\(method) \(path): \(answer.text)")
            }
            #expect(await server.send("GET", "/v2/crm/1/backup/1/Data_001.zip", token: token).json?["code"] == "FORBIDDEN")
        }
    }
}
