import CLibPQ

/// One PostgreSQL connection.
///
/// What needs no answer at once (BEGIN, SAVEPOINT, RELEASE, ROLLBACK TO, DEALLOCATE, and the COMMIT of a read) travels with
/// the next statement: a reading transaction of one statement is one round trip.
final class PostgresDriver: Driver {
    /// A statement prepared on the server, and the parameter types it was prepared with (0: inferred there).
    private final class Prepared {
        let name: String
        let types: [Oid]
        init(name: String, types: [Oid]) {
            self.name = name
            self.types = types
        }
    }

    private let connection: OpaquePointer
    private let canceller: OpaquePointer?
    private let pipeline: PostgresPipeline
    private var statements = StatementCache<Prepared>()
    private var names = 0
    /// What is left from before this transaction, and does not depend on it.
    private var leftover: [String] = []
    /// The part of this transaction that has not been sent.
    private var postponed: [String] = []
    /// Statements of this transaction whose answers nobody waits for.
    private var posted: [Call] = []
    /// The BEGIN has been sent.
    private var hasBegun = false
    private var mode = Database.Mode.read
    /// Flushes whose answers have not been read.
    private var unread = 0
    /// The names under which the commonest commands are prepared.
    private let commands: [String: String]
    private var isClosed = false
    private(set) var isInTransaction = false

    init(_ url: String, lockTimeoutMilliseconds: Int) throws(DriverFailure) {
        connection = try PostgresConnection.open(url, lockTimeoutMilliseconds: lockTimeoutMilliseconds, purpose: "tributary")
        do throws(DriverFailure) {
            pipeline = try PostgresPipeline(connection)
            commands = try Self.prepareCommands(pipeline)
        } catch {
            PQfinish(connection)
            throw error
        }
        canceller = PQgetCancel(connection)
    }

    var isOpen: Bool { !isClosed && pipeline.isOpen }

    func query(_ sql: RenderedSQL, each body: (borrowing Row) throws -> Bool) throws {
        var answer = try send([.statement(sql)])
        let result = try answer.taken()
        for number in 0..<result.rows {
            let row = Row(.postgres(result.handle, number))
            guard try body(row) else { return }
        }
    }

    func query(all statements: [RenderedSQL], each body: (Int, borrowing Row) throws -> Void) throws {
        guard !statements.isEmpty else { return }
        let answer = try send(statements.map(Call.statement), keeping: .results)
        for (number, kept) in answer.results.enumerated() {
            for row in 0..<kept.result.rows { try body(number, Row(.postgres(kept.result.handle, row))) }
        }
    }

    func execute(_ sql: RenderedSQL) throws -> Int {
        var answer = try send([.statement(sql)])
        return try answer.taken().changes
    }

    func insert(_ text: String, rows: ArraySlice<[SQLValue]>, _ places: [Int]) throws {
        _ = try send([.insert(text, rows: rows, places: places)])
    }

    func post(_ call: Call) { posted.append(call) }

    func run(_ calls: [Call]) throws -> [Int] {
        guard !calls.isEmpty else { return [] }
        return try send(calls, keeping: .changes).changes
    }

    func flush() throws {
        guard !posted.isEmpty else { return }
        _ = try send([])
    }

    func control(_ command: TransactionCommand) throws {
        if command == .rollback { posted = [] } else { try flush() }
        let texts = PostgresDialect().statements(for: command)
        switch command {
        case .begin(let mode):
            self.mode = mode
            isInTransaction = true
            hasBegun = false
            postponed += texts
        case .savepoint, .release, .undo:
            postponed += texts
        case .commit:
            guard mode == .write else { return postpone(texts) }
            try end(postponed + texts, expecting: "COMMIT")
        case .rollback:
            try end(texts, expecting: "ROLLBACK")
        }
    }

    /// Ends a read that is over, if that still has to be said. Before its thread goes to sleep: an open transaction keeps
    /// the server from cleaning up, and schema changes waiting.
    func settle() throws(DriverFailure) {
        guard !leftover.isEmpty else { return }
        try readOwed()
        for text in leftover { try send(text) }
        leftover = []
        try pipeline.flush()
        unread += 1
    }

    func interrupter() -> @Sendable () -> Void {
        // An address, because pointers are not Sendable. The connection outlives every call (`ConnectionSlot`).
        let address = UInt(bitPattern: canceller)
        return {
            guard let canceller = OpaquePointer(bitPattern: address) else { return }
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { message in
                _ = PQcancel(canceller, message.baseAddress, Int32(message.count))
            }
        }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        PQfreeCancel(canceller)
        PQfinish(connection)
    }

