import Testing
import Wire

@testable import CRMCore

/// RFC 5545, 3.3.10, as far as calendars write it.
@Suite struct RecurrenceDatesTests {
    @Test(arguments: [
        ("FREQ=DAILY;INTERVAL=2;COUNT=3", "2026-01-01", ["2026-01-03", "2026-01-05"]),
        ("FREQ=DAILY;UNTIL=20260103T000000Z", "2026-01-01", ["2026-01-02", "2026-01-03"]),
        ("FREQ=WEEKLY;COUNT=3", "2026-01-01", ["2026-01-08", "2026-01-15"]),
        ("FREQ=WEEKLY;BYDAY=MO,TH;COUNT=4", "2026-01-01", ["2026-01-05", "2026-01-08", "2026-01-12"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=4", "2026-01-01", ["2026-01-12", "2026-01-15", "2026-01-26"]),
        ("FREQ=MONTHLY;COUNT=3", "2026-01-31", ["2026-03-31", "2026-05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", "2026-01-31", ["2026-02-28", "2026-03-31"]),
        ("FREQ=MONTHLY;BYDAY=1MO;COUNT=3", "2026-01-05", ["2026-02-02", "2026-03-02"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;UNTIL=2026-04-01", "2026-01-30", ["2026-02-27", "2026-03-27"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3", "2026-01-30", ["2026-02-27", "2026-03-31"]),
        ("FREQ=YEARLY;COUNT=3", "2024-02-29", ["2028-02-29", "2032-02-29"]),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1;COUNT=2", "2026-03-01", ["2027-03-01"]),
        ("freq=daily; count=2", "2026-12-31", ["2027-01-01"]), ("FREQ=DAILY;COUNT=1", "2026-01-01", []),
        ("FREQ=DAILY;UNTIL=2025-01-01", "2026-01-01", []),
    ])
    func aRuleFallsOnItsDays(_ rule: String, _ start: String, _ days: [String]) throws {
        let first = try #require(CalendarDate(start))
        let dates = try #require(RecurrenceDates(rule, from: first))
        // The year of 2032 lies within the ten that are looked at.
        #expect(dates.following(limit: 100).map(\.iso) == days)
    }

    @Test(arguments: [
        "", "FREQ=OFTEN", "COUNT=3", "FREQ=DAILY;BYDAY=XX", "FREQ=DAILY;BYWEEKNO=3", "FREQ=DAILY;UNTIL=soon", "FREQ=DAILY;INTERVAL=0",
    ])
    func whatIsNotCarriedOutIsNone(_ rule: String) throws {
        let first = try #require(CalendarDate("2026-01-01"))
        #expect(RecurrenceDates(rule, from: first) == nil)
    }

    @Test func withoutAnEndAYearIsEnough() throws {
        let start = try #require(CalendarDate("2026-01-01"))
        #expect(RecurrenceDates("FREQ=DAILY", from: start)?.following(limit: 1_000).count == 366)
        #expect(RecurrenceDates("FREQ=YEARLY", from: start)?.following(limit: 1_000).count == 5)
        #expect(RecurrenceDates("FREQ=DAILY;COUNT=5", except: "2026-01-02,20260103", from: start)?.following(limit: 9).count == 2)
    }
}
