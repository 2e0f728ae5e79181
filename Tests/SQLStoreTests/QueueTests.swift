import Testing

@testable import SQLStore

/// Waiting for a connection: how many, and until when.
@Suite(.timeLimit(.minutes(2))) struct QueueTests {
    @Test(arguments: [Database.Mode.read, .write], TestEngine.available)
    func aFullQueueIsBusy(mode: Database.Mode, engine: TestEngine) async throws {
        try await engine.withDatabase(.init(readers: 1, maximumQueue: 3)) { database in
            let gate = Box(false)
            let blocking = try await database.block(mode, 1, until: gate)
            let entered = Box(0)
            let waiting = (0..<3).map { _ in Task { try await database.run(mode) { _ in entered.change { $0 += 1 } } } }
            #expect(try await eventually { database.pool.queue(mode).count == 3 })
            await #expect(throws: SQLFailure.busy) { try await database.run(mode) { _ in } }
            gate.change { $0 = true }
            for task in blocking + waiting { try await task.value }
            #expect(entered.value == 3)
            try await database.run(mode) { _ in }
        }
    }

    @Test(arguments: [Database.Mode.read, .write], TestEngine.available)
    func cancelledWorkThatWaitsIsDropped(mode: Database.Mode, engine: TestEngine) async throws {
        try await engine.withDatabase(.init(readers: 1)) { database in
            let gate = Box(false)
            let blocking = try await database.block(mode, 1, until: gate)
            let hasRun = Box(false)
            let waiting = Task { try await database.run(mode) { _ in hasRun.change { $0 = true } } }
            #expect(try await eventually { database.pool.queue(mode).count == 1 })
            waiting.cancel()
            await #expect(throws: SQLFailure.cancelled) { try await waiting.value }
            gate.change { $0 = true }
            for task in blocking { try await task.value }
            #expect(!hasRun.value)
            // Cancelled before it asks.
            let late = Task {
                while !Task.isCancelled { await Task.yield() }
                try await database.run(mode) { _ in hasRun.change { $0 = true } }
            }
            late.cancel()
            await #expect(throws: SQLFailure.cancelled) { try await late.value }
            #expect(!hasRun.value)
        }
    }

    @Test(arguments: TestEngine.available) func aCancelledReadIsInterrupted(engine: TestEngine) async throws {
        try await engine.withDatabase(.init(readers: 1)) { database in
            let isRunning = Box(false)
            let endless: SQL = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n WHERE i < 0"
            let reading = Task {
                try await database.run(.read) { tx in
                    isRunning.change { $0 = true }
                    return try tx.integers(endless)
                }
            }
            #expect(try await eventually { isRunning.value })
            try await Task.sleep(for: .milliseconds(30))
            reading.cancel()
            await #expect(throws: SQLFailure.cancelled) { try await reading.value }
            let one = try await database.run(.read) { try $0.integers("SELECT 1") }
            #expect(one == [1])
        }
    }

    @Test(arguments: TestEngine.available) func readersWorkSideBySide(engine: TestEngine) async throws {
        try await engine.withDatabase(.init(readers: 3)) { database in
            let gate = Box(false)
            let blocking = try await database.block(.read, 3, until: gate)
            gate.change { $0 = true }
            for task in blocking { try await task.value }
        }
    }

    @Test(arguments: TestEngine.available) func closingFinishesWhatWaitsAndRefusesTheRest(engine: TestEngine) async throws {
        try await engine.withLocation { location in
            let database = try await Database.open(location, .init(readers: 1))
            try await database.run(.write) { try $0.execute("CREATE TABLE t (id \(.type(.integer)))") }
            let gate = Box(false)
            let blocking = try await database.block(.write, 1, until: gate)
            let waiting = (0..<5).map { _ in Task { try await database.run(.write) { try $0.execute("INSERT INTO t (id) VALUES (1)") } } }
            #expect(try await eventually { database.pool.queue(.write).count == 5 })
            let closing = Task { await database.close() }
            try await Task.sleep(for: .milliseconds(20))
            gate.change { $0 = true }
            await closing.value
            for task in blocking { try await task.value }
            for task in waiting { _ = try await task.value }
            await #expect(throws: SQLFailure.cancelled) { try await database.run(.write) { _ in } }
            await #expect(throws: SQLFailure.cancelled) { try await database.run(.read) { _ in } }
            await database.close()
        }
    }
}
