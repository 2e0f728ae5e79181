import Wire

/// Reads COQL by recursive descent. Grammar and limits: `query-api.md`, section notes.
package struct COQLParser {
    static let maximumColumns = 500, maximumOrder = 10, maximumGroups = 4

    private let tokens: [COQLToken]
    private var position = 0
    var tests = 0
    var subqueries = 0

    static func parse(_ text: String) throws(Rejection) -> COQLStatement {
        var parser = COQLParser(tokens: try COQLTokenizer.tokens(text))
        return try parser.statement()
    }

    private init(tokens: [COQLToken]) { self.tokens = tokens }

    private mutating func statement() throws(Rejection) -> COQLStatement {
        guard accept(word: "select") else { throw unexpected("a query begins with select") }
        let columns = try columns()
        try expect(clause: "from", before: ["where", "group", "order", "limit", "offset"])
        let source = try source()
        try expect(clause: "where", before: ["group", "order", "limit", "offset"])
        let condition = try condition(depth: 0)
        let groups = try groups()
        let order = try order()
        let page = try page()
        guard current.kind == .end else { throw unexpected("the query should end here") }
        return COQLStatement(
            columns: columns, source: source, condition: condition, groups: groups, order: order, limit: page.limit, offset: page.offset)
    }

    private mutating func columns() throws(Rejection) -> [COQLStatement.Column] {
        var columns: [COQLStatement.Column] = []
        repeat {
            let value = try valueTerm()
            let written = value.function.map { "\($0.rawValue)(\(value.name.text))" } ?? value.name.text
            let alias = accept(word: "as") ? try alias() : nil
            columns.append(.init(value: value, alias: alias, text: written))
            guard columns.count <= Self.maximumColumns else { throw COQLRefusal.limit(Self.maximumColumns, "select") }
        } while accept(symbol: ",")
        return columns
    }

    private mutating func alias() throws(Rejection) -> String {
        switch current.kind {
        case .word(let name), .quoted(let name):
            advance()
            guard name.contains(where: { !$0.isWhitespace }) else { throw Rejection(.invalidAlias, .other("alias", .string(name))) }
            return name
        case .literal, .symbol, .end: throw Rejection(.invalidAlias, .other("alias", ""))
        }
    }

    /// A path, or a function of one. The functions' names are the only ones that mind letter case.
    private mutating func valueTerm() throws(Rejection) -> COQLValueTerm {
        if case .word(let word) = current.kind, let function = QueryTerms.Function(rawValue: word),
            tokens[position + 1].kind == .symbol("(")
        {
            advance()
            advance()
            let name = try name()
            guard accept(symbol: ")") else { throw unexpected("bracket expected") }
            return COQLValueTerm(function: function, name: name)
        }
        return COQLValueTerm(function: nil, name: try name())
    }

    mutating func source() throws(Rejection) -> COQLSource {
        let place = current.place
        guard case .word(let module) = current.kind, !Self.isReserved(module) else { throw COQLRefusal.missing(clause: "from") }
        advance()
        guard accept(symbol: "#") else { return COQLSource(module: module, view: nil, place: place) }
        guard case .literal(let view) = current.kind else { throw unexpected("the id of a custom view expected") }
        advance()
        return COQLSource(module: module, view: view, place: place)
    }

    private mutating func groups() throws(Rejection) -> [COQLName] {
        guard accept(word: "group") else { return [] }
        guard accept(word: "by") else { throw unexpected("by expected") }
        var groups: [COQLName] = []
        repeat {
            groups.append(try name())
            guard groups.count <= Self.maximumGroups else { throw COQLRefusal.limit(Self.maximumGroups, "group by") }
        } while accept(symbol: ",")
        return groups
    }

    private mutating func order() throws(Rejection) -> [COQLStatement.Order] {
        guard accept(word: "order") else { return [] }
        guard accept(word: "by") else { throw unexpected("by expected") }
        var order: [COQLStatement.Order] = []
        repeat {
            let value = try valueTerm()
            let descending = accept(word: "desc")
            if !descending { _ = accept(word: "asc") }
            order.append(.init(value: value, descending: descending))
            guard order.count <= Self.maximumOrder else { throw COQLRefusal.limit(Self.maximumOrder, "order by") }
        } while accept(symbol: ",")
        return order
    }

    /// `limit n`, `limit skipped, n`, and `offset skipped`.
    private mutating func page() throws(Rejection) -> (limit: Int?, offset: Int) {
        var limit: Int?
        var offset = 0
        if accept(word: "limit") {
            let first = try count()
            if accept(symbol: ",") {
                offset = first
                limit = try count()
            } else {
                limit = first
            }
        }
        if accept(word: "offset") { offset = try count() }
        return (limit, offset)
    }

    private mutating func count() throws(Rejection) -> Int {
        guard case .literal(let digits) = current.kind, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else {
            throw unexpected("a whole number expected")
        }
        advance()
        // Beyond any limit, so that it is the limit that refuses it.
        return Int(digits) ?? Int.max / 4
    }
}

extension COQLParser {
    /// Words that end a name's turn; as names they must be quoted.
    private static let reserved: Set<String> = [
        "select", "from", "where", "group", "order", "by", "limit", "offset", "and", "or", "not", "in", "like", "is", "null", "between",
        "as", "asc", "desc",
    ]

    static func isReserved(_ word: String) -> Bool { reserved.contains(word.lowercased()) }

    var current: COQLToken { tokens[position] }

    mutating func advance() { if position < tokens.count - 1 { position += 1 } }

    func at(word: String) -> Bool {
        if case .word(let found) = current.kind { found.utf8.count == word.utf8.count && found.lowercased() == word } else { false }
    }

    mutating func accept(word: String) -> Bool {
        guard at(word: word) else { return false }
        advance()
        return true
    }

    mutating func accept(symbol: String) -> Bool {
        guard current.kind == .symbol(symbol) else { return false }
        advance()
        return true
    }

    /// A clause that is not there is missing when the query ends or goes on with a later one.
    mutating func expect(clause: String, before later: [String]) throws(Rejection) {
        guard !accept(word: clause) else { return }
        if current.kind == .end || later.contains(where: at) { throw COQLRefusal.missing(clause: clause) }
        throw unexpected("\(clause) expected")
    }

    mutating func name() throws(Rejection) -> COQLName {
        let place = current.place
        let prefixed = accept(symbol: "!")
        switch current.kind {
        case .quoted(let text):
            advance()
            return COQLName(text: text, place: place)
        case .word(let text) where prefixed:
            let parts = text.split(separator: ".", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw unexpected("a field expected after the module") }
            advance()
            return COQLName(text: parts[1], module: parts[0], place: place)
        case .word(let text) where !Self.isReserved(text):
            advance()
            return COQLName(text: text, place: place)
        default: throw unexpected("a column expected")
        }
    }

    func unexpected(_ message: String) -> Rejection {
        let near: String =
            switch current.kind {
            case .word(let text), .quoted(let text), .literal(let text), .symbol(let text): String(text.prefix(40))
            case .end: "end of query"
            }
        return COQLRefusal.syntax(message, current.place, near: near)
    }
}
