import Testing

@testable import SQLStore

/// The gram index answers alike on both engines, and never loses a text that contains what is asked for.
@Suite(.timeLimit(.minutes(2))) struct GramTests {
    @Test func gramsAreRunsOfThreeAndTheEndsOfWords() {
        #expect(Grams.of(["Ab cde", "CDE-1234"]) == ["ab", "cde", "de", "123", "234", "34"])
        #expect(Grams.test(containing: "abcd") == .all([.gram("abc"), .gram("bcd")]))
        #expect(Grams.test(containing: "K2") == .start("k2"))
        #expect(Grams.test(containing: "a-b") == nil)
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
