import Metadata
import SQLStore
import Wire

/// When a service is offered, as its record says. Contract: services, 143.
struct ServiceHours: Sendable {
    /// The days a service is offered on.
    enum Availability: String, CaseIterable, Sendable {
        case everyBusinessDay = "Every Business Days"
        case dateRange = "Specific Date Range"
        case dates = "Specific Date(s)"
        case weekdays = "Specific Day(s)"
    }

    let availability: Availability
    let dates: Set<Int>
    let weekdays: Set<Weekday>
    let from: Int?
    let till: Int?
    let timings: [Range<Int>]
    private let working: WorkingHours

    init?(_ service: Record, _ working: WorkingHours) {
        guard let availability = service["Availability_Type"].text.flatMap(Availability.init) else { return nil }
        self.availability = availability
        self.working = working
        dates = Set(service.list("Available_Dates").compactMap { $0.string.flatMap(CalendarDate.init)?.daysSinceEpoch })
        weekdays = Set(service.list("Available_Days").compactMap { $0.string.flatMap(Weekday.init) })
        from = service["Available_From"].text.flatMap(CalendarDate.init)?.daysSinceEpoch
        till = service["Available_Till"].text.flatMap(CalendarDate.init)?.daysSinceEpoch
        timings = service.list("Available_Timings").compactMap(Self.timing)
    }

    static func timing(_ value: JSONValue) -> Range<Int>? {
        guard let from = value["From"]?.string.flatMap(WallClock.minutes), let to = value["To"]?.string.flatMap(WallClock.minutes),
            from < to
        else { return nil }
        return from..<to
    }

    /// Whether the whole time lies in hours of the service; it may go over midnight once.
    func contains(_ start: Instant, _ end: Instant, _ zone: TimeZoneRule) -> Bool {
        Self.pieces(start, end, zone).allSatisfy { day, span in
            hours(of: day).contains { $0.lowerBound <= span.lowerBound && span.upperBound <= $0.upperBound }
        }
    }

    /// Whether the whole time lies in business hours.
    static func works(_ start: Instant, _ end: Instant, _ zone: TimeZoneRule, _ working: WorkingHours) -> Bool {
        pieces(start, end, zone).allSatisfy { day, span in
            working.span(onDay: day).map { $0.lowerBound <= span.lowerBound && span.upperBound <= $0.upperBound } ?? false
        }
    }

    private func hours(of day: Int) -> [Range<Int>] {
        let weekday = WallClock.weekday(day)
        let offered =
            switch availability {
            case .everyBusinessDay: working.span(onDay: day) != nil
            case .dateRange: (from.map { $0 <= day } ?? true) && (till.map { day <= $0 } ?? true) && working.span(onDay: day) != nil
            case .dates: dates.contains(day)
            case .weekdays: weekdays.contains(weekday)
            }
        guard offered else { return [] }
        return timings.isEmpty ? [working.span(weekday) ?? WorkingHours.wholeDay] : timings
    }

    static func pieces(_ start: Instant, _ end: Instant, _ zone: TimeZoneRule) -> [(Int, Range<Int>)] {
        let (first, last) = (WallClock(start, zone), WallClock(end, zone))
        if first.day == last.day { return [(first.day, first.minute..<max(last.minute, first.minute))] }
        let begin = (first.day, first.minute..<WallClock.minutesPerDay)
        return last.minute == 0 ? [begin] : [begin, (last.day, 0..<last.minute)]
    }
}

extension Record {
    /// The elements of a field that holds JSON.
    func list(_ name: String) -> [JSONValue] { self[name].text.flatMap { try? JSONValue.parse($0) }?.array ?? [] }
}
