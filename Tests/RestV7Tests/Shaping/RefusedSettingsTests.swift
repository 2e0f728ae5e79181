import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// A call that changes no setting makes no new version of the settings, for which every process would load them anew.
@Suite struct RefusedSettingsTests {
    @Test(arguments: TestServer.engines) func whatIsRefusedLeavesTheVersionAlone(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let token = try await server.token()
            func version() async throws -> Int64 {
                let stored = try await server.services.database.run(.read) { tx in try MetadataStore.version(tx) }
                #expect(server.services.catalog.current().version == stored)
                return stored
            }
            let start = try await version()
            let catalog = server.services.catalog.current()
            let refused: [(String, String, JSONValue)] = [
                ("POST", "settings/fields?module=Leads", ["fields": [["field_label": "City", "data_type": "text"]]]),
                ("POST", "settings/roles", ["roles": [["name": ""]]]), ("POST", "settings/roles", ["roles": [["name": " "]]]),
                ("POST", "settings/variables", ["variables": [["name": "x"]]]),
                ("POST", "settings/modules", ["modules": [["plural_label": "Leads", "singular_label": "Lead"]]]),
                ("PUT", "settings/fiscal_year", ["fiscal_year": ["start_month": "Smarch"]]),
                ("POST", "users", ["users": [["last_name": "K", "email": "nobody"]]]),
                ("DELETE", "settings/variables?ids=12", .null),
            ]
            for (method, path, body) in refused {
                let answer = await server.send(method, "/crm/v7/" + path, body.isNull ? nil : body, token: token)
                #expect(answer.status >= 400, "\(path): \(answer.text)")
                #expect(try await version() == start, "\(path)")
            }
            #expect(server.services.catalog.current() === catalog)
            // Of two items the refused one takes nothing with it.
            let mixed = await server.send(
                "POST", "/crm/v7/settings/fields?module=Leads",
                ["fields": [["field_label": "Nick", "data_type": "text"], ["field_label": "City", "data_type": "text"]]], token: token)
            #expect(mixed.json?.codes("fields") == ["SUCCESS", "DUPLICATE_DATA"], "\(mixed.text)")
            #expect(try await version() == start + 1)
            #expect(server.services.catalog.current().module("Leads")?.field("Nick") != nil)
        }
    }
}
