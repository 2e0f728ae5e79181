/// One piece of a COQL text, with where it stands for whoever wrote it.
struct COQLToken: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// A name, a keyword, or a bare word as a value.
        case word(String)
        case quoted(String)
        /// Digits and what may follow them: a number, a date or a moment written without quotes.
        case literal(String)
        case symbol(String)
        case end
    }

    let kind: Kind
    let place: COQLPlace
}

/// Line and column, both counted from one.
struct COQLPlace: Sendable, Equatable {
    let line: Int
    let column: Int
}
