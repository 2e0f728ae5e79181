import Wire

/// How much criteria may say, in whichever form they are given: the values of one test, the length of a text, and how deep groups nest.
package enum CriteriaLimits {
    /// Values of one test (records, 131: `in`).
    package static let values = 100
    /// Characters of a value (bulk-read, 249).
    package static let text = 255
    /// Tests in all; a rule, or a call, may set less.
    package static let tests = 50
    package static let depth = 10

    /// Whether the value of a test is of a shape that tests have: a text, a number, a yes or no, something with an id, or a list of those.
    static func admits(_ value: JSONValue, _ comparator: Comparator) -> Bool {
        let parts = value.array ?? [value]
        guard (1...values).contains(parts.count), parts.allSatisfy(isSingle) else { return false }
        return switch comparator {
        case .between, .notBetween: parts.count == 2
        default: true
        }
    }

    private static func isSingle(_ value: JSONValue) -> Bool {
        switch value {
        case .string(let text): text.unicodeScalars.count <= Self.text
        case .number, .bool: true
        case .object: value["id"]?.looseInt64 != nil
        case .array, .null: false
        }
    }
}
