/// Percent-encoding in paths, queries and forms.
package enum PercentCoding {
    /// Decodes `%41`; a percent sign without two hex digits stands for itself. Nil when the bytes are not UTF-8.
    package static func decode(_ text: Substring.UTF8View, plusIsBlank: Bool) -> String? {
        let plain = !text.contains { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }
        return plain ? String(text) : String(validating: decodedBytes(text, plusIsBlank), as: UTF8.self)
    }

    /// The same with bad UTF-8 repaired: where there is nobody to refuse to.
    static func decodeLeniently(_ text: Substring.UTF8View) -> String {
        decode(text, plusIsBlank: true) ?? String(decoding: decodedBytes(text, true), as: UTF8.self)
    }

    private static func decodedBytes(_ text: Substring.UTF8View, _ plusIsBlank: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index = text.index(after: index)
            if byte == UInt8(ascii: "%"), let second = text.index(index, offsetBy: 2, limitedBy: text.endIndex),
                let high = hexDigit(text[index]), let low = hexDigit(text[text.index(after: index)])
            {
                bytes.append(high << 4 | low)
                index = second
            } else {
                bytes.append(plusIsBlank && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return bytes
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Encodes everything but the unreserved characters of RFC 3986.
    package static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                encoded += hex.count == 1 ? "%0" + hex : "%" + hex
            }
        }
        return encoded
    }

    /// `a=1&b=2&`: names and values in order. Empty pieces are skipped; only the first `=` of a piece divides.
    package static func pairs(_ text: some StringProtocol) -> [(name: String, value: String)] {
        Substring(text).split(separator: "&").map { piece in
            let divider = piece.firstIndex(of: "=") ?? piece.endIndex
            let value = divider == piece.endIndex ? Substring() : piece[piece.index(after: divider)...]
            return (decodeLeniently(piece[..<divider].utf8), decodeLeniently(value.utf8))
        }
    }
}
