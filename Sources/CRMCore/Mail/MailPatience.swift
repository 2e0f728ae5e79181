import Wire

/// How long a mail is tried for, and when again. Waits grow to half an hour, so that an outage of hours costs nothing but time; after two
/// days, half of what RFC 5321 (4.5.4.1) asks of mail servers, the sender is better told.
enum MailPatience {
    static let days: Int64 = 2
    private static let limit: Int64 = days * 24 * 3_600_000
    private static let longest: Int64 = 30 * 60_000

    static func isOver(since start: Instant, now: Instant) -> Bool { now.milliseconds - start.milliseconds >= limit }

    /// When to try again after so many attempts. A quarter more or less, by the job's id, so that what failed together does not come back
    /// together.
    static func next(_ job: RecordID, after attempts: Int64, now: Instant) -> Instant {
        let pause = min(longest, 2_000 << min(max(attempts, 1) - 1, 12))
        let mixed = UInt64(bitPattern: job.raw &+ attempts) &* 0x9E37_79B9_7F4A_7C15
        let spread = Int64(mixed >> 32) % (pause / 2) - pause / 4
        return Instant(milliseconds: now.milliseconds + pause + spread)
    }
}
