import Metadata
import SQLStore
import Wire

/// A search for words over all texts of a module's records. Every word must be in some text; records named like the words come first.
package struct WordSearch: Sendable {
    /// Words beyond these say nothing new.
    private static let limit = 10
    /// As many records as a search reaches (`records.md`, 131).
    private static let reach: Int64 = 2_000

    let text: String
    private let words: [String]

    package init(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        self.words = Array(words.prefix(Self.limit))
        self.text = words.joined(separator: " ")
    }

    package func condition(_ module: Module) -> Condition {
        .all(words.map { word in .any(module.searchedFields.map { .test(field: $0.apiName, .contains, [.string(word)]) }) })
    }

    /// The ids worth ranking: the newest that match, and of those whose name starts with the words the first by name, which an index
    /// on names hands out one by one. The very name comes before all that begin with it.
    func candidates(_ newest: SQL, _ table: TableName, _ module: Module, where filter: SQL) -> SQL {
        guard let name = module.displayColumn else { return "SELECT c.id FROM (\(newest) LIMIT \(.integer(Self.reach))) c" }
        let named: SQL =
            "SELECT t.id FROM \(table) t WHERE \(.startsFolded("\(name, of: "t")", text)) AND \(filter) ORDER BY \(.folded("\(name, of: "t")")), t.id"
        return """
            SELECT c.id FROM (\(newest) LIMIT \(.integer(Self.reach))) c UNION SELECT n.id FROM (\(named) LIMIT \(.integer(Self.reach))) n
            """
    }

    /// 0 for a record of that very name, then names that start so, that have a word that starts so, that contain it, and the others.
    /// `nil` where records have no name, or none that the caller sees.
    func rank(_ module: Module) -> SQL? {
        guard let column = module.displayColumn else { return nil }
        let name: SQL = "\(column, of: "t")"
        return """
            CASE WHEN \(.folded(name)) = \(.folded("\(SQLValue.text(text))")) THEN 0 WHEN \(.startsFolded(name, text)) THEN 1 \
            WHEN \(.containsFolded(name, " " + text)) THEN 2 WHEN \(.containsFolded(name, text)) THEN 3 ELSE 4 END
            """
    }
}
