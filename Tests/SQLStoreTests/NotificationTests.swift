import SQLStore
import Testing

@Suite(.timeLimit(.minutes(2))) struct NotificationTests {
    struct Refused: Error {}

    /// PostgreSQL's channels are shared by all tests of the database.
    private func channel() -> String { "Test \"\(UInt64.random(in: 0 ... .max))\"" }

    /// On PostgreSQL the first message says that listening has begun.
    private func begin(_ iterator: inout AsyncStream<String>.Iterator, _ database: Database) async {
        if database.engine == .postgres { #expect(await iterator.next() == "") }
    }

    @Test(arguments: TestEngine.available) func messagesComeAfterTheCommitInOrder(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let channel = channel()
            var messages = database.notifications(channel).makeAsyncIterator()
            await begin(&messages, database)
            _ = try? await database.run(.write) { tx in
                try tx.notify(channel, "undone")
                throw Refused()
            }
            try await database.run(.write) { tx in
                try tx.notify(channel, "1")
                try? tx.savepoint {
                    try tx.notify(channel, "undone")
                    throw Refused()
                }
                try tx.notify(channel, "1")
                try tx.notify(channel + "x", "elsewhere")
                try tx.notify(channel, "2 ä")
            }
            try await database.run(.write) { try $0.notify(channel, "1") }
            #expect(await messages.next() == "1")
            #expect(await messages.next() == "2 ä")
            #expect(await messages.next() == "1")
        }
    }

    @Test(arguments: TestEngine.available) func everyListenerHearsEverything(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let channel = channel()
            let streams = (0..<3).map { _ in database.notifications(channel) }
            try await database.run(.write) { try $0.notify(channel, "1") }
            for stream in streams {
                var heard: [String] = []
                // Either the message came, or the word that it may have been missed.
                for await message in stream {
                    heard.append(message)
                    break
                }
                #expect(heard == ["1"] || heard == [""])
            }
        }
    }

    @Test(arguments: TestEngine.available) func closingEndsTheStreams(engine: TestEngine) async throws {
        try await engine.withLocation { location in
            let database = try await Database.open(location)
            let stream = database.notifications(channel())
            await database.close()
            var heard: [String] = []
            for await message in stream { heard.append(message) }
            #expect(heard.allSatisfy { $0 == "" })
            for await _ in database.notifications(channel()) { Issue.record("a message after the end") }
        }
    }

    @Test(.enabled(if: TestEngine.postgresURL != nil, "set TRIBUTARY_TEST_POSTGRES"))
    func otherProcessesAreHeardAndALostListenerSaysSo() async throws {
        try await TestEngine.postgres.withDatabase { database in
            try await TestEngine.postgres.withDatabase { other in
                let channel = channel()
                var messages = database.notifications(channel).makeAsyncIterator()
                await begin(&messages, database)
                try await other.run(.write) { try $0.notify(channel, "from afar") }
                #expect(await messages.next() == "from afar")
                _ = try await other.run(.write) { tx in
                    try tx.integers(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tributary-listener' \
                        AND query LIKE '%' || \(SQLValue.text(channel.replacing("\"", with: "\"\""))) || '%'
                        """)
                }
                #expect(await messages.next() == "")
                try await other.run(.write) { try $0.notify(channel, "again") }
                #expect(await messages.next() == "again")
            }
        }
    }
}
