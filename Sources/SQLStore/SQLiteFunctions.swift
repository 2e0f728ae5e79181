import CSQLite

/// The scalar functions that give SQLite what PostgreSQL has built in. Deterministic, so indexes may use them.
enum SQLiteFunctions {
    static func register(in database: OpaquePointer) throws(DriverFailure) {
        try register("fold", arguments: 1, fold, database)
        try register("text_of", arguments: 1, textOf, database)
        try register("digits", arguments: 1, digits, database)
        try register("join_objects", arguments: -1, joinObjects, database)
    }

    private typealias Function =
        @convention(c) (OpaquePointer?, Int32, UnsafeMutablePointer<OpaquePointer?>?) -> Void

    private static func register(
        _ name: StaticString, arguments: Int32, _ function: Function, _ database: OpaquePointer
    ) throws(DriverFailure) {
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS
        let code = sqlite3_create_function_v2(database, name.description, arguments, flags, nil, function, nil, nil, nil)
        guard code == SQLITE_OK else { throw DriverFailure(sqlite: code, database) }
    }

    /// `fold(text)`: see `TextFolding`. A number is an error, as it is on PostgreSQL.
    private static let fold: Function = { context, _, arguments in
        guard let argument = arguments?[0] else { return sqlite3_result_null(context) }
        switch sqlite3_value_type(argument) {
        case SQLITE_NULL: sqlite3_result_null(context)
        case SQLITE_TEXT:
            if let folded = TextFolding.fold(utf8(argument)) {
                answer(folded, context)
            } else {
                sqlite3_result_value(context, argument)
            }
        default: sqlite3_result_error(context, "fold() takes text; give orderKey the type of its column", -1)
        }
    }

    /// `text_of(value)`: an integer's or real's digits as PostgreSQL writes them.
    private static let textOf: Function = { context, _, arguments in
        guard let argument = arguments?[0] else { return sqlite3_result_null(context) }
        switch sqlite3_value_type(argument) {
        case SQLITE_FLOAT: answer(Array(RealText.text(sqlite3_value_double(argument)).utf8), context)
        case SQLITE_INTEGER: answer(Array(String(sqlite3_value_int64(argument)).utf8), context)
        default: sqlite3_result_value(context, argument)
        }
    }

    /// `digits(text)`: what of a text is a digit from 0 to 9.
    private static let digits: Function = { context, _, arguments in
        guard let argument = arguments?[0], sqlite3_value_type(argument) == SQLITE_TEXT else { return sqlite3_result_null(context) }
        let found = utf8(argument).filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        if found.isEmpty { sqlite3_result_text(context, "", 0, SQLiteStatement.copied) } else { answer(found, context) }
    }

    /// `join_objects(json, …)`: the members of JSON objects in one object. Each must have members.
    private static let joinObjects: Function = { context, count, arguments in
        var joined: [UInt8] = [UInt8(ascii: "{")]
        for index in 0..<Int(count) {
            guard let argument = arguments?[index] else { continue }
            if index > 0 { joined.append(UInt8(ascii: ",")) }
            joined += utf8(argument).dropFirst().dropLast()
        }
        joined.append(UInt8(ascii: "}"))
        answer(joined, context)
    }

    private static func utf8(_ value: OpaquePointer) -> UnsafeBufferPointer<UInt8> {
        let start = sqlite3_value_text(value)
        return UnsafeBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_value_bytes(value)))
    }

    private static func answer(_ text: [UInt8], _ context: OpaquePointer?) {
        text.withUnsafeBytes { bytes in
            // An empty text cannot come here: it folds to itself, and numbers and objects have characters.
            let start = bytes.assumingMemoryBound(to: CChar.self).baseAddress
            sqlite3_result_text64(context, start, UInt64(bytes.count), SQLiteStatement.copied, UInt8(SQLITE_UTF8))
        }
    }
}
