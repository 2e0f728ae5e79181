import Testing

@testable import SQLStore

/// Concurrent writers; on SQLite they share commits.
@Suite(.timeLimit(.minutes(2))) struct GroupCommitTests {
    struct Refused: Error {}

    @Test(arguments: TestEngine.available) func oneThatFailsLeavesTheOthersCommitted(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            try await database.run(.write) { try $0.execute("CREATE TABLE t (id \(.type(.integer)) PRIMARY KEY)\(.strict)") }
            let calls = Box<Set<Int64>>([])
            let failed = await withTaskGroup(of: Int64?.self) { group in
                for id in Int64(1)...300 {
                    group.addTask {
                        do {
                            try await database.run(.write) { tx in
                                tx.afterCommit { calls.change { _ = $0.insert(id) } }
                                try tx.execute("INSERT INTO t (id) VALUES (\(SQLValue.integer(id)))")
                                if id % 7 == 0 { throw Refused() }
                                // A statement of its own that the engine refuses.
                                if id % 11 == 0 { try tx.execute("INSERT INTO t (id) VALUES (\(SQLValue.integer(id)))") }
                                try tx.savepoint { try tx.execute("UPDATE t SET id = id WHERE id = \(SQLValue.integer(id))") }
                            }
                            return nil
                        } catch { return id }
                    }
                }
                var failed: Set<Int64> = []
                for await id in group { if let id { failed.insert(id) } }
                return failed
            }
            let expected = Set(Int64(1)...300).filter { $0 % 7 == 0 || $0 % 11 == 0 }
            #expect(failed == expected)
            let rows = try await database.run(.read) { try $0.integers("SELECT id FROM t ORDER BY id") }
            #expect(rows == (1...300).filter { !expected.contains($0) })
            #expect(calls.value == Set(Int64(1)...300).subtracting(expected))
        }
    }

    /// Whoever is answered can be read by everybody.
    @Test(arguments: TestEngine.available) func anAnswerMeansCommitted(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            try await database.run(.write) { try $0.execute("CREATE TABLE t (id \(.type(.integer)) PRIMARY KEY)\(.strict)") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in Int64(0)..<8 {
                    group.addTask {
                        for step in Int64(0)..<25 {
                            let id = writer * 1000 + step
                            try await database.run(.write) { try $0.execute("INSERT INTO t (id) VALUES (\(SQLValue.integer(id)))") }
                            let found = try await database.run(.read) {
                                try $0.integers("SELECT id FROM t WHERE id = \(SQLValue.integer(id))")
                            }
                            #expect(found == [id])
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// The first writer blocks the thread, so that the others are certainly in one group behind it.
    @Test func aGroupCommitsOnceAndUndoesAlone() async throws {
        try await TestEngine.sqlite.withDatabase { database in
            try await database.run(.write) { try $0.execute("CREATE TABLE t (id \(.type(.integer)) PRIMARY KEY)\(.strict)") }
            let isOpen = Box(false)
            let blocking = try await database.block(.write, 1, until: isOpen)
            let seen = Box<[Int64]>([])
            let hasCommitted = Box(false)
            let results = await withTaskGroup(of: (Int64, Bool).self) { group in
                for id in Int64(0)..<40 {
                    group.addTask {
                        do {
                            try await database.run(.write) { tx in
                                // Rows of the closures before it in the group are there; rows of failed ones are not.
                                #expect(!hasCommitted.value)
                                tx.afterCommit { hasCommitted.change { $0 = true } }
                                let count = try tx.first("SELECT count(*) FROM t WHERE id % 5 = 3") { $0.integer(0) ?? -1 }
                                seen.change { $0.append(count ?? -1) }
                                try tx.execute("INSERT INTO t (id) VALUES (\(SQLValue.integer(id)))")
                                try tx.execute("CREATE TABLE extra_\(SQL(stringLiteral: String(id))) (id INTEGER)")
                                if id % 5 == 3 { throw Refused() }
                            }
                            return (id, true)
                        } catch { return (id, false) }
                    }
                }
                _ = try? await eventually { database.pool.queue(.write).count == 40 }
                isOpen.change { $0 = true }
                var results: [(Int64, Bool)] = []
                for await result in group { results.append(result) }
                return results
            }
            for task in blocking { try await task.value }
            #expect(results.allSatisfy { ($0.0 % 5 != 3) == $0.1 })
            #expect(seen.value == [Int64](repeating: 0, count: 40))
            let rows = try await database.run(.read) { try $0.integers("SELECT count(*) FROM t") }
            #expect(rows == [32])
            let tables = try await database.run(.read) { try $0.integers("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'extra%'") }
            #expect(tables == [32])
        }
    }

    /// SQLite may give a whole transaction up on its own (disk full, out of memory). The innocent ones are run again.
    @Test func aTransactionLostToOneIsRepeatedWithoutIt() async throws {
        try await TestEngine.sqlite.withDatabase { database in
            try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (id \(.type(.integer)) PRIMARY KEY)\(.strict)")
                try tx.insert(into: "t", ["id"], rows: [[0]])
            }
            let isOpen = Box(false)
            let blocking = try await database.block(.write, 1, until: isOpen)
            let tasks = (Int64(1)...20).map { id in
                Task {
                    try await database.run(.write) { tx in
                        try tx.execute("INSERT INTO t (id) VALUES (\(SQLValue.integer(id)))")
                        if id == 10 { try tx.execute("INSERT OR ROLLBACK INTO t (id) VALUES (0)") }
                    }
                }
            }
            #expect(try await eventually { database.pool.queue(.write).count == 20 })
            isOpen.change { $0 = true }
            for task in blocking { try await task.value }
            for (index, task) in tasks.enumerated() {
                if index == 9 {
                    await #expect(throws: SQLFailure.unique(constraint: "t_pkey")) { try await task.value }
                } else {
                    try await task.value
                }
            }
            let rows = try await database.run(.read) { try $0.integers("SELECT id FROM t ORDER BY id") }
            #expect(rows == (0...20).filter { $0 != 10 })
        }
    }

    @Test func durabilityIsFull() async throws {
        try await TestEngine.sqlite.withDatabase { database in
            let settings = try await database.run(.write) { tx in
                try ["synchronous", "journal_mode", "foreign_keys", "temp_store", "mmap_size"].map { name in
                    try tx.first(SQL(stringLiteral: "PRAGMA " + name)) { $0.text(0) } ?? nil
                }
            }
            #expect(settings == ["2", "wal", "0", "2", "0"])
        }
    }
}
