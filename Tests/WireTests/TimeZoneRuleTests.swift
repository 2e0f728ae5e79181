import Testing

@testable import Wire

@Suite struct TimeZoneRuleTests {
    @Test(arguments: [
        ("Asia/Kolkata", "2025-07-01T00:00:00Z", 330), ("America/New_York", "2025-01-01T00:00:00Z", -300),
        ("America/New_York", "2025-03-09T06:59:59Z", -300), ("America/New_York", "2025-03-09T07:00:00Z", -240),
        ("Europe/Berlin", "2025-10-26T00:59:59Z", 120), ("Europe/Berlin", "2025-10-26T01:00:00Z", 60),
        ("Asia/Kathmandu", "2025-01-01T00:00:00Z", 345), ("UTC", "2025-07-01T00:00:00Z", 0),
    ])
    func offsetsFollowTheZoneThroughTheYear(_ identifier: String, _ text: String, _ minutes: Int) throws {
        let zone = try #require(TimeZoneRule(identifier: identifier))
        #expect(zone.offsetMinutes(at: try #require(Instant(iso: text))) == minutes)
    }

    @Test(arguments: ["", "Nowhere/Town", "../../etc/passwd"])
    func unknownZonesAreRefused(_ identifier: String) {
        #expect(TimeZoneRule(identifier: identifier) == nil)
    }

    @Test func utcIsAlwaysThere() {
        #expect(TimeZoneRule.utc.offsetMinutes(at: .now()) == 0)
        _ = TimeZoneRule.utc.offsetMinutes(at: Instant(milliseconds: .max))
    }
}
