import Metadata
import SQLStore
import Synchronization
import Testing
import TributaryTestKit
import Wire

@testable import CRMCore

/// Contract: mass-update, 201 and 202; mass-delete, 203 and 204.
@Suite struct MassActionTests {
    private static let scopes = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.coql.READ,ZohoCRM.mass_update.ALL,ZohoCRM.mass_delete.ALL"
    private static let update = "/crm/v7/Leads/actions/mass_update", delete = "/crm/v7/Leads/actions/mass_delete"

    private static func fill(_ server: TestServer, _ token: String, _ count: Int) async -> [String] {
        var ids: [String] = []
        for start in stride(from: 0, to: count, by: 100) {
            let items = (start..<min(start + 100, count)).map { ["Last_Name": .string("L\($0)"), "Industry": "Other"] as JSONValue }
            let answer = await server.send("POST", "/crm/v7/Leads", ["data": .array(items)], token: token)
            ids += (answer.json?["data"]?.array ?? []).compactMap { $0["details"]?["id"]?.string }
        }
        return ids
    }

    private static func view(_ server: TestServer, _ token: String, _ name: String) async -> JSONValue {
        let views = await server.send("GET", "/crm/v7/settings/custom_views?module=Leads", token: token).json?["custom_views"]?.array ?? []
        return views.first { $0["system_name"]?.string == name }?["id"] ?? .null
    }

    private static func count(_ server: TestServer, _ token: String, _ condition: String) async -> JSONValue? {
        await server.send(
            "POST", "/crm/v7/coql", ["select_query": .string("select COUNT(id) as n from Leads where \(condition)")], token: token
        ).json?["data"]?.array?.first?["n"]
    }

    @Test(arguments: TestServer.engines)
    func idsAreDoneAtOnceAndUnknownOnesToldApart(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let ids = await Self.fill(server, token, 3)
            let answer = await server.send(
                "POST", Self.update, ["data": [["Industry": "Energy"]], "ids": [.string(ids[0]), "5", .string(ids[1])]], token: token)
            let results = answer.json?["data"]?.array ?? []
            #expect(answer.status == 207 && results.map { $0["code"] } == ["SUCCESS", "INVALID_DATA", "SUCCESS"], "\(answer.text)")
            #expect(
                results[0]["message"] == "record updated" && results[0]["details"]?["Modified_By"]?["id"] != nil
                    && results[1]["details"] == ["id": "5"])
            #expect(results[1]["message"] == "the id given seems to be invalid")
            #expect(await Self.count(server, token, "Industry = 'Energy'") == 2)

