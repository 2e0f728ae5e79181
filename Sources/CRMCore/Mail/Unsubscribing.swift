import Metadata
import SQLStore
import Wire

extension Document.Kind {
    package static let unsubscribeLink: Document.Kind = "unsubscribe_link"
}

/// Names a receiver of a mail in a link of that mail. Sealed, so that nobody unsubscribes others.
package struct UnsubscribeToken: Sendable, Equatable {
    package let email: RecordID
    package let address: String

    package init(email: RecordID, address: String) {
        self.email = email
        self.address = address
    }

    package init?(_ text: String, _ key: [UInt8]) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let email = RecordID(parts[0]), let bytes = Secrets.bytes(hex: String(parts[1])), !bytes.isEmpty,
            Secrets.equal(String(parts[2]), Self.seal("\(parts[0]).\(parts[1])", key))
        else { return nil }
        self.init(email: email, address: String(decoding: bytes, as: UTF8.self))
    }

    package func text(_ key: [UInt8]) -> String {
        let body = "\(email).\(Secrets.hex(Array(address.utf8)))"
        return "\(body).\(Self.seal(body, key))"
    }

    package func link(_ key: [UInt8], origin: String) -> String { "\(origin)/unsubscribe/\(text(key))" }

    /// Key before and after the text: an attacker cannot extend either hash.
    private static func seal(_ body: String, _ key: [UInt8]) -> String {
        Secrets.hex(Array(Secrets.sha256(key + Secrets.sha256(key + Array("unsubscribe \(body)".utf8))).prefix(16)))
    }
}

/// Places in a text for a link to unsubscribe by: `${Unsubscribe_Link}` is the default one, `${Unsubscribe_Link.Name}` one of the
/// settings by name or id.
enum UnsubscribePlaces {
    private static let mark = "${Unsubscribe_Link"

    /// The names of the links a text has places for; the default's is empty.
    static func names(in text: String) -> [String] {
        var names: [String] = []
        _ = replaced(text) { name in
            names.append(name)
            return nil
        }
        return names
    }

    /// Returns whether there was a place.
    static func fill(_ text: inout String, with link: String, _ catalog: Catalog) -> Bool {
        var targets: [String: String] = [:]
        let filled = replaced(text) { name in
            if let known = targets[name] { return known }
            let target = target(name, link, catalog)
            targets[name] = target
            return target
        }
        if !targets.isEmpty { text = filled }
        return !targets.isEmpty
    }

    /// One pass over the text; where `target` has nothing for a name, the place stays.
    private static func replaced(_ text: String, _ target: (String) -> String?) -> String {
        let (bytes, mark) = (Array(text.utf8), Array(mark.utf8))
        var filled: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let start = index + mark.count
            let bound = min(bytes.count, start + mostName)
            if bytes[index] == mark[0], start < bytes.count, bytes[index..<start].elementsEqual(mark),
                [UInt8(ascii: "."), UInt8(ascii: "}")].contains(bytes[start]),
                let close = bytes[start..<bound].firstIndex(of: UInt8(ascii: "}")),
                let target = target(String(decoding: bytes[start..<close].drop { $0 == UInt8(ascii: ".") }, as: UTF8.self))
            {
                filled += target.utf8
                index = close + 1
            } else {
                filled.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: filled, as: UTF8.self)
    }

    /// Bytes of a name.
    private static let mostName = 500

    private static func target(_ name: String, _ link: String, _ catalog: Catalog) -> String {
        let settings = self.link(name, catalog)
        let target = settings.map { "\(link)?link=\($0.id)" } ?? link
        guard let settings, settings.body["page_type"] == "custom", let page = settings.body["custom_location_url"]?.string else {
            return target
        }
        // The page asks, and posts the address given to it back to us.
        let escaped = target.utf8.map { byte -> String in
            byte == UInt8(ascii: "&") ? "%26" : byte == UInt8(ascii: "?") ? "%3F" : String(UnicodeScalar(byte))
        }
        return "\(page)\(page.contains("?") ? "&" : "?")unsubscribe=\(escaped.joined())"
    }

    static func link(_ name: String, _ catalog: Catalog) -> Document? {
        let all = catalog.documents(.unsubscribeLink)
        if name.isEmpty { return all.first { $0.body["name"] == "Default" } }
        return all.first { String($0.id.raw) == name || $0.body["name"]?.string == name }
    }
}
