/// Writes date and time texts from left to right, into memory with room for `capacity` bytes.
struct DigitWriter {
    /// Enough for the farthest year that fits an instant.
    static let capacity = 40

    private let target: UnsafeMutablePointer<UInt8>
    private(set) var count = 0

    init(_ target: UnsafeMutablePointer<UInt8>) {
        self.target = target
    }

    mutating func put(_ character: Unicode.Scalar) {
        target[count] = UInt8(truncatingIfNeeded: character.value)
        count += 1
    }

    /// Two digits of a value below 100.
    mutating func pair(_ value: Int) {
        target[count] = UInt8(ascii: "0") + UInt8(value / 10)
        target[count + 1] = UInt8(ascii: "0") + UInt8(value % 10)
        count += 2
    }

    /// `yyyy-MM-dd`; years beyond four digits take more.
    mutating func day(_ day: CivilDay) {
        if day.year < 0 { put("-") }
        let year = Int(day.year.magnitude)
        var beyond = 10_000
        while year / beyond > 0 { beyond *= 10 }
        while beyond > 10_000 {
            beyond /= 10
            target[count] = UInt8(ascii: "0") + UInt8(year / beyond % 10)
            count += 1
        }
        pair(year / 100 % 100)
        pair(year % 100)
        put("-")
        pair(day.month)
        put("-")
        pair(day.day)
    }

    /// `yyyy-MM-ddTHH:mm:ss+HH:mm`.
    mutating func instant(_ instant: Instant, offsetMinutes: Int) {
        let (days, second) = instant.localSeconds(offsetMinutes: offsetMinutes).flooredDivision(by: 86400)
        day(CivilDay(daysSinceEpoch: days))
        put("T")
        pair(second / 3600)
        put(":")
        pair(second / 60 % 60)
        put(":")
        pair(second % 60)
        put(offsetMinutes < 0 ? "-" : "+")
        let offset = Int(Instant.possibleOffset(offsetMinutes).magnitude)
        pair(offset / 60)
        put(":")
        pair(offset % 60)
    }
}
