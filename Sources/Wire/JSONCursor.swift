/// A JSON value and the way to it. Its accessors take what a request must contain; when it does not, they refuse with
/// the `json_path` of the offender.
package struct JSONCursor: Sendable {
    package let value: JSONValue
    package let path: JSONPath

    package init(_ value: JSONValue, at path: JSONPath = .init()) {
        self.value = value
        self.path = path
    }

    /// The name of the last member passed; empty at the root.
    package var name: String { path.name }

    /// The member of that name, which must be there and not null.
    package func required(_ name: String) throws(Rejection) -> JSONCursor {
        let members = try object()
        guard let member = members.first(where: { $0.name == name }), !member.value.isNull else {
            throw .missing(name, at: path)
        }
        return JSONCursor(member.value, at: path.appending(name))
    }

    /// The member of that name. Nil when absent; a null one is there.
    package func optional(_ name: String) -> JSONCursor? {
        value[name].map { JSONCursor($0, at: path.appending(name)) }
    }

    /// Text. Its length is counted in Unicode scalars. Where one is needed, blanks alone are none.
    package func string(max: Int? = nil, min: Int? = nil) throws(Rejection) -> String {
        guard case .string(let text) = value else { throw .wrongType("text", at: path) }
        // Bytes are never fewer than scalars, and are counted already.
        if let max, text.utf8.count > max, text.unicodeScalars.count > max { throw .tooLong(max, at: path) }
        if let min, text.unicodeScalars.count < min { throw .tooShort(min, at: path) }
        if let min, min > 0, text.isBlank { throw Rejection(.mandatoryNotFound, .apiName(name), .jsonPath(path)) }
        return text
    }

    package func bool() throws(Rejection) -> Bool {
        guard let flag = value.bool else { throw .wrongType("boolean", at: path) }
        return flag
    }

    package func integer() throws(Rejection) -> Int64 {
        guard let number = value.int64 else { throw .wrongType("integer", at: path) }
        return number
    }

    package func object() throws(Rejection) -> [JSONValue.Member] {
        guard case .object(let members) = value else { throw .wrongType("jsonobject", at: path) }
        return members
    }

    package func elements() throws(Rejection) -> [JSONCursor] {
        guard case .array(let elements) = value else { throw .wrongType("jsonarray", at: path) }
        return elements.enumerated().map { JSONCursor($1, at: path.appending($0)) }
    }

    /// As many elements as the range allows.
    package func elements(_ count: ClosedRange<Int>) throws(Rejection) -> [JSONCursor] {
        guard case .array(let elements) = value else { throw .wrongType("jsonarray", at: path) }
        if elements.count < count.lowerBound { throw .tooShort(count.lowerBound, at: path) }
        if elements.count > count.upperBound { throw .tooLong(count.upperBound, at: path) }
        return try self.elements()
    }

    /// The `id` of an object; `nil` without one. What is no id is refused, whatever else says what is meant.
    package func ownID() throws(Rejection) -> RecordID? {
        guard let given = optional("id"), !given.value.isNull else { return nil }
        return try given.recordID()
    }

    /// An id, as a string of digits or as a number: SDKs send either.
    package func recordID() throws(Rejection) -> RecordID {
        guard let raw = value.looseInt64, raw >= 0 else { throw .wrongType("bigint", at: path) }
        return RecordID(raw: raw)
    }
}
