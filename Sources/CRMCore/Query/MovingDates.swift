import Metadata
import Wire

/// The days that names such as `${TODAY}` and `${LASTWEEK}` stand for, as the clocks of one zone show them now.
/// Weeks begin on Sunday, and the year of the books in January, unless the organisation says otherwise.
package struct MovingDates: Sendable {
    private let zone: TimeZoneRule
    private let today: Int
    /// From Sunday on, and the first month of the fiscal year, January being the first.
    private let weekStart: Int
    private let fiscalStart: Int

    package init(now: Instant, zone: TimeZoneRule, of catalog: Catalog? = nil) {
        self.zone = zone
        let start = catalog?.documents(BusinessHours.kind).first?.body["week_starts_on"]?.string.flatMap(Weekday.init)
        weekStart = start.flatMap { Weekday.allCases.firstIndex(of: $0) } ?? 0
        fiscalStart = catalog.map { FiscalYear($0).startMonth } ?? 1
        today = now.date(offsetMinutes: zone.offsetMinutes(at: now))?.daysSinceEpoch ?? 0
    }

    /// Days since 1970-01-01, first and last. `nil` when the text is no such name.
    func days(_ name: String) -> ClosedRange<Int>? {
        switch name {
        case "${TODAY}": today...today
        case "${YESTERDAY}": today - 1...today - 1
        case "${TOMORROW}": today + 1...today + 1
        case "${THISWEEK}": week(0)
        case "${LASTWEEK}": week(-1)
        case "${NEXTWEEK}": week(1)
        case "${THISMONTH}": months(of: 1, moved: 0)
        case "${LASTMONTH}": months(of: 1, moved: -1)
        case "${NEXTMONTH}": months(of: 1, moved: 1)
        case "${THISYEAR}": months(of: 12, moved: 0)
        case "${LASTYEAR}": months(of: 12, moved: -1)
        case "${NEXTYEAR}": months(of: 12, moved: 1)
        case "${PREVFQ}": fiscal(quarters: 1, moved: -1)
        case "${THISFQ}": fiscal(quarters: 1, moved: 0)
        case "${NEXTFQ}": fiscal(quarters: 1, moved: 1)
        case "${PREVFY}": fiscal(quarters: 4, moved: -1)
        case "${THISFY}": fiscal(quarters: 4, moved: 0)
        case "${NEXTFY}": fiscal(quarters: 4, moved: 1)
        default: nil
        }
    }

    /// The first moment of a day, as text. Twice, because the offset may differ between midnight there and here.
    func start(of day: Int) -> Instant {
        let plain = Int64(day) * 86_400_000
        var instant = Instant(milliseconds: plain)
        for _ in 0..<2 { instant = Instant(milliseconds: plain - Int64(zone.offsetMinutes(at: instant)) * 60_000) }
        return instant
    }

    private func week(_ moved: Int) -> ClosedRange<Int> {
        // 1970-01-01 was a Thursday, the fifth day of its week.
        let sinceStart = ((today + 4 - weekStart) % 7 + 7) % 7
        let first = today - sinceStart + moved * 7
        return first...first + 6
    }

    /// A block of months that begins in January, or in the current month when it is one month long.
    private func months(of length: Int, moved: Int) -> ClosedRange<Int> {
        let month = thisMonth
        let current = length == 12 ? month - month % 12 : month
        let first = current + moved * length
        return day(ofMonth: first)...day(ofMonth: first + length) - 1
    }

    /// A quarter or a year of the books.
    private func fiscal(quarters: Int, moved: Int) -> ClosedRange<Int> {
        let length = quarters * 3
        let month = thisMonth
        let since = ((month - (fiscalStart - 1)) % length + length) % length
        let first = month - since + moved * length
        return day(ofMonth: first)...day(ofMonth: first + length) - 1
    }

    /// Counted from year 0.
    private var thisMonth: Int {
        let shown = CalendarDate(daysSinceEpoch: today)?.iso ?? "1970-01-01"
        return (Int(shown.prefix(4)) ?? 1970) * 12 + (Int(shown.dropFirst(5).prefix(2)) ?? 1) - 1
    }

    /// The first day of a month counted from year 0.
    private func day(ofMonth month: Int) -> Int {
        func padded(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return CalendarDate("\(padded(month / 12, 4))-\(padded(month % 12 + 1, 2))-01")?.daysSinceEpoch ?? 0
    }
}
