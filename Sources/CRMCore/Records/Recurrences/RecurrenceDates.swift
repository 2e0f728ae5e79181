import Wire

/// The days a recurrence falls on, counted from that of the activity that repeats: the parts of RFC 5545 that calendars write.
/// A pure value; at most some years ahead are looked at, a day at a time.
struct RecurrenceDates: Sendable {
    private enum Frequency: String {
        case daily = "DAILY"
        case weekly = "WEEKLY"
        case monthly = "MONTHLY"
        case yearly = "YEARLY"
    }

    private struct Weekday {
        /// Monday is 0.
        let day: Int
        /// The first, second … of its month, from the end where negative; 0 is every one.
        let nth: Int
    }

    private static let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    /// An end further away than this is not reached; without an end nobody can have meant more than a year.
    private static let longestDays = 10 * 366, endlessDays = 366

    private let start: CalendarDate
    private let frequency: Frequency
    private let interval: Int
    private let count: Int?
    private let last: CalendarDate?
    private let weekdays: [Weekday]
    private let monthDays: [Int]
    private let months: [Int]
    private let positions: [Int]
    private let excluded: Set<CalendarDate>

    /// `nil` for what is no rule, or has parts that are not carried out here (BYYEARDAY, BYWEEKNO).
    init?(_ rule: String, except: String? = nil, from start: CalendarDate) {
        var parts: [String: String] = [:]
        for part in rule.split(separator: ";") {
            let sides = part.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
            guard sides.count == 2 else { return nil }
            parts[sides[0].uppercased()] = sides[1].uppercased()
        }
        guard let frequency = parts["FREQ"].flatMap(Frequency.init), parts["BYYEARDAY"] == nil, parts["BYWEEKNO"] == nil,
            let interval = Int(parts["INTERVAL"] ?? "1"), interval > 0
        else { return nil }
        func numbers(_ key: String, _ range: ClosedRange<Int>) -> [Int]? {
            let texts = parts[key]?.split(separator: ",") ?? []
            let numbers = texts.compactMap { Int($0) }.filter { $0 != 0 && range.contains($0) }
            return numbers.count == texts.count ? numbers : nil
        }
        guard let monthDays = numbers("BYMONTHDAY", -31...31), let months = numbers("BYMONTH", 1...12),
            let positions = numbers("BYSETPOS", -366...366), let weekdays = Self.weekdays(parts["BYDAY"])
        else { return nil }
        if let text = parts["UNTIL"], Self.date(text) == nil { return nil }
        self.start = start
        self.frequency = frequency
        self.interval = interval
        count = parts["COUNT"].flatMap(Int.init)
        last = parts["UNTIL"].flatMap(Self.date)
        self.weekdays = weekdays
        self.monthDays = monthDays
        self.months = months
        self.positions = positions
        excluded = Set((except ?? "").split(separator: ",").compactMap { Self.date(String($0)) })
    }

    /// Behind the first, in their order.
    func following(limit: Int) -> [CalendarDate] {
        let first = start.daysSinceEpoch
        let isEndless = count == nil && last == nil
        // What comes once a year needs some years to come at all.
        let reach = isEndless && frequency != .yearly ? Self.endlessDays : Self.longestDays
        let end = min(last?.daysSinceEpoch ?? .max, first + reach)
        let most = min(limit, count.map { $0 - 1 } ?? .max, isEndless && frequency == .yearly ? 5 : .max)
        guard most > 0, end > first else { return [] }
        var found: [CalendarDate] = []
        var counted = 0
        for day in (first + 1)...end where counted < most {
            guard let date = CalendarDate(daysSinceEpoch: day), falls(on: date) else { continue }
            // What is left out counts all the same, as in calendars.
            counted += 1
            if !excluded.contains(date) { found.append(date) }
        }
        return found
    }

