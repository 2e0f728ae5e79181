import Glibc
import SQLStore
import Testing

/// PostgreSQL: closures that run again, and connections that come back.
@Suite(.timeLimit(.minutes(2)), .enabled(if: TestEngine.postgresURL != nil, "set TRIBUTARY_TEST_POSTGRES"))
struct RetryTests {
    private func withCounter(_ body: (Database) async throws -> Void) async throws {
        try await TestEngine.postgres.withDatabase { database in
            try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (id \(.type(.integer)) PRIMARY KEY, n \(.type(.integer)))\(.strict)")
                try tx.insert(into: "t", ["id", "n"], rows: [[1, 0], [2, 0]])
            }
            try await body(database)
        }
    }

    private func backend(_ tx: Transaction) throws -> Int64 {
        try tx.first("SELECT pg_backend_pid()") { $0.integer(0) ?? 0 } ?? 0
    }

    /// The COMMIT of a read is sent late, but not so late that the server would notice.
    @Test func noTransactionStaysOpenBehindARead() async throws {
        try await TestEngine.postgres.withDatabase(.init(readers: 1)) { database in
            let backend = try await database.run(.read, self.backend)
            try await TestEngine.postgres.withDatabase { other in
                let isIdle = try await eventually {
                    let state = try await other.run(.read) { tx in
                        try tx.texts("SELECT state FROM pg_stat_activity WHERE pid = \(SQLValue.integer(backend))::int")
                    }
                    return state == ["idle"]
                }
                #expect(isIdle)
            }
        }
    }

    @Test func aSerializationFailureRunsTheClosureAgain() async throws {
        try await withCounter { database in
            let attempts = Box(0)
            try await database.run(.write) { tx in
                attempts.change { $0 += 1 }
                try tx.execute("UPDATE t SET n = n + 1 WHERE id = 1")
                if attempts.value < 5 { try tx.execute("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$") }
            }
            #expect(attempts.value == 5)
            let n = try await database.run(.read) { try $0.integers("SELECT n FROM t WHERE id = 1") }
            #expect(n == [1])
        }
    }

    /// A closure begins again for as long as it may have to wait for a lock, and five times at least.
    @Test func serializationFailuresThatDoNotEndAreAFailure() async throws {
        try await TestEngine.postgres.withDatabase(.init(lockTimeoutMilliseconds: 1)) { database in
            let attempts = Box(0)
            await #expect(throws: SQLFailure.serialization) {
                try await database.run(.write) { tx in
                    attempts.change { $0 += 1 }
                    try tx.execute("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
                }
            }
            #expect(attempts.value == 5)
        }
    }

    /// Two transactions that lock two rows crosswise: the one that meets a taken row gives up what it has and begins again, so that
    /// nobody ever waits in a circle.
    @Test func rowsLockedCrosswiseMakeNoDeadlock() async throws {
        try await withCounter { database in
            let attempts = try await Self.crosswise(database) { tx, id in
                _ = try tx.integers("SELECT n FROM t WHERE id = \(SQLValue.integer(id))\(.lockRows)")
            } then: { tx in
                try tx.execute("UPDATE t SET n = n + 1")
            }
            let state = try await database.run(.read) { tx in
                (
                    try tx.integers("SELECT n FROM t ORDER BY id"),
                    try tx.integers("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
                )
            }
            #expect(state.0 == [2, 2] && state.1 == [0])
            #expect(attempts > 2)
        }
    }

    /// Two transactions that lock two rows in opposite order, each waiting until both have the first. Returns how often one began.
    private static func crosswise(
        _ database: Database, _ lock: @Sendable @escaping (Transaction, Int64) throws -> Void,
        then finish: @Sendable @escaping (Transaction) throws -> Void = { _ in }
    ) async throws -> Int {
        let met = Box(0)
        let attempts = Box(0)
        let cross: @Sendable ([Int64]) async throws -> Void = { ids in
            try await database.run(.write) { tx in
                attempts.change { $0 += 1 }
                for id in ids {
                    try lock(tx, id)
                    met.change { $0 += 1 }
                    for _ in 0..<5000 where met.value < 2 { usleep(1000) }
                }
                try finish(tx)
            }
        }
        async let one: Void = cross([1, 2])
        async let two: Void = cross([2, 1])
        _ = try await (one, two)
        return attempts.value
    }

    /// Two closures that lock two rows crosswise: the server breaks the deadlock, and both succeed.
    @Test func aDeadlockIsSurvived() async throws {
        try await withCounter { database in
            let attempts = try await Self.crosswise(database) { tx, id in
                try tx.execute("UPDATE t SET n = n + 1 WHERE id = \(SQLValue.integer(id))")
            }
            // The one that was broken off may meet the other again.
            #expect(attempts >= 3)
            let n = try await database.run(.read) { try $0.integers("SELECT n FROM t ORDER BY id") }
            #expect(n == [2, 2])
        }
    }

    @Test func aLockThatIsNotToBeHadIsBusy() async throws {
        try await TestEngine.postgres.withDatabase(.init(lockTimeoutMilliseconds: 50)) { database in
            try await database.run(.write) { try $0.execute("CREATE TABLE t (id \(.type(.integer)))") }
            let isHeld = Box(false)
            let isOver = Box(false)
            async let holder: Void = database.run(.write) { tx in
                try tx.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
                isHeld.change { $0 = true }
                for _ in 0..<5000 where !isOver.value { usleep(1000) }
            }
            #expect(try await eventually { isHeld.value })
            await #expect(throws: SQLFailure.busy) { try await database.run(.write) { try $0.execute("INSERT INTO t (id) VALUES (1)") } }
            isOver.change { $0 = true }
            try await holder
        }
    }

    @Test func aConnectionLostBetweenTransactionsIsNotNoticed() async throws {
        try await withCounter { database in
            let killed = Box<Set<Int64>>([])
            for _ in 0..<8 {
                let backend = try await database.run(.read, self.backend)
                killed.change { _ = $0.insert(backend) }
                try await TestEngine.postgres.withDatabase { other in
                    _ = try await other.run(.write) { try $0.integers("SELECT pg_terminate_backend(\(SQLValue.integer(backend))::int)") }
                }
                try await database.run(.write) { try $0.execute("UPDATE t SET n = n + 1 WHERE id = 1") }
            }
            let n = try await database.run(.read) { try $0.integers("SELECT n FROM t WHERE id = 1") }
            #expect(n == [8])
        }
    }

    @Test func aConnectionLostBeforeTheCommitRunsTheClosureAgain() async throws {
        try await withCounter { database in
            let attempts = Box(0)
            try await database.run(.write) { tx in
                attempts.change { $0 += 1 }
                try tx.execute("UPDATE t SET n = n + 1 WHERE id = 1")
                if attempts.value == 1 { _ = try tx.integers("SELECT pg_terminate_backend(pg_backend_pid())") }
            }
            #expect(attempts.value == 2)
            let n = try await database.run(.read) { try $0.integers("SELECT n FROM t WHERE id = 1") }
            #expect(n == [1])
        }
    }

    /// A deferred trigger ends the connection inside COMMIT: nobody can say what became of it.
    @Test func aConnectionLostInTheCommitIsReported() async throws {
        try await withCounter { database in
            try await database.run(.write) { tx in
                try tx.execute(
                    """
                    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS \
                    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$
                    """)
                try tx.execute(
                    "CREATE CONSTRAINT TRIGGER dying AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()")
            }
            let attempts = Box(0)
            await #expect(throws: SQLFailure.connectionLost) {
                try await database.run(.write) { tx in
                    attempts.change { $0 += 1 }
                    try tx.execute("UPDATE t SET n = 7 WHERE id = 1")
                }
            }
            #expect(attempts.value == 1)
            let n = try await database.run(.read) { try $0.integers("SELECT n FROM t WHERE id = 1") }
            #expect(n == [0])
        }
    }
}
