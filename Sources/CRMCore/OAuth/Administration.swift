import Metadata
import Wire

/// Carries out what an administrator asks on the command line, in the server or beside it.
package struct Administration: Sendable {
    /// The client that tokens made on the command line belong to.
    package static let consoleClient = "console"

    package let tokens: TokenStore
    package let clients: ClientStore
    package let credentials: CredentialStore
    private let catalog: CatalogCache
    private let services: Services

    /// A server hands over the token store its requests use, so that they notice at once what is revoked here.
    package init(_ services: Services, tokens: TokenStore? = nil) {
        self.tokens = tokens ?? TokenStore(services.database, ids: services.ids, clock: services.clock)
        clients = ClientStore(services.database, ids: services.ids, clock: services.clock)
        credentials = CredentialStore(services.database, clock: services.clock)
        catalog = services.catalog
        self.services = services
    }

    /// The answer names what was made; secrets in it are not shown again.
    package func perform(_ request: AdminRequest) async throws -> JSONValue {
        switch request {
        case .createClient(let name, let uris): try await createClient(name, uris)
        case .listClients: try await listClients()
        case .deleteClient(let id): try await deleteClient(id)
        case .jobs(let all): try await JobAdministration(services).list(all: all)
        case .grant(let clientID, let scope, let email, let minutes): try await grant(clientID, scope, email, minutes)
        case .token(let scope, let email, let minutes): try await token(scope, email, minutes)
        case .password(let email, let password): try await setPassword(email, password)
        case .territories(let on): try await TerritorySetup.turn(on: on, services)
        case .compact: try await Compaction(services).run()
        case .merge, .unmerge: try await MergeAdministration(services: services, user: person(request.user).id).perform(request)
        }
    }

    private func createClient(_ name: String, _ uris: [String]) async throws -> JSONValue {
        guard !name.isEmpty, name.count <= 100 else { throw AdminFailure("a client's name has 1 to 100 characters") }
        if let bad = uris.first(where: { !ClientStore.acceptsRedirect($0) }) {
            throw AdminFailure("not a redirect URI (absolute, no fragment): \(bad)")
        }
        let (client, secret) = try await clients.create(name: name, redirectURIs: uris)
        return [
            "client_id": .string(client.clientID), "client_secret": .string(secret), "name": .string(name),
            "redirect_uris": .array(uris.map { .string($0) }),
        ]
    }

    private func listClients() async throws -> JSONValue {
        let clients = try await clients.all()
        return [
            "clients": .array(
                clients.map { client, createdAt in
                    [
                        "client_id": .string(client.clientID), "name": .string(client.name),
                        "redirect_uris": .array(client.redirectURIs.map { .string($0) }),
                        "created": .string(createdAt.iso(offsetMinutes: 0)),
                    ]
                })
        ]
    }

    private func deleteClient(_ clientID: String) async throws -> JSONValue {
        guard let client = try await clients.find(clientID) else { throw AdminFailure("no client has the id \(clientID)") }
        try await tokens.remove(client)
        return ["client_id": .string(client.clientID), "name": .string(client.name)]
    }

    private func grant(_ clientID: String, _ scope: String, _ email: String?, _ minutes: Int) async throws -> JSONValue {
        guard (3...10).contains(minutes) else { throw AdminFailure("a code lives 3 to 10 minutes") }
        guard let client = try await clients.find(clientID) else { throw AdminFailure("no client has the id \(clientID)") }
        let scopes = try parse(scope)
        let user = try person(email)
        let code = try await tokens.issueCode(
            client: client, user: user.id, scopes: scopes, redirectURI: nil, offline: true, lifeSeconds: Int64(minutes) * 60)
        return [
            "code": .string(code), "client_id": .string(clientID), "scope": .string(scopes.text), "user": .string(user.email),
            "expires_in": .integer(Int64(minutes) * 60),
        ]
    }

    private func token(_ scope: String, _ email: String?, _ minutes: Int) async throws -> JSONValue {
        guard (1...1440).contains(minutes) else { throw AdminFailure("a token lives 1 to 1440 minutes") }
        let scopes = try parse(scope)
        let user = try person(email)
        let token = try await tokens.issueAccess(
            clientID: Self.consoleClient, user: user.id, scopes: scopes, lifeSeconds: Int64(minutes) * 60)
        return [
            "access_token": .string(token), "scope": .string(scopes.text), "user": .string(user.email),
            "expires_in": .integer(Int64(minutes) * 60),
        ]
    }

    private func setPassword(_ email: String, _ password: String?) async throws -> JSONValue {
        let user = try person(email)
        let chosen = password ?? Secrets.password()
        guard (8...200).contains(chosen.count) else { throw AdminFailure("a password has 8 to 200 characters") }
        try await credentials.setPassword(chosen, of: user.id)
        try await tokens.endSessions(of: user.id)
        // Whoever is handed a password has been let in, and needs no invitation.
        if !user.confirmed { try await confirm(user.id) }
        return password == nil ? ["user": .string(user.email), "password": .string(chosen)] : ["user": .string(user.email)]
    }

    private func confirm(_ id: UserID) async throws {
        try await services.changeMetadata { scope in
            guard let user = scope.catalog.user(id) else { return }
            try Invitations.withdraw(from: RecordID(raw: id.raw), scope.tx)
            var body = user.body
            body["confirm"] = true
            try scope.replace(RecordID(raw: id.raw), body: body)
        }
    }

    private func parse(_ scope: String) throws(AdminFailure) -> ScopeSet {
        guard let scopes = ScopeSet(scope) else { throw AdminFailure("not a list of scopes such as ZohoCRM.modules.ALL: \(scope)") }
        if let unknown = scopes.scopes.first(where: { !$0.isKnown }) { throw AdminFailure("the API has no scope \(unknown.text)") }
        return scopes
    }

    /// The user with that address, or without one the organisation's first: who set it up.
    private func person(_ email: String?) throws(AdminFailure) -> User {
        let users = catalog.current().users.filter(\.active).sorted { $0.id.raw < $1.id.raw }
        guard let email else {
            guard let first = users.first else { throw AdminFailure("the organisation has no active user") }
            return first
        }
        guard let user = users.first(where: { $0.email.lowercased() == email.lowercased() }) else {
            throw AdminFailure("no active user has the address \(email)")
        }
        return user
    }
}
