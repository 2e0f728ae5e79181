import CLibPQ
import CRMCore
import Dispatch
import Foundation
import Logging
import SQLStore

/// A database of one test, copied from one that was set up once per run.
package struct TestDatabase: Sendable {
    package let location: Database.Location

    /// Silent: refusals and failures are what tests provoke.
    package static var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// A maintenance database of a server that tests may make databases on.
    package static let postgresURL = ProcessInfo.processInfo.environment["TRIBUTARY_TEST_POSTGRES"]

    package static func fresh(_ engine: Database.Engine) async throws -> TestDatabase {
        switch engine {
        case .sqlite:
            let folder = newFolder()
            try FileManager.default.copyItem(atPath: await Template.shared.folder(), toPath: folder)
            return TestDatabase(location: .sqlite(folder: folder))
        case .postgres:
            let name = newName()
            try await postgres("CREATE DATABASE \(name) TEMPLATE \(Template.shared.name())")
            return TestDatabase(location: .postgres(url: url(of: name)))
        }
    }

    /// One that nothing has ever been in.
    package static func empty(_ engine: Database.Engine) async throws -> TestDatabase {
        switch engine {
        case .sqlite: return TestDatabase(location: .sqlite(folder: newFolder()))
        case .postgres:
            let name = newName()
            try await postgres("CREATE DATABASE \(name)")
            return TestDatabase(location: .postgres(url: url(of: name)))
        }
    }

    /// Its connections must be closed.
    package func remove() async {
        switch location {
        case .sqlite(let folder): try? FileManager.default.removeItem(atPath: folder)
        case .postgres(let url): try? await Self.postgres("DROP DATABASE IF EXISTS \(url.split(separator: "/").last ?? "")")
        }
    }

    static func newName() -> String { "tributary_test_\(getpid())_\(UInt32.random(in: .min ... .max))" }
    static func newFolder() -> String { NSTemporaryDirectory() + newName() }

    static func url(of name: String) -> String {
        var parts = URLComponents(string: postgresURL ?? "")
        parts?.path = "/" + name
        return parts?.string ?? ""
    }

    /// CREATE and DROP DATABASE run outside transactions, which `Database` does not offer.
    static func postgres(_ statement: String) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global().async {
                let connection = PQconnectdb(postgresURL ?? "")
                defer { PQfinish(connection) }
                let result = PQexec(connection, statement)
                defer { PQclear(result) }
                if PQresultStatus(result) == PGRES_COMMAND_OK { return continuation.resume() }
                continuation.resume(throwing: TemplateFailure(description: String(cString: PQerrorMessage(connection))))
            }
        }
    }
}

/// The databases that are copied, each set up when the first test asks for it.
private actor Template {
    static let shared = Template()
    private var sqlite: Task<String, any Error>?
    private var postgres: Task<String, any Error>?

    func folder() async throws -> String {
        let task =
            sqlite
            ?? Task {
                let folder = TestDatabase.newFolder()
                try await Self.prepare(.sqlite(folder: folder))
                return folder
            }
        sqlite = task
        return try await task.value
    }

    func name() async throws -> String {
        let task =
            postgres
            ?? Task {
                let name = TestDatabase.newName()
                try await TestDatabase.postgres("CREATE DATABASE \(name)")
                try await Self.prepare(.postgres(url: TestDatabase.url(of: name)))
                return name
            }
        postgres = task
        return try await task.value
    }

    private static func prepare(_ location: Database.Location) async throws {
        let start = try await Bootstrap.start(location, demo: false, logger: TestDatabase.logger)
        await start.close()
    }
}

/// What the server said to a maintenance statement.
struct TemplateFailure: Error, CustomStringConvertible {
    let description: String
}
