/// Why a text is not JSON, and where.
package struct JSONSyntaxError: Error, Sendable, Hashable {
    /// What was wrong.
    package enum Reason: Sendable, Hashable {
        case unexpectedEnd
        case unexpectedByte
        case badLiteral
        case badNumber
        case badEscape
        case loneSurrogate
        case controlCharacter
        case badUTF8
        case tooDeep
        case tooManyValues
        case trailingBytes
    }

    package let reason: Reason
    /// Bytes from the start.
    package let offset: Int
}
