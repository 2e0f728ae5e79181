import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// Tools that a profile may have or not. Contract: bulk-write, 246 (NO_PERMISSION); bulk-read, 249.
@Suite struct ProfileToolsTests {
    @Test(arguments: TestServer.engines) func anImportNeedsTheRightToImport(_ engine: Database.Engine) async throws {
        try await BulkBench.with(engine) { bench in
            let server = bench.server
            let org = try Organisation(server)
            let admin = bench.token
            let cloned = await server.send(
                "POST", "/crm/v7/settings/profiles/\(org.standard)/actions/clone", ["profiles": [["name": "No tools"]]], token: admin)
            let profile = try #require(RecordID(cloned.json?.first("profiles")?["details"]?["id"]?.string ?? ""))
            let user = try await org.user("tools@x.example", profile: profile, scopes: BulkBench.scopes)
            // Which of these a profile may be given is up to the edition; what it holds is what counts.
            func set(_ right: String, _ enabled: Bool) async throws {
                try await server.services.changeMetadata { scope in
                    guard var body = scope.catalog.documents(.profile).first(where: { $0.id == profile })?.body else { return }
                    let held = (body["permissions"]?.array ?? []).filter { $0.string != right }
                    body["permissions"] = .array(held + (enabled ? [.string(right)] : []))
                    try scope.replace(profile, body: body)
                }
            }
            let theirs = BulkBench(server: server, token: user.token)
            func start(_ module: String, _ operation: String) async throws -> TestServer.Answer {
                let column = module == "Leads" ? "Last_Name" : "Subject"
                let file = try await theirs.uploaded([("\(module).csv", "\(column)\nKim\n")])
                var resource: JSONValue = [
                    "type": "data", "module": ["api_name": .string(module)], "file_id": file,
                    "field_mappings": [["api_name": .string(column), "index": 0]],
                ]
                if operation != "insert" { resource["find_by"] = .string(column) }
                return await theirs.send("POST", "/crm/bulk/v7/write", ["operation": .string(operation), "resource": [resource]])
            }
            try await set("Crm_Implied_Import_Leads", true)
            let fine = try await start("Leads", "insert")
            #expect(fine.status == 201, "\(fine.text)")
            try await set("Crm_Implied_Import_Leads", false)
            let refused = try await start("Leads", "insert")
            #expect(refused.status == 403 && refused.json?["code"] == "NO_PERMISSION", "\(refused.text)")
            #expect(refused.json?["details"]?["permissions"] == ["Crm_Implied_Import_Leads"])
            // One record at a time needs no such right.
            #expect(
                await server.send("POST", "/crm/v7/Leads", ["data": [["Last_Name": "Kim", "Company": "K"]]], token: user.token).status
                    == 201)

            try await set("Crm_Implied_Export_Leads", false)
            let export = await theirs.send("POST", "/crm/bulk/v7/read", ["query": ["module": ["api_name": "Leads"]]])
            #expect(export.status == 403 && export.json?["code"] == "NO_PERMISSION", "\(export.text)")
        }
    }
}
