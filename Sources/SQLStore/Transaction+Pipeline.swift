/// Several statements in one round trip, where the engine is elsewhere. On SQLite each is run at once.
extension Transaction {
    /// In `body`, inserts and what `perform` does are sent together with the next statement whose answer is needed, at the latest at
    /// the end. A failure of theirs shows there.
    package func pipelined<T>(_ body: () throws -> T) throws -> T {
        pipelines += 1
        defer { pipelines -= 1 }
        do {
            let result = try body()
            if pipelines == 1 { try flush() }
            return result
        } catch {
            // Whoever goes on after this error finds done what came before it.
            if pipelines == 1, failure == nil { try? flush() }
            throw error
        }
    }

    /// Runs a statement that nobody needs the answer of.
    package func perform(_ sql: SQL) throws { try perform(rendered(sql)) }

    package func perform(_ sql: RenderedSQL) throws {
        let sql = lockingInTurn(sql)
        try statement(sql.text) { if pipelines > 0 { try driver.post(.statement(sql)) } else { _ = try driver.execute(sql) } }
    }

    /// Runs statements in order and waits once. Rows changed by each.
    package func executeAll(_ statements: [RenderedSQL]) throws -> [Int] {
        guard let last = statements.last else { return [] }
        let calls = statements.map(lockingInTurn)
        for sql in calls.dropLast() { try statement(sql.text) {} }
        return try statement(last.text) { try driver.run(calls.map(Call.statement)) }
    }

    /// Asks several questions and waits once; each row comes with the number of its question.
    package func forEach(of questions: [RenderedSQL], _ body: (Int, borrowing Row) throws -> Void) throws {
        let questions = questions.map(lockingInTurn)
        guard let last = questions.last else { return }
        for sql in questions.dropLast() { try statement(sql.text) {} }
        try statement(last.text) { try driver.query(all: questions, each: body) }
    }

    private func flush() throws { try engine { try driver.flush() } }
}
