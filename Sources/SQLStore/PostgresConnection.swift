import CLibPQ

/// Opens connections of libpq the way all of ours are set up.
enum PostgresConnection {
    /// Blocks. The URL's own parameters win over the defaults here.
    static func open(_ url: String, lockTimeoutMilliseconds: Int, purpose: String) throws(DriverFailure) -> OpaquePointer {
        let settings: [(String, String)] = [
            ("connect_timeout", "10"),
            // A server that vanished without a word is noticed within a minute.
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
            ("fallback_application_name", purpose),
            ("dbname", url),
            ("client_encoding", "UTF8"),
        ]
        guard let connection = connect(settings) else { throw DriverFailure(code: "08001", message: "out of memory") }
        do throws(DriverFailure) {
            guard PQstatus(connection) == CONNECTION_OK else {
                throw DriverFailure(code: "08001", message: String(cString: PQerrorMessage(connection)))
            }
            tributary_pq_without_notices(connection)
            guard let encoding = PQparameterStatus(connection, "server_encoding"), String(cString: encoding) == "UTF8" else {
                throw DriverFailure(code: unsuitable, message: "The database's encoding is not UTF8.")
            }
            // Compiling a search of a few milliseconds takes PostgreSQL thirty: it goes by costs, which our subqueries make look high.
            try run(
                """
                SET client_min_messages = warning; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
                SET lock_timeout = \(lockTimeoutMilliseconds); SET standard_conforming_strings = on; SET bytea_output = hex; SET jit = off
                """, on: connection)
        } catch {
            PQfinish(connection)
            throw error
        }
        return connection
    }

    /// Not an SQLSTATE: ours for a server that we cannot work with.
    static let unsuitable = "unsuitable"

    /// Waits for the answer. Not in pipeline mode.
    static func run(_ text: String, on connection: OpaquePointer) throws(DriverFailure) {
        guard let handle = PQexec(connection, text) else { throw DriverFailure(code: "08006", message: "out of memory") }
        let result = PostgresResult(handle)
        if let failure = result.failure { throw failure }
    }

    private static func connect(_ settings: [(String, String)]) -> OpaquePointer? {
        // One NUL-terminated text after the other, and pointers into it.
        var bytes: [CChar] = []
        var starts: [(name: Int, value: Int)] = []
        for (name, value) in settings {
            let start = bytes.count
            bytes += name.utf8CString
            starts.append((start, bytes.count))
            bytes += value.utf8CString
        }
        return bytes.withUnsafeBufferPointer { memory in
            guard let base = memory.baseAddress else { return nil }
            let names: [UnsafePointer<CChar>?] = starts.map { base + $0.name } + [nil]
            let values: [UnsafePointer<CChar>?] = starts.map { base + $0.value } + [nil]
            // 1: a `dbname` that looks like a URL is taken apart.
            return PQconnectdbParams(names, values, 1)
        }
    }
}
