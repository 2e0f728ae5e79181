import CSQLite

/// SQLite's spelling. `fold`, `text_of` and `join_objects` are our own functions (`SQLiteFunctions`).
struct SQLiteDialect: Dialect {
    func appendPlaceholder(_ position: Int, to text: inout String) { text += "?" }

    func render(_ term: DialectTerm, into sql: inout RenderedSQL) {
        switch term {
        case .folded(let text): call("fold", [text], &sql)
        case .containsFolded(let text, let part):
            sql.text += "(instr("
            call("fold", [text], &sql)
            sql.text += ", "
            sql.bind(.text(TextFolding.fold(part)), self)
            sql.text += ") > 0)"
        case .startsFolded(let text, let prefix): renderPrefix(text, prefix, into: &sql)
        case .endsFolded(let text, let end):
            let folded = TextFolding.fold(end)
            sql.text += "(substr("
            call("fold", [text], &sql)
            // A negative start counts from the end; an empty end is the end of every text.
            sql.text += folded.isEmpty ? ", 1, 0) = " : ", -\(folded.unicodeScalars.count)) = "
            sql.bind(.text(folded), self)
            sql.text += ")"
        case .memberIDs(let value, let ids): renderMember(value, .text(JSONText.array(ids)), into: &sql)
        case .filterOnly(let column):
            sql.text += "+"
            sql.append(column, self)
        case .memberTexts(let value, let texts): renderMember(value, .text(JSONText.array(texts)), into: &sql)
        case .idTable(let ids, let column):
            sql.text += "(SELECT value AS "
            sql.appendName(column.raw)
            sql.text += " FROM json_each("
            sql.bind(.text(JSONText.array(ids)), self)
            sql.text += "))"
        case .textTable(let pairs, let key, let text):
            sql.text += "(SELECT json_extract(value, '$[0]') AS "
            sql.appendName(key.raw)
            sql.text += ", json_extract(value, '$[1]') AS "
            sql.appendName(text.raw)
            sql.text += " FROM json_each("
            sql.bind(.text(JSONText.pairs(pairs)), self)
            sql.text += "))"
        case .arrayContains(let text, let element):
            sql.text += "EXISTS (SELECT 1 FROM json_each("
            sql.append(text, self)
            sql.text += ") WHERE json_each.value = "
            sql.bind(.text(element), self)
            sql.text += ")"
        case .lockRows, .lockRowsForChange, .keepRows, .skipLocked: break
        case .orderKey(let value, let descending, let type): renderOrder(value, descending, type, into: &sql)
        case .jsonObject(let members): renderObject(members, into: &sql)
        case .jsonArray(let members):
            sql.text += "json_group_array(json("
            renderObject(members, into: &sql)
            sql.text += "))"
        case .greatest(let left, let right):
            // max() of two is null when either is.
            sql.text += "max("
            call("coalesce", [left, right], &sql)
            sql.text += ", "
            call("coalesce", [right, left], &sql)
            sql.text += ")"
        case .textOf(let value): call("text_of", [value], &sql)
        case .digits(let value): call("digits", [value], &sql)
        case .gramTable(let table):
            sql.text += "CREATE VIRTUAL TABLE "
            sql.appendName(table.raw)
            // Grams are made by us; the tokenizer only has to part them at blanks. Positions and lengths are of no use.
            sql.text += " USING fts5(grams, tokenize = 'ascii', detail = none, columnsize = 0)"
        case .gramTuning(let table):
            sql.text += "INSERT INTO "
            sql.appendName(table.raw)
            sql.text += " ("
            sql.appendName(table.raw)
            // Merging segments a little less often than by default (4) makes writes cheaper.
            sql.text += ", rank) VALUES ('automerge', 8)"
        case .holdsGrams(let table, let test):
            sql.appendName(table.raw)
            sql.text += " MATCH "
            sql.bind(.text(test.text(and: " AND ", or: " OR ", gram: { "\"\($0)\"" }, start: { "\"\($0)\"*" })), self)
        case .schemaColumns:
            sql.text += """
                (SELECT m.name AS table_name, p.name AS column_name, p.cid AS position, lower(p.type) AS type_name, 0 AS numbered
                FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table')
                """
        case .identityKey: sql.text += "INTEGER PRIMARY KEY AUTOINCREMENT"
        case .type(let type): sql.text += name(of: type)
        case .strict: sql.text += " STRICT"
        }
    }

    func statements(for command: TransactionCommand) -> [String] {
        switch command {
        case .begin(.read): ["BEGIN DEFERRED"]
        case .begin(.write): ["BEGIN IMMEDIATE"]
        case .commit: ["COMMIT"]
        case .rollback: ["ROLLBACK"]
        case .savepoint(let depth): ["SAVEPOINT s\(depth)"]
        case .release(let depth): ["RELEASE s\(depth)"]
        case .undo(let depth): ["ROLLBACK TO s\(depth)", "RELEASE s\(depth)"]
        }
    }

