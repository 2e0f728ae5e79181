import Testing

@testable import SQLStore

/// The gram index answers alike on both engines, and never loses a text that contains what is asked for.
@Suite(.timeLimit(.minutes(2))) struct GramTests {
    @Test func gramsAreRunsOfThreeAndTheEndsOfWords() {
        #expect(Grams.of(["Ab cde", "CDE-1234"]) == ["ab", "cde", "de", "123", "234", "34"])
        #expect(Grams.test(containing: "abcd") == .all([.gram("abc"), .gram("bcd")]))
        #expect(Grams.test(containing: "abcdefgh") == .all([.gram("abc"), .gram("def"), .gram("fgh")]))
        #expect(Grams.test(containing: "abcdef") == .all([.gram("abc"), .gram("def")]))
        #expect(Grams.test(containing: "K2") == .start("k2"))
        #expect(Grams.test(containing: "a-b") == nil)
    }

    /// One writer for many records forgets each before the next, and holds more grams than its table began with.
    @Test func aWriterServesManyRecords() {
        var writer = GramWriter()
        #expect(writer.grams(of: ["Kim"]) == "kim im")
        #expect(writer.grams(of: ["Kim", "ÄKIM"]) == "kim im äki")
        let words = (0..<3_000).map { String($0 + 10_000) }
        let many = writer.grams(of: words).split(separator: " ")
        #expect(many.count == Set(many).count && Set(many).isSuperset(of: (100..<130).map { Substring(String($0)) }))
        #expect(writer.grams(of: ["kim"]) == "kim im" && writer.grams(of: [""]) == "")
    }

    /// The index on folded texts that are not null serves a search for their beginning; without being told so, SQLite reads the table.
    @Test func theBeginningOfATextIsFoundByItsIndex() async throws {
        try await TestEngine.sqlite.withDatabase { database in
            let plan = try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (id \(.type(.integer)) PRIMARY KEY, a \(.type(.text)))\(.strict)")
                try tx.execute("CREATE INDEX t_a ON t (\(.folded("a"))) WHERE a IS NOT NULL")
                return try tx.rows(
                    "EXPLAIN QUERY PLAN SELECT t.id FROM t WHERE \(.startsFolded("t.a", "ki")) ORDER BY \(.folded("t.a")), t.id LIMIT 5"
                ) { $0.text(3) ?? "" }
            }
            #expect(plan.count == 1 && plan.allSatisfy { $0.contains("USING INDEX t_a") }, "\(plan)")
        }
    }

    @Test(arguments: TestEngine.available) func whateverContainsThePartIsFound(engine: TestEngine) async throws {
        let texts = [
            "Kim Lee", "Kimberley O'Neil", "Ärger & Söhne", "+1 (555) 0100", "日本語のテキスト", "x1", "", "o'brien \\ \"quoted\" : * & | !",
        ]
        let parts = [
            "kim", "KIM L", "berl", "le", "'neil", "söh", "ärger &", "555) 01", "日本", "語のテキ", "x1", "brien", "quoted\" :", "zzz", "& | !k",
        ]
        try await engine.withDatabase { database in
            try await database.run(.write) { tx in
                try tx.execute("\(.gramTable("grams_of_texts"))")
                try tx.execute("\(.gramTuning("grams_of_texts"))")
                try tx.insert(
                    into: "grams_of_texts", ["rowid", "grams"],
                    rows: texts.enumerated().map { [.integer(Int64($0 + 1)), .text(Grams.of([$1]).joined(separator: " "))] })
            }
            for part in parts {
                guard let test = Grams.test(containing: part) else { continue }
                let found = try await database.run(.read) {
                    Set(try $0.integers("SELECT rowid FROM grams_of_texts WHERE \(.holdsGrams("grams_of_texts", test))"))
                }
                let expected = texts.indices.filter { TextFolding.fold(texts[$0]).contains(TextFolding.fold(part)) }.map { Int64($0 + 1) }
                #expect(found.isSuperset(of: expected), "\(part)")
                #expect(part != "zzz" || found.isEmpty)
            }
            let either: GramTest = .any([.gram("kim"), .all([.gram("ärg"), .start("ge")])])
            let found = try await database.run(.read) {
                try $0.integers("SELECT rowid FROM grams_of_texts WHERE \(.holdsGrams("grams_of_texts", either)) ORDER BY rowid")
            }
            #expect(found == [1, 2, 3])
            try await database.run(.write) { tx in try tx.execute("DELETE FROM grams_of_texts WHERE \(.memberIDs("rowid", [1, 3]))") }
            let left = try await database.run(.read) {
                try $0.integers("SELECT rowid FROM grams_of_texts WHERE \(.holdsGrams("grams_of_texts", either)) ORDER BY rowid")
            }
            #expect(left == [2])
        }
    }
}
