import SQLStore
import Testing

/// Order and comparison are the same on both engines.
@Suite(.timeLimit(.minutes(2))) struct OrderTests {
    /// In ascending order: by folded text, then by bytes, nulls last.
    static let texts: [String?] = [
        "", " a", "!", "-a", "0", "10", "2", "_", "A", "a", "A b", "a b", "A-b", "AB", "Ab", "aB", "ab", "abc", "b", "z", "~", "É", "é",
        "Ö", "ö", "Σ", "ς", "σ",
        "Ж", "ж", "日", "\u{FFFD}", "😀", nil, nil,
    ]

    @Test(arguments: [false, true], TestEngine.available)
    func textGoesByFoldedFormThenBytes(descending: Bool, engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let found = try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (id \(.identityKey), x \(.type(.text)))\(.strict)")
                try tx.insert(into: "t", ["x"], rows: Self.texts.shuffled().map { [SQLValue($0)] })
                return try tx.texts("SELECT x FROM t ORDER BY \(.orderKey("x", descending: descending)), id")
            }
            #expect(found == (descending ? Self.texts.reversed() : Self.texts))
        }
    }

    @Test(arguments: [false, true], TestEngine.available)
    func numbersGoBySizeWithNullsAsTheLargest(descending: Bool, engine: TestEngine) async throws {
        let numbers: [Int64?] = [.min, -10, -9, 0, 2, 10, .max, nil]
        let reals: [Double?] = [-1e300, -0.5, 0, 0.25, 1, 1e300, nil]
        try await engine.withDatabase { database in
            try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (x \(.type(.integer)))\(.strict)")
                try tx.execute("CREATE TABLE r (x \(.type(.real)))\(.strict)")
                try tx.insert(into: "t", ["x"], rows: numbers.shuffled().map { [SQLValue($0)] })
                try tx.insert(into: "r", ["x"], rows: reals.shuffled().map { [SQLValue($0)] })
            }
            let found = try await database.run(.read) { tx in
                try tx.integers("SELECT x FROM t ORDER BY \(.orderKey("x", descending: descending, type: .integer))")
            }
            #expect(found == (descending ? numbers.reversed() : numbers))
            let foundReals = try await database.run(.read) { tx in
                try tx.rows("SELECT x FROM r ORDER BY \(.orderKey("x", descending: descending, type: .real))") { $0.real(0) }
            }
            #expect(foundReals == (descending ? reals.reversed() : reals))
        }
    }

    /// Plain comparison of text columns is by bytes, whatever collation the PostgreSQL database has.
    @Test(arguments: TestEngine.available) func textColumnsCompareByBytes(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let found = try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (x \(.type(.text)))\(.strict)")
                try tx.insert(into: "t", ["x"], rows: Self.texts.shuffled().map { [SQLValue($0)] })
                return try tx.texts("SELECT x FROM t WHERE x IS NOT NULL ORDER BY x")
            }
            #expect(found == Self.texts.compactMap(\.self).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        }
    }

    @Test(arguments: TestEngine.available) func anIndexServesOrderAndPrefix(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let plans = try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (id \(.identityKey), x \(.type(.text)), y \(.type(.integer)))\(.strict)")
                try tx.execute("CREATE INDEX t_x ON t (\(.folded("x")), x, id)")
                let numbers = (0..<5000).map { [SQLValue.text("name \($0)"), .integer($0)] }
                try tx.insert(into: "t", ["x", "y"], rows: numbers)
                try tx.execute("ANALYZE t")
                let explain: SQL = engine == .sqlite ? "EXPLAIN QUERY PLAN " : "EXPLAIN "
                let queries: [SQL] = [
                    "SELECT id, y FROM t ORDER BY \(.orderKey("x", descending: false)), id LIMIT 10",
                    "SELECT id, y FROM t ORDER BY \(.orderKey("x", descending: true)), id DESC LIMIT 10",
                    "SELECT id, y FROM t WHERE \(.startsFolded("x", "NAME 77")) LIMIT 10",
                ]
                return try queries.map { query in
                    try tx.rows(explain + query) { row in row.text(engine == .sqlite ? 3 : 0) ?? "" }.joined(separator: "; ")
                }
            }
            for plan in plans {
                #expect(plan.contains("t_x"), "\(plan)")
                #expect(!plan.contains("TEMP B-TREE") && !plan.contains("Sort"), "\(plan)")
            }
        }
    }
}