    private func falls(on date: CalendarDate) -> Bool {
        guard isTurn(date), isCandidate(date) else { return false }
        guard !positions.isEmpty else { return true }
        let set = candidates(around: date)
        guard let place = set.firstIndex(of: date) else { return false }
        return positions.contains(place + 1) || positions.contains(place - set.count)
    }

    private func isTurn(_ date: CalendarDate) -> Bool {
        let (day, first) = (date.daysSinceEpoch, start.daysSinceEpoch)
        switch frequency {
        case .daily: return (day - first) % interval == 0
        // Weeks begin on Monday.
        case .weekly: return ((day - date.weekday) - (first - start.weekday)) / 7 % interval == 0
        case .monthly: return (date.monthNumber - start.monthNumber) % interval == 0
        case .yearly: return (date.year - start.year) % interval == 0
        }
    }

    /// Whether the day is one of those the parts name, whatever its turn.
    private func isCandidate(_ date: CalendarDate) -> Bool {
        let length = date.monthLength
        if !months.isEmpty { guard months.contains(date.month) else { return false } }
        if !monthDays.isEmpty {
            guard monthDays.contains(date.dayOfMonth) || monthDays.contains(date.dayOfMonth - length - 1) else { return false }
        }
        if !weekdays.isEmpty {
            let nth = (date.dayOfMonth - 1) / 7 + 1
            let fromEnd = -((length - date.dayOfMonth) / 7 + 1)
            return weekdays.contains { $0.day == date.weekday && ($0.nth == 0 || $0.nth == nth || $0.nth == fromEnd) }
        }
        switch frequency {
        case .daily: return true
        case .weekly: return date.weekday == start.weekday
        case .monthly: return !monthDays.isEmpty || date.dayOfMonth == start.dayOfMonth
        case .yearly:
            return (!months.isEmpty || date.month == start.month) && (!monthDays.isEmpty || date.dayOfMonth == start.dayOfMonth)
        }
    }

    /// The candidates of the day's own week, month or year.
    private func candidates(around date: CalendarDate) -> [CalendarDate] {
        let day = date.daysSinceEpoch
        let span: ClosedRange<Int> =
            switch frequency {
            case .daily: day...day
            case .weekly: (day - date.weekday)...(day - date.weekday + 6)
            case .monthly: (day - date.dayOfMonth + 1)...(day - date.dayOfMonth + date.monthLength)
            case .yearly: (day - 366)...(day + 366)
            }
        return span.compactMap { CalendarDate(daysSinceEpoch: $0) }.filter {
            (frequency != .yearly || $0.year == date.year) && isCandidate($0)
        }
    }

    private static func weekdays(_ text: String?) -> [Weekday]? {
        var found: [Weekday] = []
        for part in text?.split(separator: ",") ?? [] {
            let number = part.dropLast(2)
            guard let day = names.firstIndex(of: String(part.suffix(2))), let nth = number.isEmpty ? 0 : Int(number) else { return nil }
            found.append(Weekday(day: day, nth: nth))
        }
        return found
    }

    /// `2090-02-01`, `20900201`, either with a time behind it.
    private static func date(_ text: String) -> CalendarDate? {
        let digits = text.prefix { $0 != "T" }.filter { $0 != "-" }
        guard digits.count == 8 else { return nil }
        return CalendarDate("\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))")
    }
}

extension CalendarDate {
    /// Monday is 0; 1970-01-01 was a Thursday.
    fileprivate var weekday: Int { ((daysSinceEpoch + 3) % 7 + 7) % 7 }
    fileprivate var year: Int { Int(iso.prefix(4)) ?? 0 }
    fileprivate var month: Int { Int(iso.dropFirst(5).prefix(2)) ?? 1 }
    fileprivate var dayOfMonth: Int { Int(iso.suffix(2)) ?? 1 }
    fileprivate var monthNumber: Int { year * 12 + month - 1 }
    fileprivate var monthLength: Int {
        [31, year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }
}
