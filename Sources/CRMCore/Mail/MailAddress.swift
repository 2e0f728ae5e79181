/// An address that mails can go to, without anything that would end a header or an SMTP command. Letters beyond ASCII are allowed: in the
/// domain, which is then written in the letters of name servers, and before the at sign, which only servers with SMTPUTF8 take.
package struct MailAddress: Sendable, Hashable {
    /// As it was given.
    package let text: String
    /// In ASCII.
    package let domain: String
    private let local: String

    package init?(_ text: String) {
        guard text.utf8.count <= 254, text.unicodeScalars.allSatisfy(Self.isAllowed) else { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count), let domain = Punycode.domain(String(parts[1])),
            domain.utf8.count <= 253
        else { return nil }
        self.text = text
        self.domain = domain
        local = String(parts[0])
    }

    /// As mail servers are told.
    package var wire: String { "\(local)@\(domain)" }
    /// Whether a mail server must know SMTPUTF8 (RFC 6531).
    package var isInternational: Bool { !local.utf8.allSatisfy { $0 < 0x80 } }
    /// One spelling for one address.
    package var folded: String { wire.lowercased() }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x21...0x7E).contains(scalar.value) && !"<>()[]\\,;:\"".unicodeScalars.contains(scalar) }
        return switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator: false
        default: true
        }
    }
}

/// Somebody who writes or gets a mail: a name, if there is one, and an address.
package struct Mailbox: Sendable, Hashable {
    package let name: String?
    package let address: MailAddress

    package init(_ name: String? = nil, _ address: MailAddress) {
        let line = name.map(Mail.line)
        self.name = line.flatMap { $0.isEmpty ? nil : $0 }
        self.address = address
    }
}
