import Metadata
import Wire

extension COQLCompiler {
    mutating func condition(_ written: COQLCondition) throws(Rejection) -> Condition {
        switch written {
        case .all(let left, let right): return .all([try condition(left), try condition(right)])
        case .any(let left, let right): return .any([try condition(left), try condition(right)])
        case .test(let test): return try condition(test)
        }
    }

    private mutating func condition(_ test: COQLTest) throws(Rejection) -> Condition {
        let path = try path(test.name)
        noteBase(path)
        if let query = test.query { return try found(test, path, query) }
        let types = try COQLTypes(path, test.name)
        try types.require(test.operation)
        if test.operation == .like || test.operation == .notLike { return try pattern(test, path) }
        var operands: [JSONValue] = []
        for operand in test.operands { operands.append(contentsOf: try types.values(operand, test.operation)) }
        return .path(path, test.operation.comparator, operands)
    }

    /// `x%`, `%x` and `%x%`; without a mark the text itself.
    private func pattern(_ test: COQLTest, _ path: FieldPath) throws(Rejection) -> Condition {
        guard case .quoted(let text)? = test.operands.first else {
            throw COQLRefusal.operation(test.name, test.operation, "a quoted text is expected")
        }
        let opens = text.hasPrefix("%")
        let closes = text.count > 1 && text.hasSuffix("%")
        let inner = String(text.dropFirst(opens ? 1 : 0).dropLast(closes ? 1 : 0))
        guard !inner.contains("%"), !inner.isEmpty else {
            throw COQLRefusal.operation(test.name, test.operation, "the pattern is not supported")
        }
        if test.operation == .notLike {
            guard opens && closes else { throw COQLRefusal.operation(test.name, test.operation, "only patterns with % at both ends") }
            return .path(path, .notContains, [.string(inner)])
        }
        let comparator: Comparator =
            switch (opens, closes) {
            case (true, true): .contains
            case (true, false): .endsWith
            case (false, true): .startsWith
            case (false, false): .equal
            }
        if path.field?.type.comparison == .choices, comparator == .endsWith {
            throw COQLRefusal.operation(test.name, test.operation, "the pattern is not supported")
        }
        return .path(path, comparator, [.string(inner)])
    }

    /// `lookup in (select id from Module where …)`.
    private mutating func found(_ test: COQLTest, _ path: FieldPath, _ written: COQLSubquery) throws(Rejection) -> Condition {
        guard test.operation == .among else { throw COQLRefusal.operation(test.name, test.operation, "the operator takes no subquery") }
        guard written.column.text == "id" else { throw COQLRefusal.column(written.column, "a subquery selects id") }
        var inner = try COQLCompiler(written.source, catalog, user, dates)
        guard let field = path.field, field.isRecordLookup, field.target == nil || field.target == inner.module.id else {
            throw COQLRefusal.column(test.name, "the column is no lookup to the module of the subquery")
        }
        let query = try inner.subquery(written.condition)
        note(inner.modules)
        let found = Condition.found(path, query)
        guard field.isAnyLookup, let pointing = path.pointing else { return found }
        return .all([.path(pointing, .equal, [.string(inner.module.apiName)]), found])
    }

    private mutating func subquery(_ written: COQLCondition) throws(Rejection) -> Query {
        Query(module, fields: [], filter: try viewed(condition(written)), limit: Self.subqueryRows)
    }
}

extension COQLOperator {
    fileprivate var comparator: Comparator {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .greaterOrEqual: .greaterOrEqual
        case .greater: .greater
        case .lessOrEqual: .lessOrEqual
        case .less: .less
        case .like: .contains
        case .notLike: .notContains
        case .among: .among
        case .notAmong: .notAmong
        case .between: .between
        case .notBetween: .notBetween
        case .isNull: .empty
        case .isNotNull: .notEmpty
        }
    }
}
