/// The member names met so far in one text, by their bytes, so that a name is validated and allocated once. A name that
/// meets another in its slot takes its place.
struct JSONKeyTable {
    /// A member name, and the slot its bytes hash to.
    struct Key {
        let name: String
        let slot: Int
    }

    /// Names written with escapes are rare and are not kept; they share a slot.
    static let slotOfEscaped = 0
    static let slotCount = 256

    /// Both are empty until the first name is kept.
    private var bytes: [UnsafeBufferPointer<UInt8>] = []
    private var names: [String] = []

    /// Depends on the length and on the first and last eight bytes.
    static func slot(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
        guard let start = bytes.baseAddress else { return 0 }
        // Multiplying by the golden ratio spreads all bits into the highest, which are taken.
        let goldenRatio: UInt64 = 0x9E37_79B9_7F4A_7C15
        var hash = UInt64(truncatingIfNeeded: bytes.count)
        if bytes.count >= 8 {
            hash ^= ByteWord(start, at: 0).bits &* goldenRatio
            hash ^= ByteWord(start, at: bytes.count - 8).bits
        } else {
            for byte in bytes { hash = hash << 8 ^ UInt64(byte) }
        }
        return Int(truncatingIfNeeded: (hash &* goldenRatio) >> 56)
    }

    func name(_ name: UnsafeBufferPointer<UInt8>, slot: Int) -> String? {
        guard !bytes.isEmpty, ByteWord.same(bytes[slot], name) else { return nil }
        return names[slot]
    }

    /// The bytes must stay where they are while the table is in use.
    mutating func remember(_ name: String, _ nameBytes: UnsafeBufferPointer<UInt8>, slot: Int) {
        if bytes.isEmpty {
            bytes = Array(repeating: UnsafeBufferPointer(start: nil, count: 0), count: Self.slotCount)
            names = Array(repeating: "", count: Self.slotCount)
        }
        bytes[slot] = nameBytes
        names[slot] = name
    }
}
