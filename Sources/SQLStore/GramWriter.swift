/// Collects the grams of texts in one pass and one buffer: every write of a record passes here.
struct GramWriter {
    private let limit: Int
    /// Each gram as a number: 21 bits for each of its scalars.
    private var seen = Set<UInt64>(minimumCapacity: 512)
    private var bytes: [UInt8] = []
    /// The last two scalars of the word being read, and how many it has so far.
    private var before: UInt32 = 0
    private var last: UInt32 = 0
    private var length = 0

    init(limit: Int) {
        self.limit = limit
        bytes.reserveCapacity(2_048)
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    mutating func take(_ text: String) {
        for scalar in text.unicodeScalars {
            guard Self.isPart(scalar) else {
                endWord()
                continue
            }
            length += 1
            if length >= 3 { add(before, last, scalar.value) }
            before = last
            last = scalar.value
        }
        endWord()
    }

    /// Letters and digits make words; anything else parts them.
    static func isPart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0..<0x80: false
        default: scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        }
    }

    private mutating func endWord() {
        if length > 0 { add(0, length > 1 ? before : 0, last) }
        before = 0
        last = 0
        length = 0
    }

    private mutating func add(_ first: UInt32, _ second: UInt32, _ third: UInt32) {
        guard seen.count < limit, seen.insert(UInt64(first) << 42 | UInt64(second) << 21 | UInt64(third)).inserted else { return }
        if !bytes.isEmpty { bytes.append(UInt8(ascii: " ")) }
        if first != 0 { append(first) }
        if second != 0 { append(second) }
        append(third)
    }

    private mutating func append(_ value: UInt32) {
        if value < 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value))
        } else if let scalar = Unicode.Scalar(value), let encoded = UTF8.encode(scalar) {
            bytes.append(contentsOf: encoded)
        }
    }
}
