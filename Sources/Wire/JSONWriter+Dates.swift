extension JSONWriter {
    /// A date and time as records show it, without a text in between: pages hold hundreds of them.
    package mutating func instant(_ instant: Instant, offsetMinutes: Int) {
        beginValue(DigitWriter.capacity &+ 2)
        put(UInt8(ascii: "\""))
        var writer = DigitWriter(base + length)
        writer.instant(instant, offsetMinutes: offsetMinutes)
        length &+= writer.count
        put(UInt8(ascii: "\""))
    }
}
