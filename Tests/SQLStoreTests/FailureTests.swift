import SQLStore
import Testing

/// Failures have one name on both engines.
@Suite(.timeLimit(.minutes(2))) struct FailureTests {
    private func withTable(_ engine: TestEngine, _ body: (Database) async throws -> Void) async throws {
        try await engine.withDatabase { database in
            try await database.run(.write) { tx in
                try tx.execute(
                    """
                    CREATE TABLE t (id \(.type(.integer)) PRIMARY KEY, a \(.type(.text)), b \(.type(.integer)), c \(.type(.text)) UNIQUE, \
                    d \(.type(.integer)) NOT NULL DEFAULT 0, CHECK (b < 100))\(.strict)
                    """)
                try tx.execute("CREATE UNIQUE INDEX t_a ON t (a, b)")
                try tx.execute("CREATE UNIQUE INDEX t_folded ON t (\(.folded("a"))) WHERE b IS NULL")
                try tx.execute("CREATE UNIQUE INDEX t_partial ON t (b) WHERE d = 1")
                try tx.insert(
                    into: "t", ["id", "a", "b", "c", "d"], rows: [[1, "x", 1, "c", 0], [2, "Y", nil, nil, 0], [3, "z", 5, nil, 1]])
            }
            try await body(database)
        }
    }

    static let duplicates: [(String, [SQLValue])] = [
        ("t_pkey", [1, "n", 2, nil, 0]), ("t_a", [9, "x", 1, nil, 0]), ("t_c_key", [9, "n", 2, "c", 0]),
        ("t_folded", [9, "y", nil, nil, 0]),
        ("t_partial", [9, "n", 5, nil, 1]),
    ]

    @Test(arguments: duplicates.map(\.0), TestEngine.available)
    func aUniqueFailureNamesItsIndex(index: String, engine: TestEngine) async throws {
        let row = try #require(Self.duplicates.first { $0.0 == index }).1
        try await withTable(engine) { database in
            await #expect(throws: SQLFailure.unique(constraint: index)) {
                try await database.run(.write) {
                    try $0.insert(into: "t", ["id", "a", "b", "c", "d"], rows: [[8, "ok", 7, nil, 0], row])
                }
            }
            let count = try await database.run(.read) { try $0.integers("SELECT count(*) FROM t") }
            #expect(count == [3])
        }
    }

    @Test(arguments: TestEngine.available) func aUniqueIndexThatCannotBeBuiltIsAUniqueFailure(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            await #expect(throws: SQLFailure.unique(constraint: engine == .sqlite ? "t.d" : "t_d")) {
                try await database.run(.write) { try $0.execute("CREATE UNIQUE INDEX t_d ON t (d)") }
            }
        }
    }

    @Test(arguments: TestEngine.available) func missingNamesAreRecognised(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            let missing: [(SQL, SQLFailure)] = [
                ("SELECT absent FROM t", .missingColumn), ("SELECT \("absent" as ColumnName) FROM t", .missingColumn),
                ("SELECT \("absent" as ColumnName, of: "t1") FROM t AS t1", .missingColumn), ("UPDATE t SET absent = 1", .missingColumn),
                ("INSERT INTO t (id, absent) VALUES (5, 5)", .missingColumn), ("SELECT id FROM absent", .missingTable),
                ("INSERT INTO \("absent" as TableName) (id) VALUES (5)", .missingTable),
            ]
            for (sql, failure) in missing {
                await #expect(throws: failure) { try await database.run(.write) { try $0.execute(sql) } }
            }
        }
    }

    @Test(arguments: TestEngine.available) func otherFailuresKeepTheEnginesWords(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            let others: [SQL] = [
                "INSERT INTO t (id, d) VALUES (5, NULL)", "INSERT INTO t (id, b) VALUES (5, 200)", "SELEKT 1", "", "SELECT 1; SELECT 2",
                "SELECT id FROM t WHERE a = \(SQLValue.text("nul\0inside"))",
            ]
            for sql in others {
                let failure = await #expect(throws: SQLFailure.self) { try await database.run(.write) { try $0.execute(sql) } }
                guard case .other(let reason) = failure else {
                    Issue.record("\(sql): \(String(describing: failure))")
                    continue
                }
                #expect(!reason.message.isEmpty && !reason.code.isEmpty)
            }
            // The connection is as good as before.
            let count = try await database.run(.write) { try $0.integers("SELECT count(*) FROM t") }
            #expect(count == [3])
        }
    }

    @Test(arguments: TestEngine.available) func valuesMustMatchTheirPlaces(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            await #expect(throws: SQLFailure.self) {
                try await database.run(.write) { try $0.insert(into: "t", ["id", "a"], rows: [[7, "q"], [8]]) }
            }
            await #expect(throws: SQLFailure.self) {
                try await database.run(.write) { tx in
                    var sql = tx.rendered("SELECT id FROM t WHERE id = \(SQLValue.integer(1))")
                    sql.binds = []
                    _ = try tx.rows(sql) { $0.integer(0) }
                }
            }
        }
    }
}
