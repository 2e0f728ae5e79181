import Foundation
import SQLStore
import Synchronization
import Testing

/// The engines this run can reach. PostgreSQL needs a server, named by a URL in the environment.
enum TestEngine: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case sqlite, postgres

    static let postgresURL = ProcessInfo.processInfo.environment["TRIBUTARY_TEST_POSTGRES"]

    static let available: [TestEngine] = {
        if postgresURL != nil { return allCases }
        print("*** TRIBUTARY_TEST_POSTGRES is not set: nothing is tested on PostgreSQL. ***")
        return [.sqlite]
    }()

    var testDescription: String { rawValue }

    /// An empty database of this engine for one test, gone afterwards.
    @discardableResult
    func withDatabase<T>(_ options: Database.Options = .init(), _ body: (Database) async throws -> T) async throws -> T {
        try await withLocation { location in
            let database = try await Database.open(location, options)
            do {
                let result = try await body(database)
                await database.close()
                return result
            } catch {
                await database.close()
                throw error
            }
        }
    }

    /// Each test has some connections; one test inside another is let in as it is.
    private static let limit = TestLimit(8)
    @TaskLocal private static var isInside = false

    /// An empty place for one test, to be opened by it.
    @discardableResult
    func withLocation<T>(_ body: (Database.Location) async throws -> T) async throws -> T {
        if Self.isInside { return try await withFreshLocation(body) }
        await Self.limit.enter()
        let result: Result<T, any Error>
        do {
            result = .success(try await Self.$isInside.withValue(true) { try await withFreshLocation(body) })
        } catch {
            result = .failure(error)
        }
        await Self.limit.leave()
        return try result.get()
    }

    private func withFreshLocation<T>(_ body: (Database.Location) async throws -> T) async throws -> T {
        switch self {
        case .sqlite:
            let folder = NSTemporaryDirectory() + "tributary-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            return try await body(.sqlite(folder: folder))
        case .postgres:
            let url = try #require(Self.postgresURL)
            let schema = try #require(TableName(checked: "test_" + UUID().uuidString.lowercased().replacing("-", with: "_")))
            let admin = try await Database.open(.postgres(url: url), .init(readers: 1))
            try await admin.run(.write) { try $0.execute("CREATE SCHEMA \(schema)") }
            let separator = url.contains("?") ? "&" : "?"
            let result: Result<T, any Error>
            do {
                result = .success(try await body(.postgres(url: "\(url)\(separator)options=-csearch_path%3D\(schema.raw)")))
            } catch {
                result = .failure(error)
            }
            try await admin.run(.write) { try $0.execute("DROP SCHEMA \(schema) CASCADE") }
            await admin.close()
            return try result.get()
        }
    }
}

/// Shown as skipped when there is no server, so that nobody takes a green run for a full one.
@Test(.enabled(if: TestEngine.postgresURL != nil, "set TRIBUTARY_TEST_POSTGRES to test on PostgreSQL"))
func thePostgresHalfOfTheSuiteRuns() {
    #expect(TestEngine.available.contains(.postgres))
}

/// A value that closures on other threads write into.
final class Box<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>
    init(_ value: Value) { mutex = Mutex(value) }
    var value: Value { mutex.withLock { $0 } }
    func change<R: Sendable>(_ body: @Sendable (inout Value) -> R) -> R { mutex.withLock { body(&$0) } }
}

/// Waits until something holds, at most some seconds.
func eventually(_ condition: @Sendable () async throws -> Bool) async throws -> Bool {
    for _ in 0..<1000 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return false
}

extension Database {
    /// Keeps so many threads of a mode busy until the gate opens; returns when they are.
    func block(_ mode: Mode, _ count: Int, until gate: Box<Bool>) async throws -> [Task<Void, any Error>] {
        let started = Box(0)
        let tasks = (0..<count).map { _ in
            Task {
                try await run(mode) { _ in
                    started.change { $0 += 1 }
                    for _ in 0..<20_000 where !gate.value { usleep(500) }
                }
            }
        }
        #expect(try await eventually { started.value == count })
        return tasks
    }
}

extension Transaction {
    /// The first column of all rows, as text.
    func texts(_ sql: SQL) throws -> [String?] { try rows(sql) { $0.text(0) } }
    func integers(_ sql: SQL) throws -> [Int64?] { try rows(sql) { $0.integer(0) } }
}
