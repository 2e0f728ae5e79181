import Wire

/// When a backup repeats: the part of RFC 5545 that the API takes. Contract: data-backup, 239.
package struct BackupRule: Sendable, Equatable {
    package enum Days: Sendable, Equatable {
        /// Every so many weeks on a day of the week, Monday being 0.
        case weekly(day: Int)
        /// Every so many months on the first, second … of a day of the week.
        case monthlyByWeek(nth: Int, day: Int)
        /// Every so many months on a day of the month. Months that have no such day are left out, as the RFC says.
        case monthlyByDay(Int)
    }

    private static let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    /// At night, when few write.
    private static let minuteOfDay = 2 * 60

    package let text: String
    package let days: Days
    package let interval: Int

    /// Such as `RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU`; nil for anything else.
    package init?(_ text: String) {
        guard text.hasPrefix("RRULE:"), text.utf8.count <= 200 else { return nil }
        var parts: [String: String] = [:]
        for part in text.dropFirst(6).split(separator: ";", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2, parts.updateValue(sides[1], forKey: sides[0]) == nil else { return nil }
        }
        guard let frequency = parts.removeValue(forKey: "FREQ"), let interval = Self.number(parts.removeValue(forKey: "INTERVAL"), 1...52),
            parts.count == 1, let (name, value) = parts.first
        else { return nil }
        switch (frequency, name) {
        case ("WEEKLY", "BYDAY"):
            guard let day = Self.names.firstIndex(of: value) else { return nil }
            days = .weekly(day: day)
        case ("MONTHLY", "BYDAY"):
            guard let nth = Self.number(String(value.prefix(1)), 1...5), let day = Self.names.firstIndex(of: String(value.dropFirst()))
            else {
                return nil
            }
            days = .monthlyByWeek(nth: nth, day: day)
        case ("MONTHLY", "BYMONTHDAY"):
            guard let day = Self.number(value, 1...31) else { return nil }
            days = .monthlyByDay(day)
        default: return nil
        }
        self.text = text
        self.interval = interval
    }

    private static func number(_ text: String?, _ range: ClosedRange<Int>) -> Int? {
        guard let text, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), range.contains(number) else {
            return nil
        }
        return number
    }

    /// What the history calls it: `weekly`, `biweekly` or `monthly`.
    package var repeatType: String {
        switch days {
        case .weekly: interval == 2 ? "biweekly" : "weekly"
        case .monthlyByWeek, .monthlyByDay: "monthly"
        }
    }

    /// The first time after `moment`. Intervals are counted from the first run, when there was one.
    package func next(after moment: Instant, first: Instant?, zone: TimeZoneRule) -> Instant? {
        func day(of instant: Instant) -> Int { instant.date(offsetMinutes: zone.offsetMinutes(at: instant))?.daysSinceEpoch ?? 0 }
        let today = day(of: moment)
        let anchor = first.map(day)
        // 52 months, and once more for months without the day.
        for candidate in today...(today + 53 * 31 * 12) where falls(on: candidate, anchor: anchor) {
            let instant = Self.instant(day: candidate, zone)
            if instant > moment { return instant }
        }
        return nil
    }

    private func falls(on day: Int, anchor: Int?) -> Bool {
        guard let date = CalendarDate(daysSinceEpoch: day) else { return false }
        // 1970-01-01 was a Thursday.
        let weekday = ((day + 3) % 7 + 7) % 7
        switch days {
        case .weekly(let wanted):
            guard weekday == wanted else { return false }
            return anchor.map { (day - $0) % (7 * interval) == 0 } ?? true
        case .monthlyByWeek(let nth, let wanted):
            return weekday == wanted && (date.dayOfMonth - 1) / 7 == nth - 1 && isTurn(date, anchor)
        case .monthlyByDay(let wanted):
            return date.dayOfMonth == wanted && isTurn(date, anchor)
        }
    }

    private func isTurn(_ date: CalendarDate, _ anchor: Int?) -> Bool {
        guard let anchor, let first = CalendarDate(daysSinceEpoch: anchor) else { return true }
        return (date.monthNumber - first.monthNumber) % interval == 0
    }

    /// Two in the morning, or an hour later on a day whose clocks go forward then.
    private static func instant(day: Int, _ zone: TimeZoneRule) -> Instant {
        let local = Int64(day) * 86_400_000 + Int64(minuteOfDay) * 60_000
        let guess = Instant(milliseconds: local - Int64(zone.offsetMinutes(at: Instant(milliseconds: local))) * 60_000)
        return Instant(milliseconds: local - Int64(zone.offsetMinutes(at: guess)) * 60_000)
    }
}

extension CalendarDate {
    fileprivate var dayOfMonth: Int { Int(iso.suffix(2)) ?? 1 }
    /// Months since the year 0.
    fileprivate var monthNumber: Int { (Int(iso.prefix(4)) ?? 0) * 12 + (Int(iso.dropFirst(5).prefix(2)) ?? 1) - 1 }
}
