extension JSONWriter {
    package mutating func string(_ text: String) {
        withBytes(of: text) { writer, bytes in writer.text(bytes) }
    }

    /// A string from its bytes, which must be UTF-8. The driver's column bytes go straight to the answer this way.
    package mutating func text(_ utf8: UnsafeBufferPointer<UInt8>) {
        // Room for the text, its quotes, and the bytes that `copyPlain` may write beyond its end.
        beginValue(utf8.count &+ 2 &+ 8)
        put(UInt8(ascii: "\""))
        if let start = utf8.baseAddress {
            var position = 0
            while true {
                position = copyPlain(start, from: position, to: utf8.count)
                if position == utf8.count { break }
                putEscaped(start[position])
                position &+= 1
                reserve(utf8.count &- position &+ 1 &+ 8)
            }
        }
        put(UInt8(ascii: "\""))
    }

    /// Copies up to the first byte that needs an escape, eight at a time, and returns where it stopped. Needs room for
    /// the rest of the text and eight bytes more.
    private mutating func copyPlain(_ start: UnsafePointer<UInt8>, from: Int, to end: Int) -> Int {
        let source = UnsafeRawPointer(start)
        let target = UnsafeMutableRawPointer(base)
        var position = from
        while position &+ 8 <= end {
            let word = ByteWord(source, at: position)
            target.storeBytes(of: word.bits, toByteOffset: length, as: UInt64.self)
            let plain = word.plainCount
            position &+= plain
            length &+= plain
            if plain < 8 { return position }
        }
        while position < end, !ByteWord.needsEscape(start[position]) {
            put(start[position])
            position &+= 1
        }
        return position
    }

    private mutating func putEscaped(_ byte: UInt8) {
        // The longest escape has six bytes.
        reserve(6)
        put(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): put(byte)
        case 0x08: put(UInt8(ascii: "b"))
        case 0x09: put(UInt8(ascii: "t"))
        case 0x0A: put(UInt8(ascii: "n"))
        case 0x0C: put(UInt8(ascii: "f"))
        case 0x0D: put(UInt8(ascii: "r"))
        default:
            put(UInt8(ascii: "u"))
            put(UInt8(ascii: "0"))
            put(UInt8(ascii: "0"))
            put(UInt8(ascii: "0") &+ byte >> 4)
            put(Self.hexDigit(byte & 0x0F))
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10
    }

    /// The bytes of a text, without a copy where they lie together (always, on Linux).
    mutating func withBytes(of text: String, _ body: (inout JSONWriter, UnsafeBufferPointer<UInt8>) -> Void) {
        var text = text
        text.withUTF8 { body(&self, $0) }
    }
}
