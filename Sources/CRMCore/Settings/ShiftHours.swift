import Metadata
import Wire

/// A shift: when those who are in it work, by the clocks of its zone. Contract: shift-hours, 106 to 109.
package struct ShiftHours: Sendable {
    package static let kind: Document.Kind = "shift_hours"
    package static let limit = 50

    struct Person: Sendable {
        let user: UserID
        /// From this day on, where one is given.
        let from: Int?
    }

    let id: RecordID
    let zone: TimeZoneRule?
    let spans: [Weekday: Range<Int>]
    let breaks: [Weekday: [Range<Int>]]
    let people: [Person]

    package init(_ document: Document) { self.init(document.id, document.body) }

    init(_ id: RecordID, _ body: JSONValue) {
        self.id = id
        zone = body["timezone"]?.string.flatMap(TimeZoneRule.init(identifier:))
        let days = Self.days(body["shift_days"])
        spans = Self.spans(body, days, "shift_timing")
        var breaks: [Weekday: [Range<Int>]] = [:]
        for pause in body["break_hours"]?.array ?? [] {
            for (day, span) in Self.spans(pause, Self.days(pause["break_days"]), "break_timing") { breaks[day, default: []].append(span) }
        }
        self.breaks = breaks
        people = (body["users"]?.array ?? []).compactMap { entry in
            entry["id"]?.looseInt64.map { raw in
                Person(user: UserID(raw: raw), from: entry["effective_from"]?.string.flatMap(CalendarDate.init)?.daysSinceEpoch)
            }
        }
    }

    private static func days(_ stored: JSONValue?) -> [Weekday] { (stored?.array ?? []).compactMap { $0.string.flatMap(Weekday.init) } }

    private static func spans(_ body: JSONValue, _ days: [Weekday], _ key: String) -> [Weekday: Range<Int>] {
        let pairs: [(Weekday, Range<Int>)] =
            body["same_as_everyday"]?.bool == true
            ? DayTiming.span(body["daily_timing"]).map { span in days.map { ($0, span) } } ?? []
            : (body["custom_timing"]?.array ?? []).compactMap { entry in
                guard let day = entry["days"]?.string.flatMap(Weekday.init), let span = DayTiming.span(entry[key]) else { return nil }
                return (day, span)
            }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// Whether every day of the shift is worked, for all of it.
    func lies(inside hours: WorkingHours) -> Bool {
        spans.allSatisfy { day, span in
            hours.span(day).map { $0.lowerBound <= span.lowerBound && span.upperBound <= $0.upperBound } ?? false
        }
    }

    /// The shift somebody works in at a moment; `nil` for who is in none.
    static func of(_ user: UserID, at moment: Instant, _ catalog: Catalog) -> ShiftHours? {
        catalog.documents(kind).map { ShiftHours($0) }.first { shift in
            let day = WallClock(moment, shift.zone ?? catalog.zone).day
            return shift.people.contains { $0.user == user && ($0.from ?? 0) <= day }
        }
    }

    /// Whether the whole time is worked: inside the shift, outside its breaks, on no holiday of it.
    func covers(_ start: Instant, _ end: Instant, _ catalog: Catalog) -> Bool {
        let holidays = Set(Holiday.dates(of: id, catalog))
        return ServiceHours.pieces(start, end, zone ?? catalog.zone).allSatisfy { day, span in
            let weekday = WallClock.weekday(day)
            guard !holidays.contains(day), let worked = spans[weekday] else { return false }
            return worked.lowerBound <= span.lowerBound && span.upperBound <= worked.upperBound
                && !(breaks[weekday] ?? []).contains { $0.overlaps(span) }
        }
    }
}
