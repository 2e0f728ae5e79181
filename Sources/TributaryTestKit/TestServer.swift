import CRMCore
import Foundation
import HTTPShell
import Metadata
import RestV7
import SQLStore
import Wire

/// The whole server over a fresh database, called in process.
package struct TestServer: Sendable {
    package let shell: Shell
    package let services: Services
    package let administrator: User
    package let administration: Administration
    package let clock: TestClock
    private let start: Bootstrap.Result
    private let home: TestDatabase

    /// SQLite always; PostgreSQL too when TRIBUTARY_TEST_POSTGRES names a server, as `make test` makes it do.
    package static var engines: [Database.Engine] { TestDatabase.postgresURL == nil ? [.sqlite] : [.sqlite, .postgres] }

    /// Endpoints of a test come on top of the real ones. `limits` shortens what takes long.
    package static func start(
        _ engine: Database.Engine, extra: [any Endpoint.Type] = [], options: Shell.Options = Shell.Options(),
        limits: TokenLimits = TokenLimits(), outgoing: any OutgoingHTTP = NoOutgoingHTTP()
    ) async throws -> TestServer {
        await TestLimit.servers.enter()
        do {
            return try await open(engine, extra: extra, options: options, limits: limits, outgoing: outgoing)
        } catch {
            await TestLimit.servers.leave()
            throw error
        }
    }

    private static func open(
        _ engine: Database.Engine, extra: [any Endpoint.Type], options: Shell.Options, limits: TokenLimits,
        outgoing: any OutgoingHTTP
    ) async throws -> TestServer {
        try await open(try await TestDatabase.fresh(engine), extra: extra, options: options, limits: limits, outgoing: outgoing)
    }

    private static func open(
        _ home: TestDatabase, extra: [any Endpoint.Type] = [], options: Shell.Options = Shell.Options(),
        limits: TokenLimits = TokenLimits(),
        outgoing: any OutgoingHTTP = NoOutgoingHTTP(), vault: FieldVault? = TestKeys.vault
    ) async throws -> TestServer {
        let clock = TestClock()
        let start = try await Bootstrap.start(
            home.location, outgoing: outgoing, demo: false, vault: vault, logger: TestDatabase.logger, clock: { clock.now() })
        let services = start.services
        let tokens = TokenStore(services.database, ids: services.ids, clock: { clock.now() }, limits: limits)
        let shell = Shell(services: services, tokens: tokens, endpoints: allEndpoints + extra, options: options)
        return TestServer(
            shell: shell, services: services, administrator: start.administrator,
            administration: Administration(services, tokens: tokens), clock: clock, start: start, home: home)
    }

    /// Starts a server, and ends it and removes its database whatever `body` does.
    package static func with<T>(
        _ engine: Database.Engine, extra: [any Endpoint.Type] = [], options: Shell.Options = Shell.Options(),
        limits: TokenLimits = TokenLimits(), outgoing: any OutgoingHTTP = NoOutgoingHTTP(), _ body: (TestServer) async throws -> T
    ) async throws -> T {
        try await start(engine, extra: extra, options: options, limits: limits, outgoing: outgoing).ending(after: body)
    }

    /// Ends the server and removes its database whatever `body` does.
    private func ending<T>(after body: (TestServer) async throws -> T) async throws -> T {
        let result: Result<T, any Error>
        do {
            result = .success(try await body(self))
        } catch {
            result = .failure(error)
        }
        await stop()
        return try result.get()
    }

    /// Starts a server on a database that is there, and ends it and removes the database whatever `body` does.
    package static func with<T>(_ home: TestDatabase, _ body: (TestServer) async throws -> T) async throws -> T {
        await TestLimit.servers.enter()
        let server: TestServer
        do {
            server = try await open(home)
        } catch {
            await home.remove()
            await TestLimit.servers.leave()
            throw error
        }
        return try await server.ending(after: body)
    }

    /// A server on one new database with each of these keys, and the database removed at the end.
    package static func inTurn(_ engine: Database.Engine, _ vaults: [FieldVault?], _ body: (Int, TestServer) async throws -> Void)
        async throws
    {
        await TestLimit.servers.enter()
        let home = try await TestDatabase.fresh(engine)
        var failure: (any Error)?
        for (turn, vault) in vaults.enumerated() where failure == nil {
            do {
                let server = try await open(home, vault: vault)
                do { try await body(turn, server) } catch { failure = error }
                await server.start.close()
            } catch {
                failure = error
            }
        }
        await home.remove()
        await TestLimit.servers.leave()
        if let failure { throw failure }
    }

    /// Another process on the same database, as far as the database can tell. PostgreSQL only. It ends before this one.
    package func withSecondProcess<T>(_ body: (TestServer) async throws -> T) async throws -> T {
        let clock = clock
        let start = try await Bootstrap.start(
            home.location, outgoing: services.outgoing, demo: false, vault: TestKeys.vault, logger: TestDatabase.logger,
            clock: { clock.now() })
        let tokens = TokenStore(start.services.database, ids: start.services.ids, clock: { clock.now() })
        let shell = Shell(services: start.services, tokens: tokens, endpoints: allEndpoints)
        let second = TestServer(
            shell: shell, services: start.services, administrator: start.administrator,
            administration: Administration(start.services, tokens: tokens), clock: clock, start: start, home: home)
        let result: Result<T, any Error>
        do {
            result = .success(try await second.withBackground { try await body(second) })
        } catch {
            result = .failure(error)
        }
        await start.close()
        return try result.get()
    }

    /// Runs `body` beside what a server does besides answering: following metadata and doing jobs.
    package func withBackground<T>(_ body: () async throws -> T) async throws -> T {
        let work = Task { await start.runInBackground() }
        let result: Result<T, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        work.cancel()
        await work.value
        return try result.get()
    }

    package func stop() async {
        await start.close()
        await home.remove()
        await TestLimit.servers.leave()
    }

    /// An access token of the administrator.
    package func token(_ scopes: String = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.org.ALL,ZohoCRM.coql.READ")
        async throws -> String
    {
        guard let set = ScopeSet(scopes) else { throw AdminFailure("bad scopes: \(scopes)") }
        return try await shell.tokens.issueAccess(clientID: "test", user: administrator.id, scopes: set, lifeSeconds: 3600)
    }

    /// What came back; `json` is nil for an empty body and for one that is not JSON.
    package struct Answer: Sendable {
        package let status: Int
        package let json: JSONValue?
        package let headers: [(String, String)]
        package let body: [UInt8]

        package func header(_ name: String) -> String? { headers.first { $0.0.lowercased() == name.lowercased() }?.1 }
        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// A token is sent as the SDKs do.
    @discardableResult
    package func send(
        _ method: String, _ path: String, _ json: JSONValue? = nil, token: String? = nil, headers: [(String, String)] = []
    ) async -> Answer {
        await send(method, path, body: json?.encoded() ?? [], token: token, headers: headers)
    }

    @discardableResult
    package func send(
        _ method: String, _ path: String, body: [UInt8], token: String? = nil, headers: [(String, String)] = []
    ) async -> Answer {
        let authorization = token.map { [("Authorization", "Zoho-oauthtoken \($0)")] } ?? []
        let reply = await shell.answer(
            method: method, path: path, headers: [("Host", "crm.example.test")] + authorization + headers, body: body)
        // A body that breaks off is as good as none here; what tests expect of it they will miss.
        let bytes = (try? await reply.stream?.bytes.collect()) ?? reply.body
        return Answer(status: reply.status, json: try? JSONValue.parse(bytes), headers: reply.headers, body: bytes)
    }

    /// A form as the Python SDK sends it.
    @discardableResult
    package func post(_ path: String, form: [(String, String)], headers: [(String, String)] = []) async -> Answer {
        let body = form.map { "\(PercentCoding.encode($0.0))=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
        return await send(
            "POST", path, body: Array(body.utf8), headers: headers + [("Content-Type", "application/x-www-form-urlencoded")])
    }
}
