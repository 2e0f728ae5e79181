import Testing

@testable import SQLStore

/// Every dialect term means the same on both engines.
@Suite(.timeLimit(.minutes(2))) struct DialectTests {
    /// Rows 1 to 6 of a table with a column of each kind.
    private func withPeople(_ engine: TestEngine, _ body: (Database) async throws -> Void) async throws {
        try await engine.withDatabase { database in
            try await database.run(.write) { tx in
                try tx.execute(
                    """
                    CREATE TABLE people (id \(.identityKey), name \(.type(.text)), age \(.type(.integer)), score \(.type(.real)), \
                    picture \(.type(.blob)), tags \(.type(.text)))\(.strict)
                    """)
                try tx.execute("CREATE UNIQUE INDEX people_name ON people (\(.folded("name")))")
                try tx.insert(
                    into: "people", ["name", "age", "score", "picture", "tags"],
                    rows: [
                        ["Ärger", 10, 1.5, .blob([0, 1, 255]), #"["a","b"]"#],
                        ["ärmel", 20, 2.0, .blob([]), "[]"],
                        ["Zoe 100%", nil, -0.25, nil, nil],
                        ["O'Brien \\ \"x\"", 40, nil, nil, #"["it's","ä"]"#],
                        [nil, 50, 1e300, nil, nil],
                        ["ΟΔΟΣ", .integer(.min), 1e15, nil, #"["A"]"#],
                    ])
            }
            try await body(database)
        }
    }

    private func expect(
        _ ids: [Int64], in database: Database, where condition: SQL, at location: SourceLocation = #_sourceLocation
    ) async throws {
        let found = try await database.run(.read) { try $0.integers("SELECT id FROM people WHERE \(condition) ORDER BY id") }
        #expect(found == ids, sourceLocation: location)
    }

    @Test(arguments: TestEngine.available) func theColumnsOfTablesAreKnown(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            let columns = try await database.run(.read) { tx in
                try tx.rows("SELECT s.column_name, s.type_name FROM \(.schemaColumns) s WHERE s.table_name = 'people' ORDER BY s.position")
                {
                    ($0.text(0) ?? "", $0.text(1) ?? "")
                }
            }
            #expect(columns.map(\.0) == ["id", "name", "age", "score", "picture", "tags"])
            #expect(Set(columns.map(\.1)).isSubset(of: ["integer", "bigint", "real", "double precision", "text", "blob", "bytea"]))
        }
    }

    @Test(arguments: TestEngine.available) func aStreamHandsOutEveryRow(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            // Twice on one connection, with other columns each time, and more rows than come at once.
            let numbers: SQL = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) SELECT i FROM n"
            let sums = try await database.run(.read) { tx in
                var sum: Int64 = 0
                try tx.stream(numbers) { sum += $0.integer(0) ?? 0 }
                var names: [String?] = []
                try tx.stream("SELECT name, age FROM people WHERE age > \(.integer(15)) ORDER BY id") { names.append($0.text(0)) }
                return (sum, names)
            }
            #expect(sums.0 == 720_600)
            #expect(sums.1 == ["ärmel", "O'Brien \\ \"x\"", nil])
        }
    }

    @Test(arguments: TestEngine.available) func numberingGoesOnBehindRowsWithNumbersOfTheirOwn(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            let id = try await database.run(.write) { tx in
                try tx.execute("INSERT INTO people (id, name) VALUES (500, 'far')")
                try tx.continueNumbers(of: "people", "id")
                return try tx.first("INSERT INTO people (name) VALUES ('next') RETURNING id") { $0.integer(0) }
            }
            #expect(id == 501)
        }
    }

    @Test(arguments: TestEngine.available) func foldedTextComparesWithoutCase(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            try await expect([1], in: database, where: "\(.folded("name")) = \(.folded("\(SQLValue.text("äRGER"))"))")
            try await expect([6], in: database, where: "\(.folded("name")) = \(SQLValue.text(TextFolding.fold("οδος")))")
        }
    }

    @Test(arguments: TestEngine.available) func containsFindsAnyPart(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            try await expect([1, 2, 4], in: database, where: SQL(.containsFolded("name", "R")))
            try await expect([3], in: database, where: SQL(.containsFolded("name", "%")))
            try await expect([4], in: database, where: SQL(.containsFolded("name", "\\ \"")))
            try await expect([1, 2, 3, 4, 6], in: database, where: SQL(.containsFolded("name", "")))
            try await expect([3, 6], in: database, where: "NOT \(.containsFolded("name", "r"))")
        }
    }

    @Test(arguments: TestEngine.available) func startsFindsPrefixes(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            try await expect([1, 2], in: database, where: SQL(.startsFolded("name", "ÄR")))
            try await expect([3], in: database, where: SQL(.startsFolded("name", "zoe 1")))
            try await expect([6], in: database, where: SQL(.startsFolded("name", "οδοσ")))
            try await expect([1, 2, 3, 4, 6], in: database, where: SQL(.startsFolded("name", "")))
            try await expect([3, 4, 5, 6], in: database, where: "NOT \(.startsFolded("name", "är"))")
        }
    }

    @Test(arguments: TestEngine.available) func endsFindsSuffixes(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            try await expect([1], in: database, where: SQL(.endsFolded("name", "GER")))
            try await expect([3], in: database, where: SQL(.endsFolded("name", "100%")))
            try await expect([6], in: database, where: SQL(.endsFolded("name", "ος")))
            try await expect([], in: database, where: SQL(.endsFolded("name", "a far longer text than any name is")))
            try await expect([1, 2, 3, 4, 6], in: database, where: SQL(.endsFolded("name", "")))
            try await expect([3, 4, 6], in: database, where: "NOT (\(.endsFolded("name", "r")) OR \(.endsFolded("name", "l")))")
        }
    }

    @Test(arguments: TestEngine.available) func pairsMakeATable(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            let table = SQL(.textTable([(3, "it's \"ä\" \\"), (.min, ""), (4, "x")], key: "number", text: "words"))
            let found = try await database.run(.read) { tx in
                try tx.rows("SELECT people.id, t.words FROM people JOIN \(table) t ON t.number = people.id ORDER BY people.id") {
                    ($0.integer(0), $0.text(1))
                }
            }
            #expect(found.map(\.0) == [3, 4] && found.map(\.1) == ["it's \"ä\" \\", "x"])
            let none = SQL(.textTable([], key: "number", text: "words"))
            #expect(try await database.run(.read) { try $0.integers("SELECT number FROM \(none) t") } == [])
        }
    }

    @Test(arguments: TestEngine.available) func membersAreBoundOnce(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            try await expect([1, 3], in: database, where: SQL(.memberIDs("id", [3, 1, 99, Int64.min])))
            try await expect([], in: database, where: SQL(.memberIDs("age", [])))
            try await expect([2, 4, 6], in: database, where: "NOT \(.memberIDs("age", [10, 50]))")
            try await expect([4, 6], in: database, where: SQL(.memberTexts("name", ["O'Brien \\ \"x\"", "ärger", "ΟΔΟΣ"])))
            try await expect([], in: database, where: SQL(.memberTexts("name", [])))
            let many = Array(Int64(1)...20_000)
            try await expect([1, 2, 3, 4, 5, 6], in: database, where: SQL(.memberIDs("id", many)))
        }
    }

    @Test(arguments: ["", " ", "a,b", "{}", "NULL", "null", "\"", "\\", "\n\t\u{1}", "it's", "😀", "[1]"], TestEngine.available)
    func oddTextsSurviveLists(text: String, engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let found = try await database.run(.read) { tx in
                try tx.integers(
                    "SELECT 1 AS one WHERE \(.memberTexts("\(.textOf("\(SQLValue.text(text))"))", ["other", text]))")
            }
            #expect(found == [1])
        }
    }

    @Test(arguments: [("+1 (555) 01-23", "15550123"), ("none", ""), ("", ""), ("٣5", "5")], TestEngine.available)
    func digitsStandAlone(text: (String, String), engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let found = try await database.run(.read) { try $0.texts("SELECT \(.digits("\(SQLValue.text(text.0))"))") }
            #expect(found == [text.1])
        }
    }

    @Test(arguments: TestEngine.available) func idsMakeATable(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            let names = try await database.run(.read) { tx in
                try tx.texts(
                    """
                    SELECT people.name FROM \(.idTable([6, 2, 77], column: "who")) AS wanted JOIN people ON people.id = wanted.who \
                    ORDER BY people.id
                    """
                )
            }
            #expect(names == ["ärmel", "ΟΔΟΣ"])
            let none = try await database.run(.read) { try $0.integers("SELECT who FROM \(.idTable([], column: "who")) AS wanted") }
            #expect(none == [])
        }
    }

    @Test(arguments: TestEngine.available) func arraysContainExactElements(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            try await expect([1], in: database, where: SQL(.arrayContains("tags", "a")))
            try await expect([4], in: database, where: SQL(.arrayContains("tags", "it's")))
            try await expect([2, 3, 4, 5, 6], in: database, where: "NOT \(.arrayContains("tags", "a"))")
        }
    }

    @Test(arguments: TestEngine.available) func rowsAreLockedWhereThereAreOthers(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            let locked = try await database.run(.write) { tx in
                try tx.integers("SELECT id FROM people WHERE id < 3 ORDER BY id\(.lockRows)")
                    + tx.integers("SELECT id FROM people WHERE id = 3\(.skipLocked)")
            }
            #expect(locked == [1, 2, 3])
        }
    }

    @Test(arguments: TestEngine.available) func rowsBecomeJSON(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            let first = try await database.run(.read) { tx in
                try tx.texts(
                    """
                    SELECT \(.jsonObject([("it's", "name"), ("age", "age"), ("score", "score"), ("none", "NULL")])) \
                    FROM people WHERE id IN (1, 4) ORDER BY id
                    """
                )
            }
            #expect(
                first.map(withoutSpaces) == [
                    #"{"it's":"Ärger","age":10,"score":1.5,"none":null}"#, #"{"it's":"O'Brien\\\"x\"","age":40,"score":null,"none":null}"#,
                ])
            let empty = try await database.run(.read) { try $0.texts("SELECT \(.jsonObject([]))") }
            #expect(empty == ["{}"])
        }
    }

    @Test(arguments: [50, 51, 60, 61, 100, 101, 120, 121, 500], TestEngine.available)
    func wideRowsBecomeJSON(width: Int, engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let members = (0..<width).map { ("k\($0)", "\(SQLValue.integer(Int64($0)))" as SQL) }
            let json = try await database.run(.read) { try $0.texts("SELECT \(.jsonObject(members))") }
            #expect(json.map(withoutSpaces) == ["{" + (0..<width).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"])
        }
    }

    private func withoutSpaces(_ text: String?) -> String? { text?.replacing(" ", with: "") }

    @Test(arguments: TestEngine.available) func greatestIgnoresNulls(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let row = try await database.run(.read) { tx in
                try tx.first(
                    """
                    SELECT \(.greatest("\(SQLValue.integer(3))", "\(SQLValue.integer(5))")), \
                    \(.greatest("\(SQLValue.integer(3))", "NULL")), \(.greatest("NULL", "\(SQLValue.integer(4))")), \(.greatest("NULL", "NULL"))
                    """
                ) { [$0.integer(0), $0.integer(1), $0.integer(2), $0.integer(3)] }
            }
            #expect(row == [5, 3, 4, nil])
        }
    }

    @Test(arguments: TestEngine.available) func numbersHaveOneText(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            let scores = try await database.run(.read) { try $0.texts("SELECT \(.textOf("score")) FROM people ORDER BY id") }
            #expect(scores == ["1.5", "2", "-0.25", nil, "1e+300", "1e+15"])
            let ages = try await database.run(.read) { try $0.texts("SELECT \(.textOf("age")) FROM people ORDER BY id") }
            #expect(ages == ["10", "20", nil, "40", "50", "-9223372036854775808"])
        }
    }

    @Test(arguments: TestEngine.available) func randomNumbersHaveOneText(engine: TestEngine) async throws {
        var random = SystemRandomNumberGenerator()
        var numbers: [Double] = [0.1, 123_456_789_012_345, 1_234_567_890_123_456, 0.0001, 0.00001, 1e22, 2.5e-308, 1.7976931348623157e308]
        for _ in 0..<500 {
            let bits = Double(bitPattern: random.next())
            // Between 2^53 and 10^23 the engines may write another last digit (`RealText`).
            if bits.isFinite, !(0x1p53...1e23).contains(bits.magnitude) { numbers.append(bits) }
            numbers.append((Double.random(in: -1e6...1e6) * 100).rounded() / 100)
        }
        let all = numbers
        try await engine.withDatabase { database in
            let texts = try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE n (id \(.identityKey), x \(.type(.real)))\(.strict)")
                try tx.insert(into: "n", ["x"], rows: all.map { [.real($0)] })
                return try tx.rows("SELECT \(.textOf("x")), x FROM n ORDER BY id") { ($0.text(0), $0.real(1)) }
            }
            for (index, number) in all.enumerated() { #expect(texts[index].0 == RealText.text(number)) }
            #expect(texts.map(\.1) == all)
        }
    }

    @Test(arguments: TestEngine.available) func keysNumberThemselvesAndAreNotUsedAgain(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            let id = try await database.run(.write) { tx in
                try tx.execute("DELETE FROM people WHERE id = 6")
                return try tx.integers("INSERT INTO people (name) VALUES (\(SQLValue.text("new"))) RETURNING id")
            }
            #expect(id == [7])
        }
    }

    @Test(arguments: TestEngine.available) func typesAreKept(engine: TestEngine) async throws {
        try await withPeople(engine) { database in
            let row = try await database.run(.read) { tx in
                try tx.first("SELECT id, name, age, score, picture FROM people WHERE id = 1") { row in
                    [
                        row.value(0, as: .integer), row.value(1, as: .text), row.value(2, as: .integer), row.value(3, as: .real),
                        row.value(4, as: .blob),
                    ]
                }
            }
            #expect(row == [1, "Ärger", 10, 1.5, .blob([0, 1, 255])])
            let empty = try await database.run(.read) { try $0.first("SELECT picture FROM people WHERE id = 2") { $0.blob(0) } }
            #expect(empty == [])
            await #expect(throws: SQLFailure.self) {
                try await database.run(.write) { try $0.execute("UPDATE people SET age = \(SQLValue.text("many")) WHERE id = 1") }
            }
        }
    }
}
