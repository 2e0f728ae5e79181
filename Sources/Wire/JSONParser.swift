extension JSONValue {
    /// Reads one JSON text. Refuses bad UTF-8, lone surrogates, nesting deeper than 256 and anything after the value.
    /// Of members with the same name the last wins.
    /// `most` values are read, members and elements each counted as one; more are refused.
    package static func parse(_ bytes: [UInt8], most: Int = .max) throws(JSONSyntaxError) -> JSONValue {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONSyntaxError) in try parse(buffer, most: most) }
    }

    package static func parse(_ text: String) throws(JSONSyntaxError) -> JSONValue {
        try parse(Array(text.utf8))
    }

    package static func parse(_ bytes: UnsafeBufferPointer<UInt8>, most: Int = .max) throws(JSONSyntaxError) -> JSONValue {
        guard let start = bytes.baseAddress else { throw JSONSyntaxError(reason: .unexpectedEnd, offset: 0) }
        var parser = JSONParser(start: start, count: bytes.count, most: most)
        return try parser.document()
    }
}

/// Reads one JSON text by recursive descent. Every read of a byte is checked against the end.
struct JSONParser {
    let start: UnsafePointer<UInt8>
    let end: Int
    var position = 0
    /// How many more values may come.
    private var left: Int
    var keys = JSONKeyTable()
    /// Where strings with escapes are put together.
    var scratch: [UInt8] = []

    /// Whether the text is long enough for its names to repeat so often that the table pays.
    var keepsKeys: Bool { end >= 1024 }

    /// Deeper bodies are mistakes or attacks; each level costs stack.
    private static let maximumDepth = 256

    init(start: UnsafePointer<UInt8>, count: Int, most: Int = .max) {
        self.start = start
        self.end = count
        left = most
    }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        let value = try value(depth: 0)
        skipSpace()
        guard position == end else { throw error(.trailingBytes) }
        return value
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard left > 0 else { throw error(.tooManyValues) }
        left -= 1
        switch current {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: throw unexpected
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        guard try open(depth, until: UInt8(ascii: "}")) else { return members }
        var seen = JSONKeysSeen()
        repeat {
            let key = try key()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw unexpected }
            position += 1
            skipSpace()
            let value = try value(depth: depth)
            if let earlier = seen.earlier(key, in: members) {
                members[earlier].value = value
            } else {
                members.append(JSONValue.Member(key.name, value))
            }
        } while try more(until: UInt8(ascii: "}"))
        return members
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> [JSONValue] {
        var elements: [JSONValue] = []
        guard try open(depth, until: UInt8(ascii: "]")) else { return elements }
        repeat {
            elements.append(try value(depth: depth))
        } while try more(until: UInt8(ascii: "]"))
        return elements
    }

    /// Steps into an object or array; false, and out again, when it is empty.
    private mutating func open(_ depth: Int, until closing: UInt8) throws(JSONSyntaxError) -> Bool {
        guard depth <= Self.maximumDepth else { throw error(.tooDeep) }
        position += 1
        skipSpace()
        guard current == closing else { return true }
        position += 1
        return false
    }

    /// Steps over a comma; false, and out of it, at the end of the object or array.
    private mutating func more(until closing: UInt8) throws(JSONSyntaxError) -> Bool {
        skipSpace()
        let byte = current
        guard byte == UInt8(ascii: ",") || byte == closing else { throw unexpected }
        position += 1
        guard byte != closing else { return false }
        skipSpace()
        return true
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let count = text.utf8CodeUnitCount
        guard end - position >= count else { throw error(.badLiteral) }
        for index in 0..<count where start[position + index] != text.utf8Start[index] {
            throw error(.badLiteral)
        }
        position += count
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> String {
        let first = position
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if current == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if current | 0x20 == UInt8(ascii: "e") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return String(decoding: UnsafeBufferPointer(start: start + first, count: position - first), as: UTF8.self)
    }

    /// One digit or more.
    private mutating func digits() throws(JSONSyntaxError) {
        let first = position
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(current) { position += 1 }
        guard position > first else { throw error(.badNumber) }
    }
}

extension JSONParser {
    /// The byte to be read, or 0 at the end: no JSON text has a zero byte, so it never matches by mistake.
    var current: UInt8 { position < end ? start[position] : 0 }

    mutating func skipSpace() {
        while position < end {
            let byte = start[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    /// What stands here cannot.
    var unexpected: JSONSyntaxError { error(position < end ? .unexpectedByte : .unexpectedEnd) }

    func error(_ reason: JSONSyntaxError.Reason) -> JSONSyntaxError {
        JSONSyntaxError(reason: reason, offset: position)
    }
}
