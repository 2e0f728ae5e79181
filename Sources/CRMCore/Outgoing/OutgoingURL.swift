/// An address that a caller gave us to send something to: http or https, with a host. Whether we may go there is for the sender to
/// say, once the name is an address.
package struct OutgoingURL: Sendable, Equatable {
    /// As it was given.
    package let text: String

    /// Longest address; a longer one is no mistake anybody makes by hand.
    package static let maximumLength = 2048

    package init?(_ text: String) {
        guard text.utf8.count <= Self.maximumLength, !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return nil }
        let lower = text.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lower.hasPrefix) else { return nil }
        let authority = text.dropFirst(scheme.count).prefix { !"/?#\\".contains($0) }
        guard let place = authority.split(separator: "@", omittingEmptySubsequences: false).last, OutgoingHost.isPossible(place) else {
            return nil
        }
        self.text = text
    }

    /// With what may not stand in an address escaped: callers write blanks into queries.
    package var encoded: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte <= 0x20 || byte >= 0x7F || "\"<>\\^`{|}".utf8.contains(byte) {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The parameters after the question mark, as they stand there.
    package var query: [(name: Substring, value: Substring)] {
        guard let start = text.firstIndex(of: "?") else { return [] }
        return text[text.index(after: start)...].prefix { $0 != "#" }.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (parts[0], parts.count == 2 ? parts[1] : "")
        }
    }
}
