import SQLStore

extension SQL {
    /// A whole number as part of the text: for numbers that are part of a statement's shape, such as module numbers.
    static func literal(_ value: Int64) -> SQL { SQL(stringLiteral: String(value)) }

    /// The alias of a plan's nth join.
    static func alias(_ number: Int) -> SQL { SQL(stringLiteral: "j\(number)") }
}