    /// One round trip: what was postponed and posted, then these; each with its preparation if it is new. The answer keeps of each of
    /// `calls` what is asked for.
    private func send(_ calls: [Call], keeping kept: PostgresPipeline.Kept? = nil) throws(DriverFailure) -> PostgresPipeline.Answer {
        try readOwed()
        let all = posted + calls
        let before = leftover + postponed
        leftover = []
        postponed = []
        posted = []
        hasBegun = true
        var sent = SentCalls(answers: before.count)
        do throws(DriverFailure) {
            for text in before { try send(text) }
            for call in all { try send(call, &sent) }
        } catch {
            // Something was refused before it was sent. What went before it is answered all the same.
            if isOpen {
                try pipeline.flush()
                _ = try pipeline.receive()
            }
            throw error
        }
        try pipeline.flush()
        var answer = try pipeline.receive(keeping: kept)
        for new in sent.prepared where answer.succeeded >= new.answer {
            guard let evicted = statements.insert(new.statement, for: new.key), evicted !== new.known else { continue }
            leftover.append("DEALLOCATE \(evicted.name)")
        }
        if let failure = answer.failure {
            let failed = sent.ends.firstIndex { $0 > answer.succeeded }.map { all[$0] }
            throw repeatable(failure, failed, wasPrepared: failed.map { call in !sent.prepared.contains { $0.key == call.key } } ?? false)
        }
        let ends = sent.ends.suffix(calls.count)
        switch kept {
        case .changes: answer.changes = ends.map { answer.changes[$0 - 1] }
        case .results: answer.results = ends.map { answer.results[$0 - 1] }
        case nil: break
        }
        return answer
    }

    /// What went out between two flushes.
    private struct SentCalls {
        struct New {
            let statement: Prepared
            let key: StatementKey
            /// One of the same text that had other types.
            let known: Prepared?
            /// The number of the answer to its preparation, counted from 1.
            let answer: Int
        }
        var answers: Int
        var prepared: [New] = []
        /// The number of the answer to each call.
        var ends: [Int] = []
    }

    private func send(_ call: Call, _ sent: inout SentCalls) throws(DriverFailure) {
        let key = call.key
        let parameters = try call.parameters
        let known = sent.prepared.last { $0.key == key }?.statement ?? statements.statement(for: key)
        var statement = known
        if known.map({ !accepts($0, parameters) }) ?? true {
            let new = Prepared(name: nextName(), types: merged(parameters.types, known?.types))
            // After the BEGIN: in a pipeline any statement outside a transaction opens one, which BEGIN then cannot set up.
            if let known {
                try send("DEALLOCATE \(known.name)")
                sent.answers += 1
            }
            try pipeline.prepare(new.name, call.text, types: new.types)
            sent.answers += 1
            sent.prepared.append(.init(statement: new, key: key, known: known, answer: sent.answers))
            statement = new
        }
        if let statement { try pipeline.execute(statement.name, parameters) }
        sent.answers += 1
        sent.ends.append(sent.answers)
    }

    /// A statement that was prepared before a change of the schema, or has been taken from us, is prepared again when the
    /// transaction is, and rows that it would not wait for may be free then: such a failure is turned into one that has it repeated.
    private func repeatable(_ failure: DriverFailure, _ call: Call?, wasPrepared: Bool) -> DriverFailure {
        guard let call else { return failure }
        // "could not obtain lock on row"; without NOWAIT the same code says that the time was up.
        if failure.code == "55P03", call.text.hasSuffix(PostgresDialect().withoutWaiting) {
            return DriverFailure(code: "40001", message: failure.message)
        }
        // "cached plan must not change result type", "prepared statement does not exist"
        guard wasPrepared, failure.code == "0A000" || failure.code == "26000" else { return failure }
        statements.remove(call.key)
        return DriverFailure(code: "40001", message: failure.message)
    }

    private func end(_ texts: [String], expecting tag: String) throws(DriverFailure) {
        isInTransaction = false
        postponed = []
        // Nothing was asked of the server, so there is nothing to end.
        guard hasBegun else { return }
        hasBegun = false
        try readOwed()
        for text in leftover + texts { try send(text) }
        leftover = []
        try pipeline.flush()
        let answer = try pipeline.receive()
        if let failure = answer.failure { throw failure }
        // The server answers COMMIT with ROLLBACK when a statement had failed.
        guard answer.result?.tag == tag else { throw DriverFailure(code: "25P02", message: "the transaction was rolled back") }
    }

    /// The end of a read. What it postponed and never needed is dropped.
    private func postpone(_ texts: [String]) {
        isInTransaction = false
        if hasBegun { leftover += postponed + texts }
        postponed = []
        hasBegun = false
    }

    private func send(_ text: String) throws(DriverFailure) {
        if let name = commands[text] { try pipeline.execute(name) } else { try pipeline.send(text) }
    }

    private static func prepareCommands(_ pipeline: PostgresPipeline) throws(DriverFailure) -> [String: String] {
        var names: [String: String] = [:]
        for command in [TransactionCommand.begin(.read), .begin(.write), .commit] {
            for text in PostgresDialect().statements(for: command) {
                let name = "c\(names.count)"
                try pipeline.prepare(name, text, types: [])
                names[text] = name
            }
        }
        try pipeline.flush()
        let answer = try pipeline.receive()
        if let failure = answer.failure { throw failure }
        return names
    }

    private func readOwed() throws(DriverFailure) {
        while unread > 0 {
            unread -= 1
            _ = try pipeline.receive()
        }
    }

    private func nextName() -> String {
        names += 1
        return "p\(names)"
    }

    /// A null fits every type.
    private func accepts(_ statement: Prepared, _ parameters: borrowing PostgresParameters) -> Bool {
        let types = parameters.types
        guard types.count == statement.types.count else { return false }
        return types.indices.allSatisfy { types[$0] == 0 || types[$0] == statement.types[$0] }
    }

    /// What was null this time keeps the type it had before: the types of a text settle after a few uses.
    private func merged(_ types: [Oid], _ known: [Oid]?) -> [Oid] {
        guard let known, known.count == types.count else { return types }
        return types.indices.map { types[$0] == 0 ? known[$0] : types[$0] }
    }
}
