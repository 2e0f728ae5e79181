import Wire

/// The refusals of COQL with their details (`common.md` §5; `query-api.md`, 259).
enum COQLRefusal {
    static func syntax(_ message: String, _ place: COQLPlace, near: String) -> Rejection {
        Rejection(
            .syntaxError, message: message, .other("line", .integer(place.line)), .other("column", .integer(place.column)),
            .other("near", .string(near)))
    }

    static func missing(clause: String) -> Rejection {
        Rejection(.syntaxError, message: "missing clause", .other("clause", .string(clause)))
    }

    static func limit(_ maximum: Int, _ clause: String) -> Rejection {
        Rejection(.limitExceeded, .other("clause", .string(clause)), .other("limit", .integer(maximum)))
    }

    static func column(_ name: COQLName, _ reason: String) -> Rejection {
        Rejection(.invalidQuery, .other("column_name", .string(name.text)), .other("reason", .string(reason)))
    }

    static func operation(_ name: COQLName, _ operation: COQLOperator, _ reason: String) -> Rejection {
        Rejection(
            .invalidQuery, .other("column_name", .string(name.text)), .other("reason", .string(reason)),
            .other("operator", .string(operation.rawValue)))
    }
}
