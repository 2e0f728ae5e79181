import SQLStore
import Testing

@Suite(.timeLimit(.minutes(2))) struct InsertTests {
    @Test(arguments: [1, 2, 63, 64, 65, 1000], TestEngine.available)
    func manyRowsArriveWhole(count: Int, engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let rows = (0..<count).map(Self.row)
            let found = try await database.run(.write) { tx in
                try tx.execute(
                    """
                    CREATE TABLE t (id \(.type(.integer)), a \(.type(.text)), b \(.type(.real)), c \(.type(.blob)), \
                    d \(.type(.integer)))\(.strict)
                    """
                )
                try tx.insert(into: "t", ["id", "a", "b", "c", "d"], rows: rows)
                try tx.insert(into: "t", ["id"], rows: [])
                return try tx.rows("SELECT id, a, b, c, d FROM t ORDER BY id") { row -> [SQLValue] in
                    [
                        row.value(0, as: .integer), row.value(1, as: .text), row.value(2, as: .real), row.value(3, as: .blob),
                        row.value(4, as: .integer),
                    ]
                }
            }
            #expect(found == rows.map(Self.asStored))
        }
    }

    /// Columns that no row fills are left to the engine, and what the rows hold is the same.
    @Test(arguments: [2, 200], TestEngine.available) func emptyColumnsMayBeLeftOut(count: Int, engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let rows: [[SQLValue]] = (0..<count).map {
                [.integer(Int64($0)), .null, .text($0 == 1 ? "" : "é\($0)"), $0 == 1 ? .real(0.5) : .null, .null]
            }
            let found = try await database.run(.write) { tx in
                try tx.execute(
                    """
                    CREATE TABLE t (id \(.type(.integer)), a \(.type(.text)), b \(.type(.text)), c \(.type(.real)), d \(.type(.blob)))\(.strict)
                    """)
                try tx.insert(into: "t", ["id", "a", "b", "c", "d"], rows: rows, sparse: true)
                return try tx.rows("SELECT id, a, b, c, d FROM t ORDER BY id") { row -> [SQLValue] in
                    [
                        row.value(0, as: .integer), row.value(1, as: .text), row.value(2, as: .text), row.value(3, as: .real),
                        row.value(4, as: .blob),
                    ]
                }
            }
            #expect(found == rows)
        }
    }

    @Test(arguments: TestEngine.available) func aTextWithANULIsRefused(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            await #expect(throws: SQLFailure.self) {
                try await database.run(.write) { tx in
                    try tx.execute("CREATE TABLE t (a \(.type(.text)))\(.strict)")
                    try tx.insert(into: "t", ["a"], rows: [[.text("a")], [.text("a\u{0}b")]])
                }
            }
        }
    }

    private static func row(_ number: Int) -> [SQLValue] {
        let text: SQLValue = number % 3 == 0 ? .null : .text("row \(number) ä \"'\\")
        let real: SQLValue = number % 2 == 0 ? .real(0.5) : .integer(12)
        return [.integer(Int64(number)), text, real, .blob([UInt8(number & 255)]), .null]
    }

    /// The third column is real: 12 comes back as 12.0.
    private static func asStored(_ row: [SQLValue]) -> [SQLValue] {
        var row = row
        if case .integer(let integer) = row[2] { row[2] = .real(Double(integer)) }
        return row
    }

    @Test(arguments: TestEngine.available) func wideTablesAreInsertedInParts(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let columns = (0..<900).compactMap { ColumnName(checked: "c\($0)") }
            let sum = try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE wide (\(SQL.joined(columns.map { "\($0) \(.type(.integer))" }, by: ", ")))\(.strict)")
                try tx.insert(
                    into: "wide", columns, rows: (0..<200).map { row in columns.indices.map { .integer(Int64(row * 1000 + $0)) } })
                return try tx.first("SELECT count(*), sum(c0), max(c899) FROM wide") { [$0.integer(0), $0.integer(1), $0.integer(2)] }
            }
            #expect(sum == [200, 19_900_000, 199_899])
        }
    }
}
