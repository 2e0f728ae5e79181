/// An address that mails can go to: plain ASCII, without anything that would end a header or an SMTP command.
package struct MailAddress: Sendable, Equatable {
    package let text: String
    package let domain: String

    package init?(_ text: String) {
        guard text.utf8.count <= 254, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"<>()[]\\,;:\"".utf8.contains($0) }) else {
            return nil
        }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        self.text = text
        domain = String(parts[1])
    }
}

/// A mail in plain text.
package struct Mail: Sendable, Equatable {
    package static let longestSubject = 200

    package let to: MailAddress
    /// One line: names of records stand in it, and those may hold anything.
    package let subject: String
    package let text: String

    package init(to: MailAddress, subject: String, text: String) {
        self.to = to
        self.subject = String(Self.line(subject).prefix(Self.longestSubject))
        self.text = text
    }

    /// With blanks in place of whatever breaks lines or is not to be seen.
    static func line(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: line.append(" ")
            default: line.append(scalar)
            }
        }
        return String(line)
    }
}
