import Wire

/// A moment as the clocks of a zone show it: a day and a minute of it.
struct WallClock: Sendable, Equatable {
    static let minutesPerDay = 1_440

    /// Days since 1970-01-01.
    let day: Int
    /// From 0 at midnight.
    let minute: Int

    init(_ instant: Instant, _ zone: TimeZoneRule) {
        let minutes = (instant.milliseconds + Int64(zone.offsetMinutes(at: instant)) * 60_000) / 60_000
        // Appointments before 1970 are none of this world's.
        day = Int(max(minutes, 0)) / Self.minutesPerDay
        minute = Int(max(minutes, 0)) % Self.minutesPerDay
    }

    static func weekday(_ day: Int) -> Weekday {
        // 1970-01-01 was a Thursday.
        Weekday.allCases[((day + 4) % 7 + 7) % 7]
    }

    /// `HH:mm`, up to 24:00, as minutes of the day. The vendor's Python client writes ten o'clock as `10:0`.
    static func minutes(_ text: String) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.utf8.count) && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour < 24 || (hour == 24 && minute == 0)
        else { return nil }
        return hour * 60 + minute
    }

    /// Minutes of the day as `HH:mm`.
    static func text(_ minutes: Int) -> String {
        let (hour, minute) = minutes.quotientAndRemainder(dividingBy: 60)
        return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
    }
}

/// The days of a week as settings and services name them.
package enum Weekday: String, CaseIterable, Sendable {
    case sunday = "Sunday"
    case monday = "Monday"
    case tuesday = "Tuesday"
    case wednesday = "Wednesday"
    case thursday = "Thursday"
    case friday = "Friday"
    case saturday = "Saturday"
}
