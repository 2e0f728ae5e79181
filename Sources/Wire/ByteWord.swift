/// Eight bytes of a text looked at together.
struct ByteWord {
    /// In the order of memory: the first byte is the lowest on the little-endian machines we run on.
    let bits: UInt64

    /// The eight bytes from there on must be readable.
    @inline(__always)
    init(_ base: UnsafeRawPointer, at offset: Int) {
        bits = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    /// How many bytes, from the first on, may stand in a JSON string as they are: 0 to 8.
    ///
    /// A borrow can mark bytes falsely, but only above one marked rightly; the lowest mark is always true.
    @inline(__always)
    var plainCount: Int {
        let word = UInt64(littleEndian: bits)
        let quote = word ^ 0x2222_2222_2222_2222
        let backslash = word ^ 0x5C5C_5C5C_5C5C_5C5C
        let marks =
            ((word &- 0x2020_2020_2020_2020) & ~word)
            | ((quote &- 0x0101_0101_0101_0101) & ~quote)
            | ((backslash &- 0x0101_0101_0101_0101) & ~backslash)
        return (marks & 0x8080_8080_8080_8080).trailingZeroBitCount >> 3
    }

    /// Whether the byte may not stand in a JSON string as it is.
    @inline(__always)
    static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// Whether two texts are the same, byte by byte.
    static func same(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        guard let leftStart = left.baseAddress, let rightStart = right.baseAddress else { return left.isEmpty }
        var position = 0
        while position &+ 8 <= left.count {
            guard ByteWord(leftStart, at: position).bits == ByteWord(rightStart, at: position).bits else { return false }
            position &+= 8
        }
        while position < left.count {
            guard leftStart[position] == rightStart[position] else { return false }
            position &+= 1
        }
        return true
    }
}
