import SQLStore
import Testing

/// Folded text is the same on both engines and in Swift.
@Suite(.timeLimit(.minutes(2))) struct FoldTests {
    /// A text and its folded form.
    static let table: [(String, String)] = [
        ("", ""), ("AbC xyz 019 _-%", "abc xyz 019 _-%"), ("@[`{", "@[`{"),
        // Latin with diacritics, whole and combined: normal forms are kept apart.
        ("ÄÖÜÉÈÑÇØÅŁŽŐ", "äöüéèñçøåłžő"), ("A\u{308}", "a\u{308}"), ("Ÿ", "ÿ"), ("Æ Œ Þ Ð", "æ œ þ ð"), ("ǅ Ǆ ǆ", "ǆ ǆ ǆ"),
        // German sharp s, small and capital.
        ("Straße STRASSE", "straße strasse"), ("ẞ", "ß"),
        // Turkish: dotted capital I keeps its dot as a mark; dotless small i is another letter.
        ("İI ıi", "i\u{307}i ıi"),
        // Greek: all three sigmas are one, wherever they stand.
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"), ("ὈΔΥΣΣΕΎΣ Σ", "ὀδυσσεύσ σ"), ("ς σ Σ", "σ σ σ"), ("ΑΣ. ΑΣΑ", "ασ. ασα"), ("Ά Ώ ΐ", "ά ώ ΐ"), ("ᾼ", "ᾳ"),
        // Cyrillic, Armenian, Georgian capitals, Cherokee.
        ("ЖЁЙ ЇЄҐ", "жёй їєґ"), ("ԱՖ", "աֆ"), ("ᲐᲑ", "აბ"), ("Ꭰ", "ꭰ"),
        // Full width, signs that are letters, beyond the basic plane.
        ("ＡＢＣ　１", "ａｂｃ　１"), ("K Ω Å ℃", "k ω å ℃"), ("Ⅷ Ⓐ", "ⅷ ⓐ"), ("𐐀", "𐐨"), ("𝐀", "𝐀"),
        // Without case.
        ("日本語 한국어 العربية עברית ไทย 😀👩‍👩‍👧", "日本語 한국어 العربية עברית ไทย 😀👩‍👩‍👧"),
        ("\u{FEFF}A\u{200B}B\u{AD}", "\u{FEFF}a\u{200B}b\u{AD}"),
    ]

    @Test func theTableHoldsInSwift() {
        for (text, folded) in Self.table { #expect(TextFolding.fold(text).unicodeScalars.elementsEqual(folded.unicodeScalars), "\(text)") }
    }

    @Test(arguments: TestEngine.available) func theTableHoldsInTheEngine(engine: TestEngine) async throws {
        try await compare(Self.table.map(\.0), Self.table.map(\.1), engine)
    }

    /// All letters with case of Unicode 15.0, which is what Debian 12's ICU knows.
    @Test(arguments: TestEngine.available) func everyCapitalFoldsTheSame(engine: TestEngine) async throws {
        let capitals = (0x80...0x1FFFF as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init).filter { scalar in
            guard scalar.properties.changesWhenLowercased, let age = scalar.properties.age else { return false }
            return age.major <= 15
        }
        #expect(capitals.count > 1200)
        let texts = capitals.map { "a\($0)b" } + capitals.map { "\($0)" }
        try await compare(texts, texts.map(TextFolding.fold), engine)
    }

    @Test(arguments: TestEngine.available) func mixedTextsFoldTheSame(engine: TestEngine) async throws {
        let letters = Array("aAzZ09 .'-äÄßẞİIıiσςΣοΟжЖＡｂK\u{308}\u{307}日😀".unicodeScalars)
        let texts = (0..<2000).map { _ in
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...12) { letters.randomElement().map { text.append($0) } }
            return String(text)
        }
        try await compare(texts, texts.map(TextFolding.fold), engine)
    }

    private func compare(_ texts: [String], _ expected: [String], _ engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let folded = try await database.run(.write) { tx in
                try tx.execute("CREATE TABLE t (id \(.identityKey), x \(.type(.text)))\(.strict)")
                try tx.insert(into: "t", ["x"], rows: texts.map { [.text($0)] })
                return try tx.texts("SELECT \(.folded("x")) FROM t ORDER BY id")
            }
            for (index, text) in texts.enumerated() {
                // By scalars: Swift's == looks through normal forms.
                let isEqual = folded[index]?.unicodeScalars.elementsEqual(expected[index].unicodeScalars) ?? false
                #expect(isEqual, "\(text): \(folded[index] ?? "nil"), not \(expected[index])")
            }
        }
    }

    @Test(arguments: TestEngine.available) func nullFoldsToNull(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            let folded = try await database.run(.read) { try $0.texts("SELECT \(.folded("\(.textOf("NULL"))"))") }
            #expect(folded == [nil])
        }
    }

    /// Otherwise a mistake would be seen on PostgreSQL only.
    @Test(arguments: TestEngine.available) func aNumberIsNoText(engine: TestEngine) async throws {
        try await engine.withDatabase { database in
            await #expect(throws: SQLFailure.self) {
                try await database.run(.read) { try $0.texts("SELECT \(.folded("\(SQLValue.integer(1))"))") }
            }
        }
    }
}
