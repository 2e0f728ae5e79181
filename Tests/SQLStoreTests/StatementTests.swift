import Testing

@testable import SQLStore

/// Prepared statements: kept, reused, and prepared again where they must be.
@Suite(.timeLimit(.minutes(2))) struct StatementTests {
    @Test func theLongestUnusedMakesRoom() {
        var cache = StatementCache<Int>(limit: 2)
        #expect(cache.insert(1, for: .text("a")) == nil)
        #expect(cache.insert(2, for: .text("b")) == nil)
        #expect(cache.statement(for: .text("a")) == 1)
        #expect(cache.insert(3, for: .text("c")) == 2)
        #expect(cache.statement(for: .text("b")) == nil)
        #expect(cache.insert(4, for: .text("a")) == 1)
        #expect(cache.count == 2)
    }

    @Test(arguments: TestEngine.available) func aStatementCanRunInsideItself(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let pairs = try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (id \(.type(.integer)))")
                try tx.insert(into: "t", ["id"], rows: [[1], [2], [3]])
                let sql: SQL = "SELECT id FROM t WHERE id <= \(SQLValue.integer(2)) ORDER BY id"
                var pairs: [[Int64?]] = []
                try tx.forEach(sql) { outer in
                    let id = outer.integer(0)
                    try tx.forEach(sql) { inner in pairs.append([id, inner.integer(0)]) }
                }
                return pairs
            }
            #expect(pairs == [[1, 1], [1, 2], [2, 1], [2, 2]])
        }
    }

    /// The first statement of a transaction comes along with its BEGIN, and must not disturb it.
    @Test(arguments: TestEngine.available) func aTextGetsValuesOfAnotherTypeInALaterTransaction(engine: TestEngine) async throws {
        try await engine.withDatabase(.init(readers: 1)) { database in
            try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (id \(.type(.integer)))")
                try tx.insert(into: "t", ["id"], rows: [[1], [2], [3]])
            }
            for value in [.integer(2), .real(2.5), .integer(1), .real(-1), .null, .integer(3)] as [SQLValue] {
                for mode in [.read, .write] as [Database.Mode] {
                    let found = try await database.run(mode) { tx in
                        try tx.rows("SELECT id FROM t WHERE id > \(value) ORDER BY id") { $0.integer(0) }
                    }
                    let expected: [Int64?] =
                        switch value {
                        case .integer(let limit): [1, 2, 3].filter { $0 > limit }
                        case .real(let limit): [1, 2, 3].filter { Double($0) > limit }
                        default: []
                        }
                    #expect(found == expected, "\(value)")
                }
            }
        }
    }

    @Test(arguments: TestEngine.available) func manyTextsAreForgottenAgain(engine: TestEngine) async throws {
        try await engine.withDatabase(.init(readers: 1)) { database in
            for round in 0..<3 {
                for part in 0..<4 {
                    let sums = try await database.run(.read) { tx in
                        try (0..<100).map {
                            try tx.first("SELECT \(SQLValue.integer(1)) + \(SQL(stringLiteral: String(part * 100 + $0)))") { $0.integer(0) }
                        }
                    }
                    #expect(sums == (0..<100).map { Int64(part * 100 + $0 + 1) }, "round \(round)")
                }
            }
            guard engine == .postgres else { return }
            let count = try await database.run(.read) { try $0.integers("SELECT count(*) FROM pg_prepared_statements") }
            #expect(count.allSatisfy { ($0 ?? 0) <= 262 })
        }
    }

    /// Statements live through changes of the schema on the same and on other connections.
    @Test(arguments: TestEngine.available) func keptStatementsSurviveSchemaChanges(engine: TestEngine) async throws {
        try await engine.withDatabase(.init(readers: 2)) { database in
            try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (id \(.type(.integer)), a \(.type(.text)))\(.strict)")
                try tx.insert(into: "t", ["id", "a"], rows: [[1, "x"]])
            }
            for round in 0..<10 {
                for _ in 0..<4 {
                    let rows = try await database.run(.read) {
                        try $0.rows("SELECT id, a FROM t") { [$0.value(0, as: .integer), $0.value(1, as: .text)] }
                    }
                    #expect(rows == [[1, "x"]])
                }
                try await database.run(.write) { tx in
                    try tx.execute("UPDATE t SET a = \(SQLValue.text("x"))")
                    let column = try #require(ColumnName(checked: "b\(round)"))
                    try tx.execute("ALTER TABLE t ADD COLUMN \(column) \(.type(.real))")
                }
            }
        }
    }

    /// A text whose result changes its type: PostgreSQL refuses the kept plan, and the closure is run again.
    @Test(arguments: TestEngine.available) func aKeptPlanThatNoLongerFitsIsMadeAgain(engine: TestEngine) async throws {
        try await engine.withDatabase(.init(readers: 1)) { database in
            for type in [ColumnType.integer, .text, .real] {
                try await database.run(.write) { tx in
                    try tx.execute("DROP TABLE IF EXISTS t")
                    try tx.execute("CREATE TABLE t (a \(.type(type)))\(.strict)")
                    try tx.execute("INSERT INTO t (a) VALUES (1)")
                }
                let found = try await database.run(.read) { try $0.integers("SELECT a FROM t") }
                #expect(found == [1])
            }
        }
    }

    /// Nulls come and go at every place; the types settle instead of multiplying.
    @Test(arguments: TestEngine.available) func nullsDoNotMultiplyStatements(engine: TestEngine) async throws {
        try await engine.withDatabase(.init(readers: 1)) { database in
            try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (a \(.type(.integer)), b \(.type(.text)), c \(.type(.real)))\(.strict)")
                try tx.insert(into: "t", ["a"], rows: [[0]])
            }
            for bits in 0..<16 {
                let values: [SQLValue] = [bits & 1 == 0 ? .null : 7, bits & 2 == 0 ? .null : "x", bits & 4 == 0 ? .null : 1.5]
                let row = try await database.run(.write) { tx in
                    try tx.execute("UPDATE t SET a = \(values[0]), b = \(values[1]), c = \(values[2])")
                    return try tx.first("SELECT a, b, c FROM t") {
                        [$0.value(0, as: .integer), $0.value(1, as: .text), $0.value(2, as: .real)]
                    }
                }
                #expect(row == values)
            }
            guard engine == .postgres else { return }
            let count = try await database.run(.write) {
                try $0.integers("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'UPDATE%'")
            }
            #expect(count == [1])
        }
    }
}
