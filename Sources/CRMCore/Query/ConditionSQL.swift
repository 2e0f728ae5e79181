import Metadata
import SQLStore
import Wire

/// Turns a condition over one module into SQL. Every value is bound; every name comes from the catalog.
struct ConditionSQL {
    let catalog: Catalog
    let module: Module
    let alias: String
    let access: AccessPolicy
    /// Where paths through lookups find their tables; without it they are refused.
    var joins: Joins?

    func render(_ condition: Condition) throws(Rejection) -> SQL {
        switch condition {
        case .always: return "1 = 1"
        case .all(let parts): return try joined(parts, by: " AND ", whenEmpty: "1 = 1")
        case .any(let parts): return try joined(parts, by: " OR ", whenEmpty: "1 = 0")
        case .not(let inner): return "NOT coalesce(\(try render(inner)), \(SQL.isFalse))"
        case .ids(let ids): return SQL(.memberIDs(SQL("id", of: alias), ids.map(\.raw)))
        case .test(let name, let comparator, let operands):
            if let field = module.field(name), field.type.cell == .territories { return try territories(field, comparator, operands) }
            if let field = module.field(name), field.isPerUser { return try own(field, comparator, operands) }
            guard let field = module.field(name), !field.columns.isEmpty, field.type.comparison != .none else {
                throw Rejection(.invalidQuery, .apiName(name), .other("reason", "the field is not filterable"))
            }
            if let cipher = field.cipher {
                return try sealed(field, cipher, field.columns.map { "\($0, of: alias)" }, comparator, operands)
            }
            return try test(field, "\(field.columns[0], of: alias)", comparator, operands)
        case .path(let path, let comparator, let operands): return try test(path, comparator, operands)
        case .found(let path, let query):
            return "\(try column(path)) IN (\(try Planner(catalog, access).ids(query)))"
        case .linked(let linkID, let mineID, let theirsID, let record):
            guard let link = catalog.module(id: linkID), let table = link.table, let mine = link.field(mineID)?.columns.first,
                let theirs = link.field(theirsID)?.columns.first
            else { return "1 = 0" }
            return "\("id", of: alias) IN (SELECT x.\(theirs) FROM \(table) x WHERE x.\(mine) = \(record))"
        case .pointsAt(let fieldID, let record, let target):
            guard let field = module.field(fieldID), let column = field.columns.first else { return "1 = 0" }
            guard field.isAnyLookup, field.columns.count == 2 else { return "\(column, of: alias) = \(record)" }
            return "(\(column, of: alias) = \(record) AND \(field.columns[1], of: alias) = \(.integer(target.raw)))"
        case .inTerritories(let ids): return RecordTerritories.holds(module, alias: alias, in: ids)
        case .invites(let record): return "\("id", of: alias) IN (\(EventParticipants.events(of: record)))"
        case .refersToLiving(let fieldID):
            guard let field = module.field(fieldID), let column = field.columns.first,
                let table = field.target.flatMap({ catalog.module(id: $0) })?.table
            else { return "1 = 1" }
            return "EXISTS (SELECT 1 FROM \(table) x WHERE x.id = \(column, of: alias))"
        }
    }

    /// Territories are asked for by id or by name; a name may be given in part.
    private func territories(_ field: Field, _ comparator: Comparator, _ operands: [JSONValue]) throws(Rejection) -> SQL {
        let named = TerritoryTest(comparator, operands)
        guard let named else { throw invalid(field, "the operator does not fit the field") }
        let ids = catalog.territories.all.filter(named.accepts).map(\.id)
        let holds = RecordTerritories.holds(module, alias: alias, in: ids)
        return named.isNegative ? "NOT \(holds)" : holds
    }

    /// A test of the user's own value, which stands beside the record.
    private func own(_ field: Field, _ comparator: Comparator, _ operands: [JSONValue]) throws(Rejection) -> SQL {
        let opposite: [Comparator: Comparator] = [
            .empty: .notEmpty, .notEqual: .equal, .notAmong: .among, .notContains: .contains, .notBetween: .between,
        ]
        let positive = opposite[comparator] ?? comparator
        let inner = try test(field, "e.value", positive, operands)
        let among: SQL = "\("id", of: alias) IN (\(ExternalValues.records(field, for: access.user, where: inner)))"
        return opposite[comparator] == nil ? among : "NOT \(among)"
    }

