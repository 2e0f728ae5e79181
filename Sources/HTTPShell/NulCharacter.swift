import Wire

/// NUL is legal in JSON and in percent-coding, but no value of the API needs it and PostgreSQL's text cannot hold it.
/// It is refused here, before any endpoint sees it, so that both engines answer alike.
enum NulCharacter {
    /// Looks through a body only when its bytes say there may be one: it can only have come in as an escape.
    static func refuse(in body: [UInt8], _ value: JSONValue) throws(Rejection) {
        guard isEscaped(in: body) else { return }
        try refuse(JSONCursor(value))
    }

    static func refuse(in query: [(name: String, value: String)]) throws(Rejection) {
        for (name, value) in query where holds(name) || holds(value) { throw .invalidParameter(name) }
    }

    static func holds(_ text: String) -> Bool { text.utf8.contains(0) }

    private static func isEscaped(in body: [UInt8]) -> Bool {
        let escape = Array("u0000".utf8)
        var index = 0
        while let backslash = body[index...].firstIndex(of: UInt8(ascii: "\\")) {
            if body[(backslash + 1)...].starts(with: escape) { return true }
            // The byte after a backslash belongs to it, even when it is a backslash.
            index = min(backslash + 2, body.count)
        }
        return false
    }

    private static func refuse(_ cursor: JSONCursor) throws(Rejection) {
        switch cursor.value {
        case .string(let text):
            if holds(text) { throw .invalid(at: cursor.path) }
        case .array(let elements):
            for (index, element) in elements.enumerated() { try refuse(JSONCursor(element, at: cursor.path.appending(index))) }
        case .object(let members):
            for member in members {
                let path = cursor.path.appending(member.name)
                if holds(member.name) { throw .invalid(at: path) }
                try refuse(JSONCursor(member.value, at: path))
            }
        case .null, .bool, .number: break
        }
    }
}
