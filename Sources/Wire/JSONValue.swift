/// Any JSON value. Objects keep the order of their members; numbers keep the text they came as, so a 19-digit id
/// sent as a number loses nothing.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// The text of a JSON number, written out as it is.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// One name and value of an object.
    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: JSONValue

        package init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }
}

extension JSONValue {
    package static func integer(_ value: Int64) -> JSONValue { .number(String(value)) }

    /// Counts and page numbers.
    package static func integer(_ value: Int) -> JSONValue { .number(String(value)) }

    /// A number in the shortest text that reads back as the same value: `12.0` is `12`. Not a number, or infinite: null.
    package static func real(_ value: Double) -> JSONValue {
        value.isFinite ? .number(JSONNumber.text(of: value)) : .null
    }

    /// Ids are strings of digits in every answer.
    package static func id(_ id: RecordID) -> JSONValue { .string(id.description) }
}

extension JSONValue {
    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var array: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let flag) = self { flag } else { nil }
    }

    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// A number written without point or exponent that fits 64 bits.
    package var int64: Int64? {
        if case .number(let text) = self { Int64(text) } else { nil }
    }

    /// A number of any form; nil when it is too large for a double.
    package var double: Double? {
        if case .number(let text) = self { JSONNumber.double(of: text) } else { nil }
    }

    /// A whole number, or a string of nothing but its digits: clients send ids either way.
    package var looseInt64: Int64? {
        switch self {
        case .number(let text): Int64(text)
        case .string(let text): RecordID(text)?.raw
        case .null, .bool, .array, .object: nil
        }
    }

    /// A finite number, or a string of one in plain digits: no names such as `inf`, no hexadecimal.
    package var looseDouble: Double? {
        if case .string(let text) = self {
            // Digits, plus, minus, point and the two letters of an exponent.
            let plain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0) }
            return plain ? Double(text).flatMap { $0.isFinite ? $0 : nil } : nil
        }
        return double
    }

    /// The member of that name. Setting nil removes it; setting on a value that is no object makes it one.
    package subscript(_ name: String) -> JSONValue? {
        get { members?.first { $0.name == name }?.value }
        set {
            var members = members ?? []
            // Drops our own reference first, so that the change below happens in place.
            self = .null
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name, value))
            case (nil, nil): break
            }
            self = .object(members)
        }
    }
}

extension JSONValue {
    /// Compact JSON.
    package func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return writer.finish()
    }

    /// Compact JSON as text.
    package var text: String { String(decoding: encoded(), as: UTF8.self) }
}

extension JSONValue {
    /// One result object of an answer that went well.
    package static func success(_ message: String, code: String = "SUCCESS", details: JSONValue = [:]) -> JSONValue {
        ["code": .string(code), "details": details, "message": .string(message), "status": "success"]
    }
}
