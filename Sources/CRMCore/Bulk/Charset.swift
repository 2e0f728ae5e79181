/// How the bytes of a file stand for characters.
package enum Charset: String, Sendable, CaseIterable {
    case utf8 = "UTF-8"
    case latin1 = "ISO-8859-1"
    case utf16little = "UTF-16LE"
    case utf16big = "UTF-16BE"

    /// By the names people give them. ASCII is a part of UTF-8.
    package init?(named name: String) {
        switch name.uppercased().filter({ $0 != "_" }) {
        case "UTF-8", "UTF8", "US-ASCII", "ASCII": self = .utf8
        case "ISO-8859-1", "ISO88591", "LATIN1", "LATIN-1": self = .latin1
        case "UTF-16", "UTF-16LE", "UTF16": self = .utf16little
        case "UTF-16BE": self = .utf16big
        default: return nil
        }
    }

    /// What the first bytes of a file say, and how many of them only say that.
    package static func mark(_ bytes: some Collection<UInt8>) -> (charset: Charset, length: Int)? {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return (.utf8, 3) }
        if bytes.starts(with: [0xFF, 0xFE]) { return (.utf16little, 2) }
        if bytes.starts(with: [0xFE, 0xFF]) { return (.utf16big, 2) }
        return nil
    }
}

/// Turns a file's bytes into UTF-8 as they arrive. What is no character becomes what is no UTF-8, for the reader behind to find.
package struct Transcoder: Sendable {
    private var charset: Charset
    private var isFirst = true
    private var rest: [UInt8] = []
    private var high: UInt16?

    /// A mark at the beginning of the file has the last word.
    package init(_ charset: Charset) { self.charset = charset }

    package mutating func feed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = rest + bytes
        rest = []
        if isFirst, bytes.count >= 3 || charset != .utf8 {
            isFirst = false
            if let mark = Charset.mark(bytes) {
                charset = mark.charset
                bytes.removeFirst(mark.length)
            }
        } else if isFirst {
            rest = bytes
            return []
        }
        switch charset {
        case .utf8: return bytes
        case .latin1: return bytes.flatMap { Array(String(Unicode.Scalar($0)).utf8) }
        case .utf16little, .utf16big: return wide(bytes)
        }
    }

    package mutating func finish() -> [UInt8] { isFirst ? rest : rest.isEmpty && high == nil ? [] : [0xFF] }

    private mutating func wide(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        let pairs = bytes.count / 2
        for index in 0..<pairs {
            let (a, b) = (UInt16(bytes[2 * index]), UInt16(bytes[2 * index + 1]))
            let unit = charset == .utf16little ? b << 8 | a : a << 8 | b
            if let first = high {
                high = nil
                guard UTF16.isTrailSurrogate(unit) else {
                    result.append(0xFF)
                    continue
                }
                let value = 0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(unit - 0xDC00)
                if let scalar = Unicode.Scalar(value) { result += Array(String(scalar).utf8) }
            } else if UTF16.isLeadSurrogate(unit) {
                high = unit
            } else if let scalar = Unicode.Scalar(UInt32(unit)) {
                result += Array(String(scalar).utf8)
            } else {
                result.append(0xFF)
            }
        }
        if bytes.count % 2 == 1 { rest = [bytes[bytes.count - 1]] }
        return result
    }
}
