import Testing

@testable import SQLStore

/// Statements sent together, and statements rendered once: what they do must be what each alone does.
@Suite(.timeLimit(.minutes(2))) struct PipelineTests {
    private struct Refused: Error {}

    private func withTable(_ engine: TestEngine, _ body: (Database) async throws -> Void) async throws {
        try await engine.withDatabase { database in
            try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (id \(.type(.integer)) PRIMARY KEY, x \(.type(.text)))\(.strict)")
            }
            try await body(database)
        }
    }

    private func ids(_ database: Database) async throws -> [Int64?] {
        try await database.run(.read) { try $0.integers("SELECT id FROM t ORDER BY id") }
    }

    @Test(arguments: TestEngine.available) func whatIsSentTogetherIsDoneInOrder(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            let (seen, changed) = try await database.run(.write) { tx -> ([Int64?], [Int]) in
                try tx.pipelined { () -> ([Int64?], [Int]) in
                    try tx.insert(into: "t", ["id", "x"], rows: (1...70).map { [.integer($0), .text("a")] })
                    try tx.perform("DELETE FROM t WHERE id > 60")
                    let seen = try tx.integers("SELECT count(*) FROM t")
                    let statements: [SQL] = [
                        "UPDATE t SET x = 'b' WHERE id <= 7", "UPDATE t SET x = 'b' WHERE id <= 7", "DELETE FROM t WHERE id > 3",
                        "DELETE FROM t WHERE id > 3",
                    ]
                    let changed = try tx.executeAll(statements.map { tx.rendered($0) })
                    try tx.perform("DELETE FROM t WHERE id = 1")
                    return (seen, changed)
                }
            }
            #expect(seen == [60] && changed == [7, 7, 57, 0])
            #expect(try await ids(database) == [2, 3])
        }
    }

    @Test(arguments: TestEngine.available) func questionsAskedTogetherAreAnsweredEach(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            // Twice: the second time all of them are known to the connection.
            for round in 1...2 {
                let answers = try await database.run(.write) { tx -> [[Int64?]] in
                    try tx.pipelined {
                        try tx.insert(into: "t", ["id"], rows: [[.integer(Int64(round) * 10)], [.integer(Int64(round) * 10 + 1)]])
                        let few: SQL = "SELECT id FROM t WHERE id < \(15 as SQLValue) ORDER BY id"
                        let questions: [SQL] = ["SELECT count(*) FROM t", few, "SELECT id FROM t WHERE id = 7", few]
                        var answers: [[Int64?]] = questions.map { _ in [] }
                        try tx.forEach(of: questions.map { tx.rendered($0) }) { number, row in answers[number].append(row.integer(0)) }
                        try tx.forEach(of: []) { _, _ in }
                        return answers
                    }
                }
                #expect(answers == [[Int64(round) * 2], [10, 11], [], [10, 11]])
            }
            // One that fails spoils them all, and the connection goes on.
            await #expect(throws: SQLFailure.self) {
                try await database.run(.read) { tx in
                    try tx.forEach(of: [tx.rendered("SELECT 1"), tx.rendered("SELECT nothing FROM t"), tx.rendered("SELECT 2")]) { _, _ in }
                }
            }
            #expect(try await ids(database) == [10, 11, 20, 21])
        }
    }

    @Test(arguments: TestEngine.available) func aFailureAmongThemUndoesAll(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            try await database.run(.write) { try $0.execute("INSERT INTO t (id) VALUES (1)") }
            for _ in 0..<2 {
                await #expect(throws: SQLFailure.self) {
                    try await database.run(.write) { tx in
                        try tx.pipelined {
                            try tx.perform("INSERT INTO t (id) VALUES (2)")
                            try tx.insert(into: "t", ["id"], rows: [[1]])
                            try tx.perform("INSERT INTO t (id) VALUES (3)")
                        }
                    }
                }
                #expect(try await ids(database) == [1])
            }
            // The connection goes on, and what was prepared on the way is still known.
            try await database.run(.write) { tx in try tx.pipelined { try tx.perform("INSERT INTO t (id) VALUES (2)") } }
            #expect(try await ids(database) == [1, 2])
        }
    }

    /// A savepoint that fails takes back its own part, whether or not that had been sent; an error that is none of the engine's
    /// leaves what came before it.
    @Test(arguments: TestEngine.available) func savepointsAndErrorsKeepTheirMeaning(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            try await database.run(.write) { tx in
                try tx.pipelined {
                    try tx.perform("INSERT INTO t (id) VALUES (1)")
                    try? tx.savepoint {
                        try tx.perform("INSERT INTO t (id) VALUES (2)")
                        try tx.insert(into: "t", ["id"], rows: [[1]])
                    }
                    try? tx.savepoint {
                        try tx.perform("INSERT INTO t (id) VALUES (3)")
                        throw Refused()
                    }
                    try tx.perform("INSERT INTO t (id) VALUES (4)")
                }
                do {
                    try tx.pipelined {
                        try tx.perform("INSERT INTO t (id) VALUES (5)")
                        throw Refused()
                    }
                } catch is Refused {}
            }
            #expect(try await ids(database) == [1, 4, 5])
        }
    }

    @Test(arguments: TestEngine.available) func aTemplateTakesItsValuesEachTime(engine: TestEngine) async throws {
        try await withTable(engine) { database in
            let templates = SQLTemplates()
            let found = try await database.run(.write) { tx -> [[Int64]] in
                let questions: [[Int64]] = [[1, 20, 3], [4, 50, 6], [-7, 70, 8]]
                try tx.insert(into: "t", ["id", "x"], rows: (1...9).map { [.integer($0), .text(String($0 * 10))] })
                return try questions.map { values in
                    let sql = templates.statement(.init("test"), values, tx) { signs in
                        """
                        SELECT id FROM t WHERE id = \(SQLValue.integer(signs[0])) OR x = \(.text(String(signs[1]))) OR \(.memberIDs("id", [signs[2], 9])) \
                        OR x = \(.text("no \(signs[0]) such")) ORDER BY id
                        """
                    }
                    return try tx.rows(sql) { $0.integer(0) ?? 0 }
                }
            }
            #expect(found == [[1, 2, 3, 9], [4, 5, 6, 9], [7, 8, 9]])
            #expect(templates.count == 1)
        }
    }

    @Test func aValueInTheTextMakesNoTemplate() {
        let sign = SQLTemplate.signs(1)[0]
        let sql = RenderedSQL(SQL(stringLiteral: "SELECT \(sign)"), SQLiteDialect())
        #expect(SQLTemplate(sql, count: 1, number: 1) == nil)
        let bound = RenderedSQL(
            "SELECT \(SQLValue.integer(sign)), \(SQLValue.text("\(sign),\(sign)!")), \(SQLValue.integer(5))", SQLiteDialect())
        let filled = SQLTemplate(bound, count: 1, number: 1)?.filled([12])
        #expect(filled?.binds == [.integer(12), .text("12,12!"), .integer(5)] && filled?.text == bound.text)
    }
}