    private func joined(_ parts: [Condition], by separator: StaticString, whenEmpty: SQL) throws(Rejection) -> SQL {
        if parts.isEmpty { return whenEmpty }
        var rendered: [SQL] = []
        for part in parts { rendered.append(try render(part)) }
        return "(\(.joined(rendered, by: separator)))"
    }

    private func column(_ path: FieldPath) throws(Rejection) -> SQL {
        guard let joins else { throw Rejection(.invalidQuery, .other("reason", "lookups cannot be followed here")) }
        try access.requireSeen(path)
        return joins.column(of: path)
    }

    private func test(_ path: FieldPath, _ comparator: Comparator, _ operands: [JSONValue]) throws(Rejection) -> SQL {
        if case .field(let field) = path.leaf, let cipher = field.cipher, let joins {
            try access.requireSeen(path)
            return try sealed(field, cipher, joins.columns(of: path), comparator, operands)
        }
        let column = try column(path)
        switch path.leaf {
        case .field(let field): return try test(field, column, comparator, operands)
        case .person(let field, _):
            if comparator == .empty { return "\(column) IS NULL" }
            if comparator == .notEmpty { return "\(column) IS NOT NULL" }
            guard !operands.isEmpty else { throw invalid(field, "the value is missing") }
            return try text(column, field, comparator, operands.map { $0.string ?? "" })
        case .moduleName(let field):
            // A name that no module has is no module's number.
            let numbers = operands.map { JSONValue.integer($0.string.flatMap { catalog.module($0)?.id.raw } ?? 0) }
            return try test(field, column, comparator, numbers)
        }
    }

    private func test(_ field: Field, _ column: SQL, _ comparator: Comparator, _ operands: [JSONValue]) throws(Rejection) -> SQL {
        switch comparator {
        case .empty: return "\(column) IS NULL"
        case .notEmpty: return "\(column) IS NOT NULL"
        default: break
        }
        var values: [SQLValue] = []
        for operand in operands { values.append(try self.operand(operand, field)) }
        guard let first = values.first else { throw invalid(field, "the value is missing") }
        switch field.type.comparison {
        case .text, .longText, .choice: return try text(column, field, comparator, values.map { $0.text ?? "" })
        case .choices: return try choices(column, field, comparator, values.map { $0.text ?? "" })
        case .number, .flag, .date, .instant, .reference: return try ordered(column, field, comparator, values, first)
        case .none, .sealed: throw invalid(field, "the field is not filterable")
        }
    }

    /// Of an encrypted field only whether it is empty and whether it holds a given value can be told.
    private func sealed(
        _ field: Field, _ cipher: FieldCipher, _ columns: [SQL], _ comparator: Comparator, _ operands: [JSONValue]
    ) throws(Rejection) -> SQL {
        let empty: SQL = "(\(.joined(columns.map { "\($0) IS NULL" }, by: " AND ")))"
        let negative = comparator == .notEqual || comparator == .notAmong
        switch comparator {
        case .empty: return empty
        case .notEmpty: return "NOT \(empty)"
        case .equal, .notEqual, .among, .notAmong: break
        default: throw invalid(field, "the field is encrypted")
        }
        var tests: [SQL] = []
        for operand in operands {
            let value = try self.operand(operand, field)
            tests += cipher.spellings(of: value).map { "\(columns[0]) = \($0)" }
            if columns.count > 1 { tests.append("\(columns[1]) = \(value)") }
        }
        guard !tests.isEmpty else { throw invalid(field, "the value is missing") }
        let holds: SQL = "(\(.joined(tests, by: " OR ")))"
        return negative ? "(\(empty) OR NOT coalesce(\(holds), \(SQL.isFalse)))" : "coalesce(\(holds), \(SQL.isFalse))"
    }

