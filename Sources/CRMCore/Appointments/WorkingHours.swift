import Metadata
import Wire

/// When the organisation works. Without a setting every hour of every day counts (`business-hours.md`, 95: none at first).
package struct WorkingHours: Sendable {
    package static let kind: Document.Kind = "business_hours"
    static let wholeDay = 0..<WallClock.minutesPerDay

    /// `nil` when nothing is set.
    private let spans: [Weekday: Range<Int>]?
    /// Days on which the organisation is closed all the same.
    private var closed: Set<Int> = []

    init(_ catalog: Catalog) {
        self.init(catalog.documents(Self.kind).first?.body)
        closed = Holiday.closedDays(catalog)
    }

    init(_ body: JSONValue?) {
        guard let body, let type = body["type"]?.string, type != "24_by_7", type != "24*7" else {
            spans = nil
            return
        }
        let days = (body["business_days"]?.array ?? []).compactMap { $0.string.flatMap(Weekday.init) }
        guard type == "custom" else {
            spans = Dictionary(days.map { ($0, Self.wholeDay) }, uniquingKeysWith: { first, _ in first })
            return
        }
        if body["same_as_everyday"]?.bool ?? true {
            let span = Self.span(body["daily_timing"]) ?? Self.wholeDay
            spans = Dictionary(days.map { ($0, span) }, uniquingKeysWith: { first, _ in first })
            return
        }
        let timings = (body["custom_timing"]?.array ?? []).compactMap { timing -> (Weekday, Range<Int>)? in
            guard let day = timing["days"]?.string.flatMap(Weekday.init), days.isEmpty || days.contains(day) else { return nil }
            return (day, Self.span(timing["business_timing"]) ?? Self.wholeDay)
        }
        spans = Dictionary(timings, uniquingKeysWith: { first, _ in first })
    }

    /// The hours of a day; `nil` when nobody works.
    func span(_ weekday: Weekday) -> Range<Int>? {
        guard let spans else { return Self.wholeDay }
        return spans[weekday]
    }

    /// The hours of one day of the calendar, holidays being none.
    func span(onDay day: Int) -> Range<Int>? { closed.contains(day) ? nil : span(WallClock.weekday(day)) }

    var workdays: [Weekday] { Weekday.allCases.filter { span($0) != nil } }

    private static func span(_ pair: JSONValue?) -> Range<Int>? {
        guard let ends = pair?.array, ends.count == 2, let from = ends[0].string.flatMap(WallClock.minutes),
            let to = ends[1].string.flatMap(WallClock.minutes), from < to
        else { return nil }
        return from..<to
    }
}
