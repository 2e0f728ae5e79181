import Wire

/// A request line's target taken apart: the path's segments and the query, percent-decoded.
package struct RequestTarget: Sendable {
    package let segments: [String]
    package let query: [(name: String, value: String)]

    /// Refuses a path that is not UTF-8 or has a NUL in it. Slashes may be doubled at the start: clients join bases and paths that way.
    package init(_ text: String) throws(Rejection) {
        let divider = text.firstIndex(of: "?") ?? text.endIndex
        var segments: [String] = []
        for piece in text[..<divider].drop(while: { $0 == "/" }).split(separator: "/", omittingEmptySubsequences: false) {
            guard let segment = PercentCoding.decode(piece.utf8, plusIsBlank: false), !NulCharacter.holds(segment) else {
                throw Rejection(.invalidURLPattern)
            }
            segments.append(segment)
        }
        self.segments = segments
        query = divider == text.endIndex ? [] : PercentCoding.pairs(text[text.index(after: divider)...])
    }

    /// The path without its query, for logs: queries may hold secrets.
    package static func path(of text: String) -> Substring { text.prefix { $0 != "?" } }
}