    private func text(_ column: SQL, _ field: Field, _ comparator: Comparator, _ values: [String]) throws(Rejection) -> SQL {
        let folded: SQL = "\(.folded(column))"
        func bound(_ text: String) -> SQL { "\(.folded("\(SQLValue.text(text))"))" }
        switch comparator {
        // The indexes on folded texts hold only rows that have one, and SQLite does not see that these do.
        case .equal: return "(\(column) IS NOT NULL AND \(folded) = \(bound(values[0])))"
        case .notEqual: return "(\(column) IS NULL OR \(folded) <> \(bound(values[0])))"
        case .among: return "(\(column) IS NOT NULL AND \(folded) IN (\(.joined(values.map(bound), by: ", "))))"
        case .notAmong: return "(\(column) IS NULL OR \(folded) NOT IN (\(.joined(values.map(bound), by: ", "))))"
        case .contains: return SQL(.containsFolded(column, values[0]))
        case .notContains: return "(\(column) IS NULL OR NOT \(.containsFolded(column, values[0])))"
        case .startsWith: return SQL(.startsFolded(column, values[0]))
        case .endsWith: return SQL(.endsFolded(column, values[0]))
        case .digits: return SQL(.containsFolded("\(.digits(column))", values[0]))
        case .less: return "\(folded) < \(bound(values[0]))"
        case .lessOrEqual: return "\(folded) <= \(bound(values[0]))"
        case .greater: return "\(folded) > \(bound(values[0]))"
        case .greaterOrEqual: return "\(folded) >= \(bound(values[0]))"
        case .between where values.count == 2: return "\(folded) BETWEEN \(bound(values[0])) AND \(bound(values[1]))"
        default: throw invalid(field, "the operator does not fit the field")
        }
    }

    private func choices(_ column: SQL, _ field: Field, _ comparator: Comparator, _ values: [String]) throws(Rejection) -> SQL {
        let tests = values.map { value -> SQL in "\(.arrayContains(column, value))" }
        switch comparator {
        // In the stored JSON each element follows a quote.
        case .startsWith: return SQL(.containsFolded(column, String(JSONValue.string(values[0]).text.dropLast())))
        case .equal, .contains: return "(\(.joined(tests, by: " AND ")))"
        case .among: return "(\(.joined(tests, by: " OR ")))"
        case .notEqual, .notContains, .notAmong: return "(\(column) IS NULL OR NOT (\(.joined(tests, by: " OR "))))"
        default: throw invalid(field, "the operator does not fit the field")
        }
    }

    private func ordered(_ column: SQL, _ field: Field, _ comparator: Comparator, _ values: [SQLValue], _ first: SQLValue) throws(Rejection)
        -> SQL
    {
        let list: SQL = .joined(values.map { "\($0)" }, by: ", ")
        switch comparator {
        case .equal, .contains: return "\(column) = \(first)"
        case .notEqual, .notContains: return "(\(column) IS NULL OR \(column) <> \(first))"
        case .among: return "\(column) IN (\(list))"
        case .notAmong: return "(\(column) IS NULL OR \(column) NOT IN (\(list)))"
        case .less: return "\(column) < \(first)"
        case .lessOrEqual: return "\(column) <= \(first)"
        case .greater: return "\(column) > \(first)"
        case .greaterOrEqual: return "\(column) >= \(first)"
        case .between where values.count == 2: return "\(column) BETWEEN \(values[0]) AND \(values[1])"
        case .notBetween where values.count == 2: return "(\(column) IS NULL OR \(column) NOT BETWEEN \(values[0]) AND \(values[1]))"
        default: throw invalid(field, "the operator does not fit the field")
        }
    }

    /// A value as the field stores it. Criteria carry everything as text; rules carry JSON.
    private func operand(_ value: JSONValue, _ field: Field) throws(Rejection) -> SQLValue {
        switch field.plainType.comparison {
        case .text, .longText:
            if let text = value.string { return .text(text) }
            if let number = value.int64 { return .text(String(number)) }
        case .choice, .choices:
            // Picklists store the shown value, whichever spelling is asked for.
            if let text = value.string { return .text(field.choices[text] ?? text) }
            if let number = value.int64 { return .text(String(number)) }
        case .number:
            if field.plainType.storage == [.integer], let whole = value.looseInt64 { return .integer(whole) }
            if let number = value.looseDouble { return .real(number) }
        case .flag:
            let text = value.string?.lowercased()
            if let flag = value.bool ?? (text == "true" ? true : text == "false" ? false : nil) { return .integer(flag ? 1 : 0) }
        case .date:
            if let date = value.string.flatMap(CalendarDate.init) { return .text(date.iso) }
        case .instant:
            if let instant = value.string.flatMap(Instant.init(iso:)) { return .integer(instant.milliseconds) }
        case .reference:
            if let id = (value["id"] ?? value).looseInt64 { return .integer(id) }
        case .none, .sealed: break
        }
        throw invalid(field, "the value does not fit the field")
    }

    private func invalid(_ field: Field, _ reason: String) -> Rejection {
        Rejection(.invalidQuery, .apiName(field.apiName), .other("reason", .string(reason)))
    }
}

extension SQL {
    /// The truth value both engines accept where a condition stands.
    static let isFalse: SQL = "(1 = 0)"
}
