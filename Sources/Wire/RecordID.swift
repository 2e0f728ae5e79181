/// The id of anything: a 64-bit number inside, a string of digits on the wire.
package struct RecordID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let raw: Int64

    package init(raw: Int64) {
        self.raw = raw
    }

    /// From 1 to 19 ASCII digits that fit 64 bits; no sign, no blanks.
    package init?(_ text: some StringProtocol) {
        var value: Int64 = 0
        var count = 0
        for byte in text.utf8 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), count < 19 else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(Int64(byte &- UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
            count += 1
        }
        guard count > 0 else { return nil }
        self.raw = value
    }

    package static func < (left: RecordID, right: RecordID) -> Bool { left.raw < right.raw }

    package var description: String { String(raw) }
}
