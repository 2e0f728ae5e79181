import Testing

@testable import Wire

@Suite struct CalendarDateTests {
    @Test(arguments: ["2025-02-01", "2024-02-29", "2000-02-29", "0000-01-01", "9999-12-31", "1969-12-31"])
    func realDaysAreTaken(_ text: String) {
        let date = CalendarDate(text)
        #expect(date?.iso == text)
        #expect(date.flatMap { CalendarDate(daysSinceEpoch: $0.daysSinceEpoch) } == date)
    }

    @Test(arguments: [
        "", "2025-02-29", "1900-02-29", "2025-02-30", "2025-04-31", "2025-00-10", "2025-13-01", "2025-01-00", "2025-01-32", "2025-1-01",
        "20250101", "2025-01-01T", " 2025-01-01", "2025/01/01", "-025-01-01", "10000-01-01",
    ])
    func anythingElseIsRefused(_ text: String) {
        #expect(CalendarDate(text) == nil)
    }

    @Test func everyDayOfTheFormatFollowsTheOneBefore() throws {
        let first = try #require(CalendarDate("0000-01-01")).daysSinceEpoch
        let last = try #require(CalendarDate("9999-12-31")).daysSinceEpoch
        #expect(last - first == 3_652_424)
        #expect(CalendarDate(daysSinceEpoch: first - 1) == nil)
        #expect(CalendarDate(daysSinceEpoch: last + 1) == nil)
        #expect(CalendarDate(daysSinceEpoch: .min) == nil)
        #expect(CalendarDate(daysSinceEpoch: .max) == nil)
        #expect(CalendarDate(daysSinceEpoch: 0)?.iso == "1970-01-01")
        // All days of the years around the epoch, and a prime stride through the rest.
        for days in Array(-2000...25000) + stride(from: first, through: last, by: 997) {
            let day = CivilDay(daysSinceEpoch: days)
            #expect(day.daysSinceEpoch == days)
            #expect(CivilDay(year: day.year, month: day.month, day: day.day) == day)
        }
    }

    @Test func datesAreOrderedAsDays() throws {
        let dates = try ["2025-02-01", "2024-12-31", "0999-01-01", "2025-01-31"].map { try #require(CalendarDate($0)) }
        #expect(dates.sorted().map(\.iso) == ["0999-01-01", "2024-12-31", "2025-01-31", "2025-02-01"])
    }
}
