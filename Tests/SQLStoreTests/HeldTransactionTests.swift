import Testing

@testable import SQLStore

/// Several closures in one transaction.
@Suite(.timeLimit(.minutes(2))) struct HeldTransactionTests {
    private struct Enough: Error, Equatable {}

    @Test(arguments: TestEngine.available) func allIsKeptOrNothing(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            try await database.run(.write) { try $0.execute("CREATE TABLE notes (id \(.type(.integer)) PRIMARY KEY)\(.strict)") }
            let seen = try await database.together { held in
                try await held.run(.write) { tx in _ = try tx.execute("INSERT INTO notes (id) VALUES (1)") }
                // One that fails is undone alone.
                await #expect(throws: Enough.self) {
                    try await held.run(.write) { tx in
                        try tx.execute("INSERT INTO notes (id) VALUES (2)")
                        throw Enough()
                    }
                }
                await #expect(throws: SQLFailure.unique(constraint: "notes_pkey")) {
                    try await held.run(.write) { tx in _ = try tx.execute("INSERT INTO notes (id) VALUES (1)") }
                }
                return try await held.run(.read) { try $0.integers("SELECT id FROM notes ORDER BY id") }
            }
            #expect(seen == [1])
            await #expect(throws: Enough.self) {
                try await database.together { held in
                    try await held.run(.write) { tx in _ = try tx.execute("INSERT INTO notes (id) VALUES (3)") }
                    throw Enough()
                }
            }
            #expect(try await database.run(.read) { try $0.integers("SELECT id FROM notes ORDER BY id") } == [1])
        }
    }
}
