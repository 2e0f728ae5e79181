/// Text without letter case: each scalar's lower-case mapping, and the final sigma as the plain one.
///
/// PostgreSQL gets the same from ICU's `lower` (which alone would end Greek words in a final sigma). The conformance
/// suite compares the two over a table of characters.
package enum TextFolding {
    package static func fold(_ text: String) -> String {
        var text = text
        if let folded = text.withUTF8({ fold($0) }) { return String(decoding: folded, as: UTF8.self) }
        return text
    }

    /// Nil when the text is its own folded form, which is the common case and costs no memory.
    static func fold(_ utf8: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var changes = false
        var ascii = true
        for byte in utf8 {
            if byte >= 0x80 {
                ascii = false
                break
            }
            if isUpper(byte) { changes = true }
        }
        if ascii {
            return changes ? utf8.map { isUpper($0) ? $0 | 0x20 : $0 } : nil
        }
        var folded: [UInt8] = []
        folded.reserveCapacity(utf8.count + 8)
        for scalar in String(decoding: utf8, as: UTF8.self).unicodeScalars { append(scalar, to: &folded) }
        return folded
    }

    private static func append(_ scalar: Unicode.Scalar, to folded: inout [UInt8]) {
        if scalar.isASCII {
            let byte = UInt8(truncatingIfNeeded: scalar.value)
            folded.append(isUpper(byte) ? byte | 0x20 : byte)
        } else if scalar == "\u{3C2}" {
            folded += [0xCF, 0x83]  // U+03C3
        } else if scalar.properties.changesWhenLowercased {
            folded.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
        } else if let encoded = UTF8.encode(scalar) {
            folded.append(contentsOf: encoded)
        }
    }

    private static func isUpper(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "A") < 26 }
}

/// All texts that start with a prefix, as a range of the byte order.
struct PrefixRange {
    let lowest: String
    /// The first text after all of them; nil when there is none.
    let above: String?

    init(_ prefix: String) {
        lowest = prefix
        var scalars = Array(prefix.unicodeScalars)
        var next: Unicode.Scalar?
        while next == nil, let last = scalars.popLast() {
            // D800 to DFFF are no scalars; after the last scalar of all, the one before it moves on.
            next = Unicode.Scalar(last.value == 0xD7FF ? 0xE000 : last.value + 1)
        }
        guard let next else {
            above = nil
            return
        }
        var text = String.UnicodeScalarView(scalars)
        text.append(next)
        above = String(text)
    }
}
