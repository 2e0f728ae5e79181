import CRMCore
import HTTPShell
import Metadata
import TributaryTestKit
import Wire

/// The parts of a test's organisation that shaping is about, by name.
struct Organisation {
    let server: TestServer
    let administrator: RecordID
    let standard: RecordID

    init(_ server: TestServer) throws {
        self.server = server
        let profiles = server.services.catalog.current().documents(.profile)
        administrator = profiles[0].id
        standard = profiles[1].id
    }

    static func searchToken(_ server: TestServer) async throws -> String {
        try await server.token("ZohoCRM.modules.ALL,ZohoSearch.securesearch.READ")
    }

    @discardableResult
    func makeModule(_ plural: String, _ singular: String, _ token: String) async -> TestServer.Answer {
        await server.send(
            "POST", "/crm/v7/settings/modules",
            [
                "modules": [
                    ["plural_label": .string(plural), "singular_label": .string(singular), "profiles": [["id": .id(administrator)]]]
                ]
            ], token: token)
    }

    @discardableResult
    func makeFields(_ module: String, _ fields: [JSONValue], _ token: String) async -> TestServer.Answer {
        await server.send("POST", "/crm/v7/settings/fields?module=\(module)", ["fields": .array(fields)], token: token)
    }

    func insert(_ module: String, _ records: [JSONValue], _ token: String) async -> [String] {
        let answer = await server.send("POST", "/crm/v7/\(module)", ["data": .array(records)], token: token)
        return (answer.json?["data"]?.array ?? []).map { $0["details"]?["id"]?.string ?? "refused: \($0.text)" }
    }

    func record(_ module: String, _ id: String, _ token: String) async -> JSONValue? {
        await server.send("GET", "/crm/v7/\(module)/\(id)", token: token).json?["data"]?.array?.first
    }

    /// An active user of a profile, with a token.
    func user(_ email: String, profile: RecordID, role: RecordID? = nil, scopes: String = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL")
        async throws -> (id: RecordID, token: String)
    {
        let catalog = server.services.catalog.current()
        let role = role ?? catalog.documents(.role)[0].id
        let id = try await server.services.changeMetadata { scope in
            try scope.add(
                .user, nil,
                [
                    "first_name": "", "last_name": .string(email), "full_name": .string(email), "email": .string(email), "status": "active",
                    "confirm": true,
                    "profile": ["id": .id(profile)], "role": ["id": .id(role)], "time_zone": "Europe/Paris",
                ])
        }
        guard let scopes = ScopeSet(scopes) else { throw AdminFailure("bad scopes") }
        return (
            id, try await server.shell.tokens.issueAccess(clientID: "test", user: UserID(raw: id.raw), scopes: scopes, lifeSeconds: 3600)
        )
    }
}

extension Organisation {
    /// The same organisation seen through another process.
    init(_ server: TestServer, like other: Organisation) {
        self.server = server
        administrator = other.administrator
        standard = other.standard
    }
}
