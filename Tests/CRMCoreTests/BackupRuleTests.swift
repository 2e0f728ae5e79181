import CRMCore
import Testing
import Wire

/// Contract: data-backup, 239.
@Suite struct BackupRuleTests {
    private static func at(_ iso: String) -> Instant { Instant(iso: iso) ?? Instant(milliseconds: 0) }

    @Test(arguments: [
        "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TH", "RRULE:FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=16", "RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=1TH",
        "RRULE:FREQ=WEEKLY;INTERVAL=52;BYDAY=FR",
    ]) func theContractsRulesAreRead(_ text: String) {
        #expect(BackupRule(text)?.text == text)
    }

    @Test(arguments: [
        "", "FREQ=WEEKLY;INTERVAL=1;BYDAY=TH", "RRULE:", "RRULE:FREQ=DAILY;INTERVAL=1;BYDAY=TH", "RRULE:FREQ=WEEKLY;BYDAY=TH",
        "RRULE:FREQ=WEEKLY;INTERVAL=0;BYDAY=TH", "RRULE:FREQ=WEEKLY;INTERVAL=53;BYDAY=TH", "RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=1TH",
        "RRULE:FREQ=WEEKLY;INTERVAL=1;BYMONTHDAY=1", "RRULE:FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=32",
        "RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=TH",
        "RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=6TH", "RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=TH;BYDAY=FR",
        "RRULE:FREQ=WEEKLY;INTERVAL=+1;BYDAY=TH",
        "RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=TH;COUNT=2", "RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=", "RRULE:FREQ=MONTHLY;INTERVAL=1",
    ]) func anythingElseIsNoRule(_ text: String) {
        #expect(BackupRule(text) == nil)
    }

    /// Starting on Wednesday 2026-07-15 at noon; each rule's first three runs.
    @Test(arguments: [
        ("RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=FR", ["2026-07-17", "2026-07-24", "2026-07-31"]),
        ("RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", ["2026-07-21", "2026-08-04", "2026-08-18"]),
        ("RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=WE", ["2026-07-22", "2026-07-29", "2026-08-05"]),
        ("RRULE:FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=16", ["2026-07-16", "2026-08-16", "2026-09-16"]),
        ("RRULE:FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=31", ["2026-07-31", "2026-08-31", "2026-10-31"]),
        ("RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=1TH", ["2026-08-06", "2026-09-03", "2026-10-01"]),
        ("RRULE:FREQ=MONTHLY;INTERVAL=3;BYDAY=4TH", ["2026-07-23", "2026-10-22", "2027-01-28"]),
        ("RRULE:FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=1", ["2026-08-01", "2027-08-01", "2028-08-01"]),
    ]) func runsFallOnTheirDays(_ text: String, _ days: [String]) throws {
        let rule = try #require(BackupRule(text))
        var now = Self.at("2026-07-15T12:00:00Z")
        var first: Instant?
        var found: [String] = []
        for _ in 0..<3 {
            let next = try #require(rule.next(after: now, first: first, zone: .utc))
            found.append(next.iso(offsetMinutes: 0))
            first = first ?? next
            now = next
        }
        #expect(found == days.map { $0 + "T02:00:00+00:00" })
    }

    @Test func missedRunsAreNotMadeUpFor() throws {
        let rule = try #require(BackupRule("RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"))
        let next = rule.next(after: Self.at("2027-01-01T00:00:00Z"), first: Self.at("2026-07-21T02:00:00Z"), zone: .utc)
        #expect(next?.iso(offsetMinutes: 0) == "2027-01-05T02:00:00+00:00")
    }

    @Test func theHourIsTheOrganisations() throws {
        let rule = try #require(BackupRule("RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=TH"))
        let zone = try #require(TimeZoneRule(identifier: "Asia/Kolkata"))
        let next = rule.next(after: Self.at("2026-07-15T12:00:00Z"), first: nil, zone: zone)
        #expect(next?.iso(offsetMinutes: 330) == "2026-07-16T02:00:00+05:30")
    }

    @Test(arguments: [
        ("RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=TH", "weekly"), ("RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TH", "biweekly"),
        ("RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=1TH", "monthly"),
    ]) func theHistoryHasAWordForIt(_ text: String, _ word: String) {
        #expect(BackupRule(text)?.repeatType == word)
    }
}
