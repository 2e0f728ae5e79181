import CLibPQ

/// One answer of the server; its memory goes with it.
struct PostgresResult: ~Copyable {
    let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }
    deinit { PQclear(handle) }

    var status: ExecStatusType { PQresultStatus(handle) }
    var rows: Int32 { PQntuples(handle) }

    /// "INSERT 0 3", "COMMIT"
    var tag: String { PQcmdStatus(handle).map { String(cString: $0) } ?? "" }

    /// Rows inserted, updated or deleted. A SELECT's tag counts rows too, but it changes none.
    var changes: Int { tag.hasPrefix("SELECT") ? 0 : PQcmdTuples(handle).flatMap { Int(String(cString: $0)) } ?? 0 }

    /// Nil when the statement succeeded.
    var failure: DriverFailure? {
        switch status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_PIPELINE_SYNC: nil
        case PGRES_EMPTY_QUERY: .emptyStatement
        default:
            DriverFailure(
                code: field(Self.sqlState) ?? "08006", message: field(Self.primaryMessage) ?? String(cString: PQresultErrorMessage(handle)),
                constraint: field(Self.constraintName))
        }
    }

    private func field(_ code: Int32) -> String? { PQresultErrorField(handle, code).map { String(cString: $0) } }

    // PG_DIAG_SQLSTATE and others of postgres_ext.h: character macros.
    private static let sqlState = Int32(UInt8(ascii: "C"))
    private static let primaryMessage = Int32(UInt8(ascii: "M"))
    private static let constraintName = Int32(UInt8(ascii: "n"))
}
