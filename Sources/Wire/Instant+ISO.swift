extension Instant {
    /// `yyyy-MM-ddTHH:mm:ss`, perhaps a fraction, then `Z`, `+HH:mm` or `+HHmm`. Nil for anything else, and for days,
    /// hours and offsets that do not exist. Finer than a millisecond is cut off.
    package init?(iso text: String) {
        var reader = DigitReader(text)
        guard let day = reader.day(), reader.take("T"),
            let hour = reader.digits(2, in: 0...23), reader.take(":"),
            let minute = reader.digits(2, in: 0...59), reader.take(":"),
            let second = reader.digits(2, in: 0...59),
            let fraction = reader.milliseconds(),
            let offset = reader.offsetMinutes(), reader.isAtEnd
        else { return nil }
        let seconds = day.daysSinceEpoch * 86400 + hour * 3600 + (minute - offset) * 60 + second
        self.init(milliseconds: Int64(seconds) * 1000 + Int64(fraction))
    }

    /// `yyyy-MM-ddTHH:mm:ss+HH:mm` as clocks with that offset show it. Records show no fraction.
    package func iso(offsetMinutes: Int) -> String {
        String(unsafeUninitializedCapacity: DigitWriter.capacity) { buffer in
            guard let target = buffer.baseAddress else { return 0 }
            var writer = DigitWriter(target)
            writer.instant(self, offsetMinutes: offsetMinutes)
            return writer.count
        }
    }

    /// The day that clocks with that offset show. Nil outside the years 0000 to 9999.
    package func date(offsetMinutes: Int) -> CalendarDate? {
        CalendarDate(daysSinceEpoch: localSeconds(offsetMinutes: offsetMinutes).flooredDivision(by: 86400).quotient)
    }

    /// Seconds since 1970-01-01T00:00:00 as clocks with that offset count them.
    func localSeconds(offsetMinutes: Int) -> Int {
        Int(milliseconds.flooredDivision(by: 1000).quotient) + Self.possibleOffset(offsetMinutes) * 60
    }

    /// No zone on earth is further off than 14 hours; 18 is what ISO libraries allow. Keeps the arithmetic in bounds.
    static func possibleOffset(_ minutes: Int) -> Int {
        min(max(minutes, -largestOffset), largestOffset)
    }

    fileprivate static let largestOffset = 18 * 60
}

extension DigitReader {
    /// A point and 1 to 9 digits, in milliseconds; 0 when there is no point.
    fileprivate mutating func milliseconds() -> Int? {
        guard take(".") else { return 0 }
        var value = 0
        var weight = 100
        var count = 0
        while let digit = digits(1) {
            value += digit * weight
            weight /= 10
            count += 1
        }
        return (1...9).contains(count) ? value : nil
    }

    /// `Z`, `+HH:mm` or `+HHmm`.
    fileprivate mutating func offsetMinutes() -> Int? {
        if take("Z") { return 0 }
        let negative = take("-")
        guard negative || take("+"), let hours = digits(2) else { return nil }
        _ = take(":")
        guard let minutes = digits(2, in: 0...59), hours * 60 + minutes <= Instant.largestOffset else { return nil }
        return negative ? -(hours * 60 + minutes) : hours * 60 + minutes
    }
}
