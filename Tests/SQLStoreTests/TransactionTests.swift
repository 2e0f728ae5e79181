import Glibc
import SQLStore
import Testing

/// What a transaction keeps and what it undoes, on both engines alike.
@Suite(.timeLimit(.minutes(2))) struct TransactionTests {
    struct Refused: Error, Equatable {}

    private func withTable(
        _ engine: TestEngine, _ options: Database.Options = .init(), _ body: (Database) async throws -> Void
    ) async throws {
        try await engine.withDatabase(options) { database in
            try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (id \(.type(.integer)) PRIMARY KEY, x \(.type(.text)))\(.strict)")
            }
            try await body(database)
        }
    }

    private func expect(_ ids: [Int64], in database: Database, at location: SourceLocation = #_sourceLocation) async throws {
        let found = try await database.run(.read) { try $0.integers("SELECT id FROM t ORDER BY id") }
        #expect(found == ids, sourceLocation: location)
    }

    @Test(arguments: TestEngine.available) func anErrorOfTheClosureUndoesAll(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            await #expect(throws: Refused()) {
                try await database.run(.write) { tx in
                    try tx.execute("INSERT INTO t (id) VALUES (1)")
                    throw Refused()
                }
            }
            try await expect([], in: database)
        }
    }

    @Test(arguments: TestEngine.available) func aSavepointUndoesItsPartOnly(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            try await database.run(.write) { tx in
                try tx.execute("INSERT INTO t (id) VALUES (1)")
                let isRefused = Box(false)
                do {
                    try tx.savepoint {
                        try tx.execute("INSERT INTO t (id) VALUES (2)")
                        try tx.savepoint { try tx.execute("INSERT INTO t (id) VALUES (3)") }
                        throw Refused()
                    }
                } catch is Refused { isRefused.change { $0 = true } }
                #expect(isRefused.value)
                try tx.savepoint { try tx.execute("INSERT INTO t (id) VALUES (4)") }
            }
            try await expect([1, 4], in: database)
        }
    }

    @Test(arguments: TestEngine.available) func aFailureInsideASavepointCanBeLivedWith(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            let failures = try await database.run(.write) { tx in
                var failures: [SQLFailure] = []
                try tx.execute("INSERT INTO t (id) VALUES (1)")
                for id: Int64 in [1, 2, 1, 3] {
                    do {
                        try tx.savepoint { try tx.execute("INSERT INTO t (id) VALUES (\(SQLValue.integer(id)))") }
                    } catch let failure as SQLFailure { failures.append(failure) }
                }
                return failures
            }
            #expect(failures == [.unique(constraint: "t_pkey"), .unique(constraint: "t_pkey")])
            try await expect([1, 2, 3], in: database)
        }
    }

    /// PostgreSQL cannot go on after a failed statement; SQLite could, and must not.
    @Test(arguments: TestEngine.available) func aFailureOutsideASavepointSpoilsTheWhole(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            await #expect(throws: SQLFailure.unique(constraint: "t_pkey")) {
                try await database.run(.write) { tx in
                    try tx.execute("INSERT INTO t (id) VALUES (1)")
                    _ = try? tx.execute("INSERT INTO t (id) VALUES (1)")
                    #expect(throws: SQLFailure.unique(constraint: "t_pkey")) { try tx.execute("INSERT INTO t (id) VALUES (2)") }
                }
            }
            try await expect([], in: database)
            // Swallowed inside a savepoint, it spoils the savepoint.
            try await database.run(.write) { tx in
                #expect(throws: SQLFailure.missingTable) { try tx.savepoint { _ = try? tx.execute("INSERT INTO none (id) VALUES (1)") } }
                try tx.execute("INSERT INTO t (id) VALUES (5)")
            }
            try await expect([5], in: database)
        }
    }

    @Test(arguments: TestEngine.available) func callsComeAfterTheCommitInOrder(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            let calls = Box<[Int]>([])
            try await database.run(.write) { tx in
                tx.afterCommit { calls.change { $0.append(1) } }
                try? tx.savepoint {
                    tx.afterCommit { calls.change { $0.append(2) } }
                    throw Refused()
                }
                try tx.savepoint { tx.afterCommit { calls.change { $0.append(3) } } }
                tx.afterCommit { calls.change { $0.append(4) } }
                #expect(calls.value == [])
            }
            #expect(calls.value == [1, 3, 4])
            _ = try? await database.run(.write) { tx in
                tx.afterCommit { calls.change { $0.append(5) } }
                throw Refused()
            }
            #expect(calls.value == [1, 3, 4])
        }
    }

    @Test(arguments: TestEngine.available) func aReadSeesOneMoment(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            let isReading = Box(false)
            async let counts = database.run(.read) { tx in
                let before = try tx.integers("SELECT count(*) FROM t")
                isReading.change { $0 = true }
                for _ in 0..<5000 where isReading.value { usleep(1000) }
                return try before + tx.integers("SELECT count(*) FROM t")
            }
            #expect(try await eventually { isReading.value })
            try await database.run(.write) { try $0.execute("INSERT INTO t (id) VALUES (1)") }
            isReading.change { $0 = false }
            #expect(try await counts == [0, 0])
            try await expect([1], in: database)
        }
    }

    @Test(arguments: TestEngine.available) func aReadCannotWrite(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            await #expect(throws: SQLFailure.self) { try await database.run(.read) { try $0.execute("INSERT INTO t (id) VALUES (1)") } }
            try await expect([], in: database)
        }
    }

    @Test(arguments: TestEngine.available) func schemaChangesAreUndoneLikeOthers(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            await #expect(throws: Refused()) {
                try await database.run(.write) { tx in
                    try tx.execute("ALTER TABLE t ADD COLUMN y \(.type(.real))")
                    try tx.execute("CREATE TABLE u (id \(.identityKey))\(.strict)")
                    try tx.execute("CREATE UNIQUE INDEX t_x ON t (\(.folded("x"))) WHERE x IS NOT NULL")
                    throw Refused()
                }
            }
            await #expect(throws: SQLFailure.missingTable) { try await database.run(.read) { try $0.integers("SELECT id FROM u") } }
            await #expect(throws: SQLFailure.missingColumn) { try await database.run(.read) { try $0.integers("SELECT y FROM t") } }
        }
    }

    @Test(arguments: TestEngine.available) func executeCountsTheRowsChanged(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            let counts = try await database.run(.write) { tx in
                try tx.insert(into: "t", ["id"], rows: (1...5).map { [.integer($0)] })
                return try [
                    tx.execute("UPDATE t SET x = 'a' WHERE id > 2"), tx.execute("CREATE INDEX t_x ON t (x)"),
                    tx.execute("DELETE FROM t WHERE id > 100"), tx.execute("INSERT INTO t (id) VALUES (6) ON CONFLICT DO NOTHING"),
                    tx.execute("INSERT INTO t (id) VALUES (6) ON CONFLICT DO NOTHING"), tx.execute("SELECT id FROM t"),
                    tx.execute("DELETE FROM t WHERE id < 3 RETURNING id"),
                ]
            }
            #expect(counts == [3, 0, 0, 1, 0, 0, 2])
        }
    }

    @Test(arguments: TestEngine.available) func theObserverSeesStatementsAndCanFailThem(engine: TestEngine) async throws {
        let seen = Box<[String]>([])
        let failing = Box<String?>(nil)
        let options = Database.Options(observer: { text in
            seen.change { $0.append(text) }
            if let part = failing.value, text.contains(part) { throw Refused() }
        })
        try await withTable(engine, options) { database in
            seen.change { $0 = [] }
            try await database.run(.write) { tx in
                try tx.savepoint { try tx.execute("UPDATE t SET x = 'a'") }
                _ = try tx.first("SELECT id FROM t") { $0.integer(0) }
                try tx.insert(into: "t", ["id"], rows: [[1], [2]])
            }
            #expect(seen.value.map { String($0.prefix(6)) } == ["UPDATE", "SELECT", "INSERT"])
            failing.change { $0 = "INSERT" }
            let failure = await #expect(throws: SQLFailure.self) {
                try await database.run(.write) { tx in
                    try tx.execute("DELETE FROM t")
                    // Swallowed; the transaction is spoilt as by the engine.
                    _ = try? tx.insert(into: "t", ["id"], rows: [[3]])
                }
            }
            guard case .other(let reason) = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            #expect(reason.code == "observer")
            try await expect([1, 2], in: database)
        }
    }

    @Test(arguments: TestEngine.available) func advisoryLocksAreTaken(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            let key = Int64.random(in: 1...Int64.max)
            try await database.run(.write) { tx in
                try tx.advisoryLock(key, exclusive: false)
                try tx.advisoryLock(key, exclusive: true)
            }
        }
    }
}
