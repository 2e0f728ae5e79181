import CSQLite

/// A prepared SQLite statement; finalised when its last user lets go.
final class SQLiteStatement {
    let handle: OpaquePointer
    /// Rows of it are being read. The same text inside that loop needs a statement of its own.
    private(set) var isRunning = false

    /// `persistent` for statements that are kept.
    init(_ text: String, _ database: OpaquePointer, persistent: Bool) throws(DriverFailure) {
        var handle: OpaquePointer?
        var isWhole = true
        var text = text
        let code = text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { characters in
                var tail: UnsafePointer<CChar>?
                let flags = persistent ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
                let code = sqlite3_prepare_v3(database, characters.baseAddress, Int32(characters.count), flags, &handle, &tail)
                if let tail, let start = characters.baseAddress {
                    isWhole = characters[(tail - start)...].allSatisfy { $0 <= 0x20 || $0 == CChar(bitPattern: UInt8(ascii: ";")) }
                }
                return code
            }
        }
        guard code == SQLITE_OK, let handle else {
            throw code == SQLITE_OK ? .emptyStatement : DriverFailure(sqlite: code, database)
        }
        self.handle = handle
        // PostgreSQL refuses a second statement in a prepared text; SQLite would drop it without a word.
        if !isWhole { throw .manyStatements }
    }

    deinit { sqlite3_finalize(handle) }

    func start(_ values: some RandomAccessCollection<SQLValue>) throws(DriverFailure) {
        isRunning = true
        let expected = Int(sqlite3_bind_parameter_count(handle))
        guard expected == values.count else { throw .wrongCount(expected: expected, given: values.count) }
        var position: Int32 = 0
        for value in values {
            position += 1
            let code = try bind(value, at: position)
            guard code == SQLITE_OK else { throw DriverFailure(code: String(code), message: String(cString: sqlite3_errstr(code))) }
        }
    }

    /// The same for one of many rows: its texts stay in `memory`, which the engine reads until `finish`, and nothing is said about
    /// what is null, because nothing is bound before.
    func start(_ row: [SQLValue], _ places: [Int], _ memory: RowMemory) throws(DriverFailure) {
        isRunning = true
        let expected = Int(sqlite3_bind_parameter_count(handle))
        guard expected == places.count else { throw .wrongCount(expected: expected, given: places.count) }
        memory.begin(atLeast: places.reduce(0) { $0 + row[$1].textSize })
        var position: Int32 = 0
        for place in places {
            position += 1
            var code = SQLITE_OK
            switch row[place] {
            case .null: continue
            case .integer(let integer): code = sqlite3_bind_int64(handle, position, integer)
            case .text(let text):
                guard let (start, count) = memory.put(text) else { throw .nulInText }
                code = sqlite3_bind_text64(handle, position, start, UInt64(count), nil, UInt8(SQLITE_UTF8))
            case .real, .blob: code = try bind(row[place], at: position)
            }
            guard code == SQLITE_OK else { throw DriverFailure(code: String(code), message: String(cString: sqlite3_errstr(code))) }
        }
    }

    /// True on a row, false at the end.
    func step(_ database: OpaquePointer) throws(DriverFailure) -> Bool {
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw DriverFailure(sqlite: code, database)
        }
    }

    /// Ready for the next run, holding no values and no read lock.
    func finish() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
        isRunning = false
    }

    private func bind(_ value: SQLValue, at position: Int32) throws(DriverFailure) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(handle, position)
        case .integer(let integer): return sqlite3_bind_int64(handle, position, integer)
        case .real(let real): return sqlite3_bind_double(handle, position, real)
        case .blob(let bytes):
            guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(handle, position, 0) }
            return bytes.withUnsafeBytes {
                sqlite3_bind_blob64(handle, position, $0.baseAddress, UInt64($0.count), Self.copied)
            }
        case .text(var text):
            var hasNul = false
            let code = text.withUTF8 { utf8 in
                hasNul = utf8.contains(0)
                // An empty text has no address of its own, and a null pointer would bind null.
                guard !utf8.isEmpty else { return sqlite3_bind_text(handle, position, "", 0, Self.copied) }
                return utf8.withMemoryRebound(to: CChar.self) {
                    sqlite3_bind_text64(handle, position, $0.baseAddress, UInt64($0.count), Self.copied, UInt8(SQLITE_UTF8))
                }
            }
            if hasNul { throw .nulInText }
            return code
        }
    }

    /// SQLITE_TRANSIENT, a cast macro that Swift does not see: SQLite copies the bytes.
    static var copied: sqlite3_destructor_type? { unsafeBitCast(-1, to: sqlite3_destructor_type?.self) }
}

extension DriverFailure {
    /// What SQLite says about the call that just failed.
    init(sqlite code: Int32, _ database: OpaquePointer) {
        let extended = sqlite3_extended_errcode(database)
        self.init(code: String(extended & 0xFF == code & 0xFF ? extended : code), message: String(cString: sqlite3_errmsg(database)))
    }
}
