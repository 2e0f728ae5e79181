import CLibPQ

/// Sends statements without waiting for each, and reads their answers later (libpq's pipeline mode).
final class PostgresPipeline {
    /// What the server said to the statements between two flushes.
    struct Answer: ~Copyable {
        /// A result that others stand beside.
        final class One {
            let result: PostgresResult
            init(_ result: consuming PostgresResult) { self.result = result }
        }

        /// Of the last statement that succeeded.
        var result: PostgresResult?
        /// Of the first that failed; those behind it were not run.
        var failure: DriverFailure?
        /// How many succeeded.
        var succeeded = 0
        /// Rows changed by each of those, or what each answered, when asked for.
        var changes: [Int] = []
        var results: [One] = []
    }

    /// What is kept of every statement.
    enum Kept { case changes, results }

    private let connection: OpaquePointer
    private(set) var isOpen = true

    init(_ connection: OpaquePointer) throws(DriverFailure) {
        self.connection = connection
        guard PQenterPipelineMode(connection) == 1 else { throw lost() }
    }

    func send(_ text: String) throws(DriverFailure) {
        try check(PQsendQueryParams(connection, text, 0, nil, nil, nil, nil, 0))
    }

    func prepare(_ name: String, _ text: String, types: [Oid]) throws(DriverFailure) {
        try check(PQsendPrepare(connection, name, text, Int32(types.count), types))
    }

    func execute(_ name: String, _ parameters: borrowing PostgresParameters) throws(DriverFailure) {
        let count = Int32(parameters.count)
        try check(parameters.withPointers { PQsendQueryPrepared(connection, name, count, $0, nil, nil, 0) })
    }

    /// A prepared statement without parameters.
    func execute(_ name: String) throws(DriverFailure) {
        try check(PQsendQueryPrepared(connection, name, 0, nil, nil, nil, 0))
    }

    /// Everything sent goes out; one `receive` is due for it.
    func flush() throws(DriverFailure) {
        try check(PQpipelineSync(connection))
    }

    /// Waits for the answers up to one flush.
    func receive(keeping kept: Kept? = nil) throws(DriverFailure) -> Answer {
        var answer = Answer()
        var isBetween = false
        while true {
            guard let handle = PQgetResult(connection) else {
                // One null ends a statement's results; two mean that nothing is coming, and we are out of step.
                guard !isBetween, PQstatus(connection) == CONNECTION_OK else { throw answer.failure ?? lost() }
                isBetween = true
                continue
            }
            isBetween = false
            let result = PostgresResult(handle)
            if result.status == PGRES_PIPELINE_SYNC { return answer }
            if result.status == PGRES_PIPELINE_ABORTED { continue }
            if let failure = result.failure {
                if answer.failure == nil { answer.failure = failure }
            } else {
                answer.succeeded += 1
                switch kept {
                case .results: answer.results.append(Answer.One(consume result))
                case .changes:
                    answer.changes.append(result.changes)
                    answer.result = consume result
                case nil: answer.result = consume result
                }
            }
            if PQstatus(connection) != CONNECTION_OK {
                isOpen = false
                throw answer.failure ?? lost()
            }
        }
    }

    private func check(_ success: Int32) throws(DriverFailure) {
        guard success != 1 else { return }
        guard PQstatus(connection) == CONNECTION_OK else { throw lost() }
        throw DriverFailure(code: "libpq", message: String(cString: PQerrorMessage(connection)))
    }

    private func lost() -> DriverFailure {
        isOpen = false
        return DriverFailure(code: "08006", message: String(cString: PQerrorMessage(connection)))
    }
}
