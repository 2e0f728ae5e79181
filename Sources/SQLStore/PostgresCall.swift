/// Calls as PostgreSQL takes them.
extension Call {
    var text: String {
        switch self {
        case .statement(let sql): sql.text
        case .insert(let text, _, _): text
        }
    }

    var key: StatementKey {
        switch self {
        case .statement(let sql): sql.key
        case .insert(let text, _, _): .text(text)
        }
    }

    var parameters: PostgresParameters {
        get throws(DriverFailure) {
            switch self {
            case .statement(let sql): try PostgresParameters(sql.binds, arrays: sql.arrays)
            case .insert(_, let rows, let places): try PostgresParameters(rows: rows, places)
            }
        }
    }
}

extension PostgresPipeline.Answer {
    /// The last statement's result; there is one when nothing failed.
    mutating func taken() throws(DriverFailure) -> PostgresResult {
        guard let result = result.take() else { throw DriverFailure(code: "08006", message: "no answer") }
        return result
    }
}
