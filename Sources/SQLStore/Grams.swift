/// A question to a gram index (`DialectTerm.holdsGrams`): what the grams of a text must be for it to be worth a look.
package indirect enum GramTest: Sendable, Hashable {
    case gram(String)
    /// Some gram starts with this.
    case start(String)
    case all([GramTest])
    case any([GramTest])
}

/// The pieces by which texts are found: runs of three letters or digits, and the last two of each word. Whatever a text contains,
/// it has the grams of; the index therefore narrows a search for a part of a text, and the text itself decides.
package enum Grams {
    private static let size = 3
    /// Grams kept of one record. A text area full of different words has some thousands.
    static let limit = 20_000

    /// The distinct grams of folded texts.
    package static func of(_ texts: [String]) -> [String] { text(of: texts).split(separator: " ").map(String.init) }

    /// The same with a blank between each and the next, as an index takes them.
    package static func text(of texts: [String]) -> String {
        var writer = GramWriter()
        return writer.grams(of: texts)
    }

    /// What the grams of every text that contains `part` satisfy; `nil` when the part is too short to say anything. Of a long word
    /// every third gram is enough, and its last: together they have all its letters, and each more is one more list to read.
    package static func test(containing part: String) -> GramTest? {
        var tests: [GramTest] = []
        for word in words(part) {
            if word.count >= size {
                tests += pieces(word).map { .gram(string($0)) }
            } else if word.count == size - 1 {
                tests.append(.start(string(word[...])))
            }
        }
        return tests.isEmpty ? nil : tests.count == 1 ? tests[0] : .all(tests)
    }

    private static func pieces(_ word: [Unicode.Scalar]) -> [ArraySlice<Unicode.Scalar>] {
        guard word.count >= size else { return [] }
        let starts = Array(stride(from: 0, through: word.count - size, by: size)) + (word.count % size == 0 ? [] : [word.count - size])
        return starts.map { word[$0..<$0 + size] }
    }

    private static func words(_ text: String) -> [[Unicode.Scalar]] {
        TextFolding.fold(text).unicodeScalars.split { !GramWriter.isPart($0) }.map(Array.init)
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}

extension GramTest {
    /// The test in an engine's own words: `and` and `or` between brackets, and what a gram and the start of one look like.
    func text(and: String, or: String, gram: (String) -> String, start: (String) -> String) -> String {
        func joined(_ parts: [GramTest], _ word: String) -> String {
            "(" + parts.map { $0.text(and: and, or: or, gram: gram, start: start) }.joined(separator: word) + ")"
        }
        return switch self {
        case .gram(let piece): gram(piece)
        case .start(let piece): start(piece)
        case .all(let parts): joined(parts, and)
        case .any(let parts): joined(parts, or)
        }
    }
}