            let gone = await server.send("POST", Self.delete, ["ids": [.string(ids[0]), "5"]], token: token)
            #expect(
                gone.status == 207 && gone.json?["data"]?.array?.first == .success("record is deleted", details: ["id": .string(ids[0])]),
                "\(gone.text)")
            #expect(gone.json?["data"]?.array?.last?["details"] == ["id": "5"])
            #expect(await Self.count(server, token, "id is not null") == 2)
            #expect(await server.send("GET", "/crm/v7/Leads/deleted?type=recycle", token: token).json?["data"]?.array?.count == 1)
        }
    }

    @Test(arguments: TestServer.engines)
    func aViewIsDoneByAJobThatGoesOnWhereItWasCutOff(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let services = server.services
            _ = await Self.fill(server, token, 450)
            let view = await Self.view(server, token, "ALLVIEWS")
            let body: JSONValue = ["data": [["Industry": "Energy"]], "cvid": view]
            let started = await server.send("POST", Self.update, body, token: token)
            let id = started.json?["data"]?.array?.first?["details"]?["job_id"]?.string ?? ""
            #expect(
                started.status == 200 && started.json?["data"]?.array?.first?["message"] == "mass update scheduled successfully",
                "\(started.text)")
            let again = await server.send("POST", Self.update, body, token: token)
            #expect(again.status == 202 && again.json?["code"] == "ALREADY_SCHEDULED")
            func status() async -> JSONValue? {
                await server.send("GET", "\(Self.update)?job_id=\(id)", token: token).json?["data"]?.array?.first
            }
            #expect(
                await status() == [
                    "Status": "SCHEDULED", "Failed_Count": 0, "Updated_Count": 0, "Not_Updated_Count": 0, "Total_Count": 450,
                ])

            // Killed in the middle of the second batch: what it began is not there, and the next run begins with it.
            let now = services.clock()
            let job = try #require(try await services.database.run(.write) { tx in try JobQueue.claim(now: now, tx) })
            let kept = try MassUpdate(
                JSONCursor(["Industry": "Energy"]), overwrites: true, try #require(services.catalog.current().module("Leads")),
                services.catalog.current(), .system("a test of mass updates")
            ).kept
            let calls = Counter()
            await #expect(throws: Cut.self) {
                try await MassRun.run(job, services) { ids, module, scope in
                    let outcomes = try MassUpdate(kept: kept, module).apply(to: ids, services.records, scope)
                    if calls.next() == 2 { throw Cut() }
                    return outcomes.count
                }
            }
            #expect(await Self.count(server, token, "Industry = 'Energy'") == 200)
            let midway = await status()
            #expect(midway?["Status"] == "RUNNING" && midway?["Updated_Count"] == 200)
            try await services.database.run(.write) { tx in try JobQueue.freeAll(tx) }
            await JobWorker(services).drain()
            #expect(
                await status() == [
                    "Status": "COMPLETED", "Failed_Count": 0, "Updated_Count": 450, "Not_Updated_Count": 0, "Total_Count": 450,
                ])
            #expect(await Self.count(server, token, "Industry = 'Energy'") == 450)
            let table = try #require(services.catalog.current().module("Leads")?.table)
            let versions = try await services.database.run(.read) { tx in
                try tx.rows("SELECT DISTINCT row_version FROM \(table)") { $0.integer(0) }
            }
            #expect(versions == [1], "each was written once")

            let gone = await server.send("POST", Self.delete, ["cvid": view], token: token)
            let other = gone.json?["data"]?.array?.first?["details"]?["job_id"]?.string ?? ""
            #expect(gone.status == 200, "\(gone.text)")
            #expect(await server.send("POST", Self.delete, ["cvid": view], token: token).status == 400)
            await JobWorker(services).drain()
            #expect(
                await server.send("GET", "\(Self.delete)?job_id=\(other)", token: token).json?["data"]?.array?.first == [
                    "Status": "COMPLETED", "Failed_Count": 0, "Deleted_Count": 450, "Total_Count": 450,
                ])
            #expect(await Self.count(server, token, "id is not null") == 0)
            #expect(await server.send("POST", Self.update, body, token: token).json?["code"] == "NO_RECORDS_FOUND")
        }
    }

    private struct Cut: Error {}

    @Test(arguments: TestServer.engines)
    func whatCannotBeDoneIsRefusedAndChangesNothing(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token(Self.scopes)
            let ids = await Self.fill(server, token, 1)
            let id = JSONValue.string(ids[0])
            let cases: [(String, JSONValue, String)] = [
                ("Leads", ["ids": [id]], "MANDATORY_NOT_FOUND"), ("Leads", ["data": [["Industry": "Energy"]]], "MANDATORY_NOT_FOUND"),
                ("Leads", ["data": [[:]], "ids": [id]], "INVALID_DATA"),
                ("Leads", ["data": [["Industry": "Energy", "City": "Oslo"]], "ids": [id]], "INVALID_DATA"),
                ("Leads", ["data": [["Nope": 1]], "ids": [id]], "INVALID_DATA"),
                ("Leads", ["data": [["Email": "a@b.example"]], "ids": [id]], "INVALID_DATA"),
                ("Leads", ["data": [["Description": "x"]], "ids": [id]], "INVALID_DATA"),
                ("Leads", ["data": [["Industry": 5]], "ids": [id]], "INVALID_DATA"),
                ("Leads", ["data": [["Industry": "Energy"]], "cvid": "7"], "INVALID_DATA"),
                ("Leads", ["data": [["Industry": "Energy"]], "ids": [id], "territory": ["id": "1"]], "MANDATORY_NOT_FOUND"),
                ("Notes", ["data": [["Note_Title": "x"]], "ids": [id]], "INVALID_MODULE"),
                ("Leads", ["data": [["Industry": "Energy"]], "ids": .array((0..<501).map { .integer(Int64($0 + 1)) })], "LIMIT_EXCEEDED"),
                ("Nope", ["data": [["Industry": "Energy"]], "ids": [id]], "INVALID_MODULE"),
            ]
            for (module, body, code) in cases {
                let answer = await server.send("POST", "/crm/v7/\(module)/actions/mass_update", body, token: token)
                #expect(answer.status == 400 && answer.json?["code"] == .string(code), "\(body.text.prefix(200)): \(answer.text)")
            }
            #expect(await Self.count(server, token, "Industry = 'Other'") == 1)
            #expect(await server.send("GET", "\(Self.update)?job_id=9", token: token).status == 404)
            #expect(await server.send("GET", Self.update, token: token).json?["code"] == "MANDATORY_NOT_FOUND")
            #expect(await server.send("GET", "\(Self.delete)?job_id=9", token: token).status == 204)
            #expect(await server.send("POST", Self.delete, [:], token: token).json?["code"] == "MANDATORY_NOT_FOUND")
            #expect(
                await server.send("POST", "/crm/v7/Notes/actions/mass_delete", ["ids": [id]], token: token).json?["code"] == "NOT_SUPPORTED"
            )
            let narrow = try await server.token("ZohoCRM.mass_update.leads.UPDATE,ZohoCRM.mass_delete.contacts.DELETE")
            #expect(await server.send("POST", Self.update, ["data": [["Industry": "Energy"]], "ids": [id]], token: narrow).status == 200)
            #expect(await server.send("POST", Self.delete, ["ids": [id]], token: narrow).json?["code"] == "OAUTH_SCOPE_MISMATCH")
        }
    }
}

/// Counts calls from any thread.
private final class Counter: Sendable {
    private let value = Mutex(0)
    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
