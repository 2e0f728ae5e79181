/// How the bytes of a file stand for characters. The first four are read here, the others through the system's own tables
/// (`ForeignText`).
package enum Charset: String, Sendable, CaseIterable {
    case utf8 = "UTF-8"
    case latin1 = "ISO-8859-1"
    case utf16little = "UTF-16LE"
    case utf16big = "UTF-16BE"
    case utf32little = "UTF-32LE"
    case utf32big = "UTF-32BE"
    case latin2 = "ISO-8859-2"
    case latin3 = "ISO-8859-3"
    case latin4 = "ISO-8859-4"
    case cyrillic = "ISO-8859-5"
    case arabic = "ISO-8859-6"
    case greek = "ISO-8859-7"
    case hebrew = "ISO-8859-8"
    case latin5 = "ISO-8859-9"
    case latin6 = "ISO-8859-10"
    case thai = "ISO-8859-11"
    case latin7 = "ISO-8859-13"
    case latin8 = "ISO-8859-14"
    case latin9 = "ISO-8859-15"
    case latin10 = "ISO-8859-16"
    case windows1250 = "windows-1250"
    case windows1251 = "windows-1251"
    case windows1252 = "windows-1252"
    case windows1253 = "windows-1253"
    case windows1254 = "windows-1254"
    case windows1255 = "windows-1255"
    case windows1256 = "windows-1256"
    case windows1257 = "windows-1257"
    case windows1258 = "windows-1258"
    case koi8Russian = "KOI8-R"
    case koi8Ukrainian = "KOI8-U"
    case macintosh
    case shiftJIS = "Shift_JIS"
    case eucJapanese = "EUC-JP"
    case eucKorean = "EUC-KR"
    case gb2312 = "GB2312"
    case gbk = "GBK"
    case gb18030 = "GB18030"
    case big5 = "Big5"

    /// Those this machine can read.
    package static let supported = allCases.filter { $0.foreignName.map(ForeignText.isKnown) ?? true }

    /// By the names people give them: the common one of each, however it is spelled, and some others. ASCII is a part of UTF-8.
    package init?(named name: String) {
        let wanted = Self.plain(name)
        guard let found = Self.aliases[wanted] ?? Self.supported.first(where: { Self.plain($0.rawValue) == wanted }) else { return nil }
        self = found
    }

    private static let aliases: [String: Charset] = [
        "usascii": .utf8, "ascii": .utf8, "utf16": .utf16little, "utf32": .utf32little, "latin1": .latin1, "latin2": .latin2,
        "latin5": .latin5, "latin9": .latin9, "cp1250": .windows1250, "cp1251": .windows1251, "cp1252": .windows1252,
        "cp1253": .windows1253, "cp1254": .windows1254, "cp1255": .windows1255, "cp1256": .windows1256, "cp1257": .windows1257,
        "cp1258": .windows1258, "ansi": .windows1252, "sjis": .shiftJIS, "cp932": .shiftJIS, "windows31j": .shiftJIS, "cp936": .gbk,
        "cp949": .eucKorean, "cp950": .big5,
    ]

    private static func plain(_ name: String) -> String { name.lowercased().filter { $0 != "-" && $0 != "_" && $0 != " " } }

    /// The name by which the system knows what is not read here. Its tables for Windows hold more than the standards they extend, and
    /// are what files in the wild are written by.
    var foreignName: String? {
        switch self {
        case .utf8, .latin1, .utf16little, .utf16big: nil
        case .shiftJIS: "CP932"
        case .gb2312: "GBK"
        case .eucKorean: "CP949"
        case .thai: "TIS-620"
        default: rawValue
        }
    }

    /// What the first bytes of a file say, and how many of them only say that.
    package static func mark(_ bytes: some Collection<UInt8>) -> (charset: Charset, length: Int)? {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return (.utf8, 3) }
        if bytes.starts(with: [0xFF, 0xFE, 0, 0]) { return (.utf32little, 4) }
        if bytes.starts(with: [0, 0, 0xFE, 0xFF]) { return (.utf32big, 4) }
        if bytes.starts(with: [0xFF, 0xFE]) { return (.utf16little, 2) }
        if bytes.starts(with: [0xFE, 0xFF]) { return (.utf16big, 2) }
        return nil
    }

    /// What the beginning of a file without a mark looks like. `isCut` when the file goes on behind it. What is not Unicode is taken
    /// for the Western encoding of Windows, which spreadsheets write unless told otherwise.
    package static func guess(_ bytes: [UInt8], isCut: Bool) -> Charset {
        let sample = bytes.prefix(1_024)
        // Texts hold no NUL, but every second byte of Latin letters in UTF-16 is one.
        let zeros = [0, 1].map { half in sample.indices.count { $0 % 2 == half && sample[$0] == 0 } }
        if zeros[1] > sample.count / 5, zeros[0] == 0 { return .utf16little }
        if zeros[0] > sample.count / 5, zeros[1] == 0 { return .utf16big }
        // A character has four bytes at most, so three of the last one may be here.
        let isUnicode = (0...(isCut ? 3 : 0)).contains { String(validating: bytes.dropLast($0), as: UTF8.self) != nil }
        return isUnicode || !supported.contains(.windows1252) ? .utf8 : .windows1252
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
        default: return foreign(bytes)
        }
    }

    package mutating func finish() -> [UInt8] { isFirst ? rest : rest.isEmpty && high == nil ? [] : [0xFF] }

    private mutating func foreign(_ bytes: [UInt8]) -> [UInt8] {
        guard let name = charset.foreignName else { return bytes }
        let (text, rest) = ForeignText.utf8(bytes, from: name)
        self.rest = rest
        return text
    }

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
