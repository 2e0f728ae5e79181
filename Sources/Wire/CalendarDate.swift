/// A day without time or zone: the `date` of records, `yyyy-MM-dd`.
package struct CalendarDate: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let iso: String

    /// Nil unless the text is `yyyy-MM-dd` and names a real day.
    package init?(_ iso: String) {
        var reader = DigitReader(iso)
        guard reader.day() != nil, reader.isAtEnd else { return nil }
        self.iso = iso
    }

    /// Days since 1970-01-01. Nil outside the years 0000 to 9999, which the format cannot show.
    package init?(daysSinceEpoch days: Int) {
        guard Self.shownDays.contains(days) else { return nil }
        iso = String(unsafeUninitializedCapacity: DigitWriter.capacity) { buffer in
            guard let target = buffer.baseAddress else { return 0 }
            var writer = DigitWriter(target)
            writer.day(CivilDay(daysSinceEpoch: days))
            return writer.count
        }
    }

    package var daysSinceEpoch: Int {
        var reader = DigitReader(iso)
        // Read once already, when the date was made.
        return reader.day()?.daysSinceEpoch ?? 0
    }

    // Four-digit years make the order of the texts the order of the days.
    package static func < (left: CalendarDate, right: CalendarDate) -> Bool { left.iso < right.iso }

    package var description: String { iso }

    /// From 0000-01-01 to 9999-12-31.
    /// The years 0 to 9999.
    package static let shownDays = -719_528...2_932_896
}
