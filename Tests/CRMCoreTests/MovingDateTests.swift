import Testing
import TributaryTestKit
import Wire

@testable import CRMCore
@testable import Metadata

/// The days that move with the calendar, in criteria of custom views.
@Suite struct MovingDateTests {
    /// Wednesday 2025-03-12, 03:30 in New York and 07:30 in Greenwich.
    private let now = Instant(iso: "2025-03-12T07:30:00Z") ?? Instant(milliseconds: 0)

    private func shown(_ name: String, _ zone: TimeZoneRule = .utc) -> [String] {
        let dates = MovingDates(now: now, zone: zone)
        return (dates.days(name).map { [$0.lowerBound, $0.upperBound] } ?? []).compactMap { CalendarDate(daysSinceEpoch: $0)?.iso }
    }

    @Test func namesStandForDays() {
        #expect(shown("${TODAY}") == ["2025-03-12", "2025-03-12"])
        #expect(shown("${YESTERDAY}") == ["2025-03-11", "2025-03-11"])
        #expect(shown("${TOMORROW}") == ["2025-03-13", "2025-03-13"])
        #expect(shown("${THISWEEK}") == ["2025-03-09", "2025-03-15"])
        #expect(shown("${LASTWEEK}") == ["2025-03-02", "2025-03-08"])
        #expect(shown("${NEXTWEEK}") == ["2025-03-16", "2025-03-22"])
        #expect(shown("${THISMONTH}") == ["2025-03-01", "2025-03-31"])
        #expect(shown("${LASTMONTH}") == ["2025-02-01", "2025-02-28"])
        #expect(shown("${NEXTMONTH}") == ["2025-04-01", "2025-04-30"])
        #expect(shown("${THISYEAR}") == ["2025-01-01", "2025-12-31"])
        #expect(shown("${LASTYEAR}") == ["2024-01-01", "2024-12-31"])
        #expect(shown("${NEXTYEAR}") == ["2026-01-01", "2026-12-31"])
        #expect(shown("${THISFQ}") == ["2025-01-01", "2025-03-31"])
        #expect(shown("${PREVFQ}") == ["2024-10-01", "2024-12-31"])
        #expect(shown("${NEXTFQ}") == ["2025-04-01", "2025-06-30"])
        #expect(shown("${THISFY}") == ["2025-01-01", "2025-12-31"])
        #expect(shown("${PREVFY}") == ["2024-01-01", "2024-12-31"])
        #expect(shown("${NEXTFY}") == ["2026-01-01", "2026-12-31"])
        #expect(shown("${SOMEDAY}").isEmpty && shown("").isEmpty)
    }

    /// fiscal-year, 94; business-hours, 96 (`week_starts_on`).
    @Test func weeksAndFiscalYearsBeginAsTheOrganisationSays() {
        let settings = [
            Document(id: RecordID(raw: 1), kind: FiscalYear.kind, body: ["start_month": "May"]),
            Document(id: RecordID(raw: 2), kind: BusinessHours.kind, body: ["type": "24_by_7", "week_starts_on": "Thursday"]),
        ]
        let dates = MovingDates(now: now, zone: .utc, of: Catalog(version: 1, documents: settings))
        func shown(_ name: String) -> [String] {
            (dates.days(name).map { [$0.lowerBound, $0.upperBound] } ?? []).compactMap { CalendarDate(daysSinceEpoch: $0)?.iso }
        }
        #expect(shown("${THISFY}") == ["2024-05-01", "2025-04-30"] && shown("${NEXTFY}") == ["2025-05-01", "2026-04-30"])
        #expect(shown("${THISFQ}") == ["2025-02-01", "2025-04-30"] && shown("${PREVFQ}") == ["2024-11-01", "2025-01-31"])
        #expect(shown("${THISWEEK}") == ["2025-03-06", "2025-03-12"] && shown("${THISYEAR}") == ["2025-01-01", "2025-12-31"])
    }

    @Test func theDayIsTheOneOfTheZone() throws {
        let tokyo = try #require(TimeZoneRule(identifier: "Asia/Tokyo"))
        let newYork = try #require(TimeZoneRule(identifier: "America/New_York"))
        #expect(shown("${TODAY}", tokyo) == ["2025-03-12", "2025-03-12"])
        let evening = try #require(Instant(iso: "2025-03-12T16:00:00Z"))
        #expect(MovingDates(now: evening, zone: tokyo).days("${TODAY}")?.lowerBound == CalendarDate("2025-03-13")?.daysSinceEpoch)
        // Summer time began at 2 in the morning of that day: it starts five hours behind Greenwich and ends four behind.
        let day = try #require(CalendarDate("2025-03-09")?.daysSinceEpoch)
        let dates = MovingDates(now: now, zone: newYork)
        #expect(dates.start(of: day).iso(offsetMinutes: 0) == "2025-03-09T05:00:00+00:00")
        #expect(dates.start(of: day + 1).iso(offsetMinutes: 0) == "2025-03-10T04:00:00+00:00")
    }
}
