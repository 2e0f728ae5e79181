import CRMCore
import Metadata
import SQLStore
import Testing
import TributaryTestKit
import Wire

/// The administrator's profile is the first, whatever it is called (docs/rights.md).
@Suite struct AdministratorTests {
    @Test(arguments: TestServer.engines)
    func aNewNameOfTheirProfileTakesNothingFromAdministrators(_ engine: Database.Engine) async throws {
        try await TestServer.with(engine) { server in
            let api = try await RecordCaller(server)
            let profile = try #require(server.services.catalog.current().administratorProfile)
            let renamed = await api.send("PUT", "settings/profiles/\(profile)", ["profiles": [["name": "Bosses", "permissions_details": []]]])
            #expect(renamed.codes == ["SUCCESS"] || renamed.status == 200, "\(renamed.text)")
            #expect(await api.send("GET", "users?type=AdminUsers").json?["users"]?.array?.count == 1)
            #expect(await api.send("GET", "Notes?fields=id").status == 204)
            let me = String(server.administrator.id.raw)
            let left = await api.send("PUT", "users/\(me)", ["users": [["status": "inactive"]]])
            #expect(left.status >= 400, "\(left.text)")
            #expect(server.services.catalog.current().user(server.administrator.id)?.active == true)
        }
    }
}
