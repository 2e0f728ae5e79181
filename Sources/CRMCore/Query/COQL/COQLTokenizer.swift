import Wire

/// Cuts a COQL text into tokens.
struct COQLTokenizer {
    private let text: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    private var lineStart = 0

    /// Enough for 500 columns and 25 conditions of a hundred values each; what is longer is refused before it is read.
    static let maximumLength = 200_000

    static func tokens(_ text: String) throws(Rejection) -> [COQLToken] {
        guard text.utf8.count <= maximumLength else {
            throw COQLRefusal.syntax("the query is too long", COQLPlace(line: 1, column: 1), near: "")
        }
        var tokenizer = COQLTokenizer(text: Array(text.unicodeScalars))
        var tokens: [COQLToken] = []
        while let token = try tokenizer.next() { tokens.append(token) }
        tokens.append(COQLToken(kind: .end, place: tokenizer.place))
        return tokens
    }

    private init(text: [Unicode.Scalar]) { self.text = text }

    private var place: COQLPlace { COQLPlace(line: line, column: position - lineStart + 1) }
    private var current: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private mutating func next() throws(Rejection) -> COQLToken? {
        skipBlanks()
        guard let first = current else { return nil }
        let place = place
        if first == "'" || first == "\"" { return COQLToken(kind: .quoted(try quoted(by: first, place)), place: place) }
        if Self.isNameStart(first) { return COQLToken(kind: .word(take(while: Self.isNamePart)), place: place) }
        if Self.isDigit(first) || startsSignedNumber() { return COQLToken(kind: .literal(take(while: Self.isLiteralPart)), place: place) }
        let pair = String(String.UnicodeScalarView(text[position..<min(position + 2, text.count)]))
        for symbol in ["!=", ">=", "<=", "=", ">", "<", "(", ")", ",", "#"] where pair.hasPrefix(symbol) {
            position += symbol.utf8.count
            return COQLToken(kind: .symbol(symbol), place: place)
        }
        // A module before a name that could be read as a field: `!Deals.Stage`.
        if first == "!" {
            position += 1
            return COQLToken(kind: .symbol("!"), place: place)
        }
        throw COQLRefusal.syntax("unexpected character", place, near: String(first))
    }

    private mutating func skipBlanks() {
        while let scalar = current, scalar.properties.isWhitespace {
            position += 1
            if scalar == "\n" {
                line += 1
                lineStart = position
            }
        }
    }

    /// A quote inside is doubled.
    private mutating func quoted(by quote: Unicode.Scalar, _ place: COQLPlace) throws(Rejection) -> String {
        position += 1
        var value = String.UnicodeScalarView()
        while let scalar = current {
            position += 1
            if scalar == quote {
                guard current == quote else { return String(value) }
                position += 1
            }
            // No stored text holds one, and PostgreSQL cannot be asked for it.
            guard scalar != "\0" else { throw COQLRefusal.syntax("unexpected character", place, near: "") }
            if scalar == "\n" {
                line += 1
                lineStart = position
            }
            value.append(scalar)
        }
        throw COQLRefusal.syntax("a quoted text does not end", place, near: String(value.prefix(20).map(Character.init)))
    }

    private func startsSignedNumber() -> Bool {
        guard let first = current, "+-.".unicodeScalars.contains(first), position + 1 < text.count else { return false }
        return Self.isDigit(text[position + 1])
    }

    private mutating func take(while belongs: (Unicode.Scalar) -> Bool) -> String {
        let start = position
        position += 1
        while let scalar = current, belongs(scalar) { position += 1 }
        return String(String.UnicodeScalarView(text[start..<position]))
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
    private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool { scalar == "_" || scalar == "$" || scalar.properties.isAlphabetic }
    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool { isNameStart(scalar) || isDigit(scalar) || scalar == "." }
    private static func isLiteralPart(_ scalar: Unicode.Scalar) -> Bool {
        isDigit(scalar) || scalar.isASCII && (scalar.properties.isAlphabetic || "+-.:".unicodeScalars.contains(scalar))
    }
}
