import Foundation
import Testing

@testable import Wire

@Suite struct InstantTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("2025-02-01T10:00:00+05:30", 1_738_384_200_000),
            ("2025-02-01T10:00:00+0530", 1_738_384_200_000),
            ("2025-02-01T04:30:00Z", 1_738_384_200_000),
            ("2025-01-31T23:30:00-05:00", 1_738_384_200_000),
            ("2025-02-01T04:30:00.5Z", 1_738_384_200_500),
            ("2025-02-01T04:30:00.123456789Z", 1_738_384_200_123),
            ("2024-02-29T00:00:00+00:00", 1_709_164_800_000),
            ("1969-12-31T23:59:59.999Z", -1),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] as [(String, Int64)])
    func isoTextsAreRead(_ text: String, _ milliseconds: Int64) {
        #expect(Instant(iso: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "2025-02-01", "2025-02-01T10:00:00", "2025-02-01T10:00:00.Z", "2025-02-01T10:00:00.1234567890Z", "2025-02-30T10:00:00Z",
        "2025-02-29T10:00:00Z", "1900-02-29T10:00:00Z", "2025-00-01T10:00:00Z", "2025-13-01T10:00:00Z", "2025-01-00T10:00:00Z",
        "2025-04-31T10:00:00Z", "2025-02-01T24:00:00Z", "2025-02-01T10:60:00Z", "2025-02-01T10:00:60Z", "2025-02-01 10:00:00Z",
        "2025-02-01T10:00:00+19:00", "2025-02-01T10:00:00+18:01", "2025-02-01T10:00:00+05:60", "2025-02-01T10:00:00+5:30",
        "2025-02-01T10:00:00+05", "2025-02-01T10:00:00Zx", "2025-2-1T10:00:00Z", "+025-02-01T10:00:00Z", "2025-02-01T10:00:00 05:30",
        "２025-02-01T10:00:00Z",
    ])
    func textsThatNameNoInstantAreRefused(_ text: String) {
        #expect(Instant(iso: text) == nil)
    }

    @Test(
        arguments: [
            (0, 0, "1970-01-01T00:00:00+00:00"), (0, 330, "1970-01-01T05:30:00+05:30"), (0, -210, "1969-12-31T20:30:00-03:30"),
            (-1, 0, "1969-12-31T23:59:59+00:00"), (1_709_164_799_999, 60, "2024-02-29T00:59:59+01:00"),
            (-62_167_219_200_000, 0, "0000-01-01T00:00:00+00:00"), (253_402_300_800_000, 0, "10000-01-01T00:00:00+00:00"),
            (0, 2000, "1970-01-01T18:00:00+18:00"),
        ] as [(Int64, Int, String)])
    func instantsAreWrittenWithTheOffsetAndWithoutAFraction(_ milliseconds: Int64, _ offset: Int, _ expected: String) {
        #expect(Instant(milliseconds: milliseconds).iso(offsetMinutes: offset) == expected)
    }

    @Test func theFarthestInstantsAreWrittenToo() {
        #expect(Instant(milliseconds: .max).iso(offsetMinutes: .max) == "292278994-08-18T01:12:55+18:00")
        #expect(Instant(milliseconds: .min).iso(offsetMinutes: .min) == "-292275055-05-15T22:47:04-18:00")
    }

    @Test func writtenInstantsAreReadBackAndAgreeWithFoundation() throws {
        var random = FixedRandom(seed: 5)
        let formatter = Date.ISO8601FormatStyle()
        for _ in 0..<2000 {
            let seconds = Int64.random(in: -62_135_596_800..<253_402_300_800, using: &random)
            let instant = Instant(milliseconds: seconds * 1000)
            #expect(Instant(iso: instant.iso(offsetMinutes: 0)) == instant)
            let shifted = instant.iso(offsetMinutes: random.below(1680) - 840)
            if Instant(iso: shifted) != instant { #expect(shifted.utf8.count != 25) }
            // The Gregorian calendar of Foundation starts in 1582; ours has no start.
            if seconds > -12_200_000_000 {
                let text = Date(timeIntervalSince1970: Double(seconds)).formatted(formatter)
                #expect(instant.iso(offsetMinutes: 0) == text.replacing("Z", with: "+00:00"))
            }
        }
    }

    @Test func nowIsBetweenTheReadingsOfAnotherClock() {
        let before = Int64(Date().timeIntervalSince1970 * 1000) - 1
        let now = Instant.now().milliseconds
        #expect((before...Int64(Date().timeIntervalSince1970 * 1000) + 1).contains(now))
    }

    @Test func theDateIsTheOneClocksShow() {
        let instant = Instant(milliseconds: 1_738_384_200_000)
        #expect(instant.date(offsetMinutes: 0)?.iso == "2025-02-01")
        #expect(instant.date(offsetMinutes: -300)?.iso == "2025-01-31")
        #expect(Instant(milliseconds: .max).date(offsetMinutes: 0) == nil)
    }
}