    /// One text for any number of rows: the driver runs it once for each.
    func inserts(into table: TableName, _ columns: [ColumnName], rows: Int) -> [InsertChunk] {
        let values = SQL.joined([SQL](repeating: "?", count: columns.count), by: ", ")
        let insert: SQL = "INSERT INTO \(table) (\(SQL.joined(columns))) VALUES (\(values))"
        return [InsertChunk(text: RenderedSQL(insert, self).text, rows: rows)]
    }

    /// Rows are handed out one by one as they are found.
    func cursor(_ name: TableName, for query: SQL) -> (open: SQL, fetch: SQL, close: SQL)? { nil }
    /// The engine looks at the rows itself.
    func continueNumbers(of table: TableName, _ column: ColumnName) -> SQL? { nil }

    func notification(_ channel: String, _ payload: String) -> SQL? { nil }
    func lockForChange(_ select: SQL) -> SQL? { nil }
    func advisoryLock(_ key: Int64, exclusive: Bool) -> SQL? { nil }

    var withoutWaiting: String { "" }

    func classify(_ failure: DriverFailure) -> SQLFailure {
        guard let code = Int32(failure.code) else { return .other(failure) }
        switch code & 0xFF {
        case SQLITE_CONSTRAINT where failure.constraint != nil: return .unique(constraint: failure.constraint ?? "")
        case SQLITE_BUSY, SQLITE_LOCKED: return .busy
        case SQLITE_INTERRUPT: return .cancelled
        case SQLITE_ERROR where failure.message.hasPrefix("no such table"): return .missingTable
        case SQLITE_ERROR where failure.message.hasPrefix("no such column") || failure.message.contains(" has no column named "):
            return .missingColumn
        default: return .other(failure)
        }
    }

    private func call(_ function: StaticString, _ arguments: [SQL], _ sql: inout RenderedSQL) {
        sql.text += function.description
        sql.text += "("
        for (index, argument) in arguments.enumerated() {
            if index > 0 { sql.text += ", " }
            sql.append(argument, self)
        }
        sql.text += ")"
    }

    /// A range, which an index on the folded text serves; LIKE would not be served. That the text is not null follows from it, but
    /// SQLite only uses an index of the rows that have one when it is told.
    private func renderPrefix(_ text: SQL, _ prefix: String, into sql: inout RenderedSQL) {
        let range = PrefixRange(TextFolding.fold(prefix))
        sql.text += "("
        sql.append(text, self)
        sql.text += " IS NOT NULL AND "
        call("fold", [text], &sql)
        sql.text += " >= "
        sql.bind(.text(range.lowest), self)
        if let above = range.above {
            sql.text += " AND "
            call("fold", [text], &sql)
            sql.text += " < "
            sql.bind(.text(above), self)
        }
        sql.text += ")"
    }

    private func renderMember(_ value: SQL, _ list: SQLValue, into sql: inout RenderedSQL) {
        sql.text += "("
        sql.append(value, self)
        sql.text += " IN (SELECT value FROM json_each("
        sql.bind(list, self)
        sql.text += ")))"
    }

    private func renderOrder(_ value: SQL, _ descending: Bool, _ type: ColumnType, into sql: inout RenderedSQL) {
        let direction = descending ? " DESC" : ""
        if type == .text { call("fold", [value], &sql) } else { sql.append(value, self) }
        sql.text += descending ? " DESC NULLS FIRST" : " NULLS LAST"
        if type == .text {
            // Where this decides, the folded texts are equal and so not null.
            sql.text += ", "
            sql.append(value, self)
            sql.text += direction
        }
    }

    private func renderObject(_ members: [(String, SQL)], into sql: inout RenderedSQL) {
        // SQLite's functions take 127 arguments at most.
        let most = 60
        let parts = stride(from: 0, to: members.count, by: most).map { members[$0..<min($0 + most, members.count)] }
        if parts.count > 1 { sql.text += "join_objects(" }
        for (index, part) in parts.enumerated() {
            if index > 0 { sql.text += ", " }
            sql.text += "json_object("
            for (position, member) in part.enumerated() {
                if position > 0 { sql.text += ", " }
                sql.appendLiteral(member.0)
                sql.text += ", "
                sql.append(member.1, self)
            }
            sql.text += ")"
        }
        if parts.count > 1 { sql.text += ")" }
        if parts.isEmpty { sql.text += "'{}'" }
    }

    private func name(of type: ColumnType) -> String {
        switch type {
        case .integer: "INTEGER"
        case .real: "REAL"
        case .text: "TEXT"
        case .blob: "BLOB"
        }
    }
}
