/// Collects the grams of texts in one pass and one buffer, one record after another: every write of a record passes here.
package struct GramWriter {
    private let limit: Int
    private var seen = GramSet()
    private var bytes: [UInt8] = []
    /// The last two scalars of the word being read, and how many it has so far.
    private var before: UInt32 = 0
    private var last: UInt32 = 0
    private var length = 0

    init(limit: Int) {
        self.limit = limit
        bytes.reserveCapacity(2_048)
    }

    package init() { self.init(limit: Grams.limit) }

    /// The grams of one record's texts, with a blank between each and the next, as an index takes them.
    package mutating func grams(of texts: [String]) -> String {
        seen.removeAll()
        bytes.removeAll(keepingCapacity: true)
        for text in texts { take(text) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func take(_ text: String) {
        var text = text
        let isTaken = text.withUTF8 { utf8 in
            guard utf8.allSatisfy({ $0 < 0x80 }) else { return false }
            for byte in utf8 {
                let isUpper = byte &- UInt8(ascii: "A") < 26
                take(
                    UInt32(isUpper ? byte | 0x20 : byte),
                    isPart: isUpper || byte &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10)
            }
            return true
        }
        if !isTaken { for scalar in TextFolding.fold(text).unicodeScalars { take(scalar.value, isPart: Self.isPart(scalar)) } }
        endWord()
    }

    private mutating func take(_ value: UInt32, isPart: Bool) {
        guard isPart else { return endWord() }
        length += 1
        if length >= 3 { add(before, last, value) }
        before = last
        last = value
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
        guard seen.count < limit, seen.insert(UInt64(first) << 42 | UInt64(second) << 21 | UInt64(third)) else { return }
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
