import CRMCore
import HTTPShell
import Metadata
import TributaryTestKit
import Wire

extension TestServer {
    /// Adds one record and returns its id.
    func add(_ module: String, _ record: JSONValue, token: String) async throws -> String {
        let answer = await send("POST", "/crm/v7/\(module)", ["data": [record]], token: token)
        guard answer.status == 201, let id = answer.json?["data"]?.array?.first?["details"]?["id"]?.string else {
            throw Unexpected(answer.text)
        }
        return id
    }

    /// One record whole; `nil` when it is not there.
    func record(_ module: String, _ id: String, token: String) async -> JSONValue? {
        await send("GET", "/crm/v7/\(module)/\(id)", token: token).json?["data"]?.array?.first
    }

    /// A second person, of the standard profile and the lowest role.
    func addUser(_ name: String, profile: String = "Standard", active: Bool = true) async throws -> User {
        let id = try await services.changeMetadata { scope -> RecordID in
            func reference(_ kind: Document.Kind, _ name: String) -> JSONValue {
                let found = scope.catalog.documents(kind).first { $0.body["name"] == .string(name) }
                return ["name": .string(name), "id": found.map { .id($0.id) } ?? .null]
            }
            let body: JSONValue = [
                "last_name": .string(name), "full_name": .string(name), "email": .string("\(name.lowercased())@tributary.test"),
                "status": active ? "active" : "inactive", "confirm": true, "profile": reference(.profile, profile),
                "role": reference(.role, "Manager"),
            ]
            let id = scope.ids.next()
            try scope.add([Document(id: id, kind: .user, body: body)])
            return id
        }
        guard let user = services.catalog.current().user(UserID(raw: id.raw)) else { throw Unexpected("no user") }
        return user
    }

    func token(of user: User, _ scopes: String = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL") async throws -> String {
        guard let set = ScopeSet(scopes) else { throw Unexpected(scopes) }
        return try await shell.tokens.issueAccess(clientID: "test", user: user.id, scopes: set, lifeSeconds: 3600)
    }

    /// Does the jobs that are due.
    func drain() async { await JobWorker(services).drain() }

    struct Unexpected: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }
}

extension JSONValue {
    /// The first element under a key.
    func first(_ key: String) -> JSONValue? { self[key]?.array?.first }
    func codes(_ key: String) -> [String?] { (self[key]?.array ?? []).map { $0["code"]?.string } }
}
