import Wire

extension COQLParser {
    static let maximumTests = 25, maximumValues = 100, maximumSubqueries = 5
    /// Brackets inside brackets; 25 conditions need no more.
    private static let maximumDepth = 50

    /// One condition or two; more must be put in brackets pair by pair.
    mutating func condition(depth: Int, inSubquery: Bool = false) throws(Rejection) -> COQLCondition {
        let left = try operand(depth: depth, inSubquery)
        let isAll = at(word: "and")
        guard isAll || at(word: "or") else { return left }
        advance()
        let right = try operand(depth: depth, inSubquery)
        if at(word: "and") || at(word: "or") { throw unexpected("more than two conditions must be put in brackets pair by pair") }
        return isAll ? .all(left, right) : .any(left, right)
    }

    private mutating func operand(depth: Int, _ inSubquery: Bool) throws(Rejection) -> COQLCondition {
        guard accept(symbol: "(") else { return .test(try test(inSubquery)) }
        guard depth < Self.maximumDepth else { throw unexpected("the query is too complex") }
        let inner = try condition(depth: depth + 1, inSubquery: inSubquery)
        guard accept(symbol: ")") else { throw unexpected("bracket expected") }
        return inner
    }

    private mutating func test(_ inSubquery: Bool) throws(Rejection) -> COQLTest {
        tests += 1
        guard tests <= Self.maximumTests else { throw COQLRefusal.limit(Self.maximumTests, "where") }
        let name = try name()
        let operation = try operation()
        switch operation {
        case .isNull, .isNotNull: return COQLTest(name: name, operation: operation, operands: [], query: nil)
        case .between, .notBetween:
            let low = try value()
            guard accept(word: "and") else { throw unexpected("and expected") }
            return COQLTest(name: name, operation: operation, operands: [low, try value()], query: nil)
        case .among, .notAmong:
            guard accept(symbol: "(") else { throw unexpected("bracket expected") }
            if at(word: "select") {
                guard !inSubquery else { throw unexpected("a subquery cannot hold another") }
                return COQLTest(name: name, operation: operation, operands: [], query: try subquery())
            }
            return COQLTest(name: name, operation: operation, operands: try values(), query: nil)
        case .equal, .notEqual, .greaterOrEqual, .greater, .lessOrEqual, .less, .like, .notLike:
            return COQLTest(name: name, operation: operation, operands: [try value()], query: nil)
        }
    }

    private mutating func operation() throws(Rejection) -> COQLOperator {
        if case .symbol(let symbol) = current.kind, let operation = COQLOperator(rawValue: symbol) {
            advance()
            return operation
        }
        if accept(word: "is") {
            let negated = accept(word: "not")
            guard accept(word: "null") else { throw unexpected("null expected") }
            return negated ? .isNotNull : .isNull
        }
        let negated = accept(word: "not")
        for (word, plain, opposite) in [
            ("like", COQLOperator.like, COQLOperator.notLike), ("in", .among, .notAmong), ("between", .between, .notBetween),
        ]
        where accept(word: word) {
            return negated ? opposite : plain
        }
        throw unexpected("an operator expected")
    }

    private mutating func values() throws(Rejection) -> [COQLOperand] {
        var values: [COQLOperand] = []
        repeat {
            values.append(try value())
            guard values.count <= Self.maximumValues else { throw COQLRefusal.limit(Self.maximumValues, "in") }
        } while accept(symbol: ",")
        guard accept(symbol: ")") else { throw unexpected("bracket expected") }
        return values
    }

    private mutating func value() throws(Rejection) -> COQLOperand {
        let value: COQLOperand
        switch current.kind {
        case .quoted(let text): value = .quoted(text)
        case .literal(let text): value = .literal(text)
        case .word(let text) where !Self.isReserved(text): value = .word(text)
        case .word, .symbol, .end: throw unexpected("a value expected")
        }
        advance()
        return value
    }

    private mutating func subquery() throws(Rejection) -> COQLSubquery {
        subqueries += 1
        guard subqueries <= Self.maximumSubqueries else { throw COQLRefusal.limit(Self.maximumSubqueries, "subquery") }
        advance()
        let column = try name()
        try expect(clause: "from", before: ["where"])
        let source = try source()
        try expect(clause: "where", before: [])
        let condition = try condition(depth: 0, inSubquery: true)
        guard accept(symbol: ")") else { throw unexpected("bracket expected") }
        return COQLSubquery(column: column, source: source, condition: condition)
    }
}
