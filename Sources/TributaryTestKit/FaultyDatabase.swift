import CRMCore
import SQLStore

/// A database that fails the statements it is told to, for tests that what fails leaves everything as it was.
package struct FaultyDatabase: Sendable {
    package let services: Services
    package let watch: StatementWatch

    package static func with(
        _ engine: Database.Engine, _ body: (FaultyDatabase, Bootstrap.Result) async throws -> Void
    ) async throws {
        let watch = StatementWatch()
        let home = try await TestDatabase.fresh(engine)
        let options = Database.Options(observer: { _ in try watch.see() })
        let start = try await Bootstrap.start(home.location, options: options, demo: false, logger: TestDatabase.logger)
        try await body(FaultyDatabase(services: start.services, watch: watch), start)
        await start.close()
        await home.remove()
    }

    /// Everything in it: records, and how many rows the tables have that tell of what was done.
    package struct State: Sendable, Equatable {
        package let dump: RecordDump
        let counts: [Int64]

        package func differences(from other: State) -> [String] {
            dump.differences(from: other.dump)
                + (counts == other.counts ? [] : ["\(counts) rows in the system's tables, not \(other.counts)"])
        }
    }

    package func state() async throws -> State {
        let tables: [TableName] = ["sys_change", "sys_grave", "sys_merge", "sys_unmerge", "sys_conversion", "sys_job", "sys_tag"]
        let counts = try await services.database.run(.read) { tx in
            try tables.map { table in try tx.first("SELECT count(*) FROM \(table)") { $0.integer(0) ?? 0 } ?? -1 }
        }
        return State(dump: try await RecordDump.take(services), counts: counts)
    }

    /// What came of failing one statement after another.
    package struct Outcome<T> {
        /// What the action gave when it came through; `nil` if it never did.
        package let result: T?
        package let failed: Int
        /// What was not as before after a failure.
        package let problems: [String]
    }

    /// Runs `action` again and again, each time failing one statement later, until it comes through. Where there are thousands of
    /// rows, looking at them after every so many failures is enough. An action that goes on after a failure has a problem, too.
    package func failEach<T>(lookingEvery step: Int = 1, _ action: () async throws -> T) async throws -> Outcome<T> {
        let before = try await state()
        var problems: [String] = []
        for failed in 0..<500 {
            watch.arm(failed + 1)
            let result = try? await action()
            let seen = watch.disarm()
            if let result { return Outcome(result: result, failed: failed, problems: problems) }
            if seen != failed + 1 { problems.append("it went on after statement \(failed + 1) had failed") }
            guard (failed + 1) % step == 0 else { continue }
            problems += try await state().differences(from: before).map { "after failing statement \(failed + 1): \($0)" }
        }
        return Outcome(result: nil, failed: 500, problems: problems)
    }
}
