/// Listens to a mail server for SMTPUTF8 (RFC 6531): it says what it knows in the lines that answer EHLO, and its first answer of one line
/// after those comes when nothing is said any more.
struct SMTPGreeting {
    private var isKnown = false
    private var isListing = false
    private var isWelcomed = false
    private(set) var isRefused = false

    /// Whether to go on after a line.
    mutating func goesOn(after line: String) -> Bool {
        let line = line.uppercased()
        if line.hasPrefix("220") { isWelcomed = true }
        guard isWelcomed, line.hasPrefix("250") else { return true }
        if line.contains("SMTPUTF8") { isKnown = true }
        let wasListing = isListing
        isListing = line.hasPrefix("250-")
        isRefused = !isListing && !wasListing && !isKnown
        return !isRefused
    }
}
