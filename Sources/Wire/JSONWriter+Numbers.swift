extension JSONWriter {
    package mutating func integer(_ value: Int64) {
        beginValue(20)
        if value < 0 { put(UInt8(ascii: "-")) }
        putDigits(value.magnitude)
    }

    /// Counts and page numbers.
    package mutating func integer(_ value: Int) {
        integer(Int64(value))
    }

    /// A number as a string, as ids are written.
    package mutating func digits(_ value: Int64) {
        beginValue(22)
        put(UInt8(ascii: "\""))
        if value < 0 { put(UInt8(ascii: "-")) }
        putDigits(value.magnitude)
        put(UInt8(ascii: "\""))
    }

    /// The shortest text that reads back as the same value; null when it is infinite or not a number.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        let magnitude = abs(value)
        // Amounts of money. An integer over 100 is divided exactly rounded, and texts of up to 15 digits are all
        // different doubles, so equality proves the text the shortest.
        let hundredths = (magnitude * 100).rounded()
        guard hundredths < 1e15, hundredths / 100 == magnitude else {
            let text = JSONNumber.text(of: value)
            return withBytes(of: text) { writer, bytes in writer.raw(bytes) }
        }
        let (whole, rest) = UInt64(hundredths).quotientAndRemainder(dividingBy: 100)
        beginValue(24)
        if value < 0 { put(UInt8(ascii: "-")) }
        putDigits(whole)
        guard rest > 0 else { return }
        put(UInt8(ascii: "."))
        put(UInt8(ascii: "0") &+ UInt8(rest / 10))
        if rest % 10 > 0 { put(UInt8(ascii: "0") &+ UInt8(rest % 10)) }
    }

    /// Decimal digits, written from the last one back. Needs room for 20.
    private mutating func putDigits(_ value: UInt64) {
        let width = Self.digitCount(value)
        var position = length &+ width
        var rest = value
        repeat {
            position &-= 1
            base[position] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        length &+= width
    }

    private static func digitCount(_ value: UInt64) -> Int {
        var count = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            count &+= 1
        }
        return count
    }
}
