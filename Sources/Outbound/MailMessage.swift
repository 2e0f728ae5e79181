import CRMCore
import Foundation
import Wire

/// A mail as it goes over the line (RFC 5322, with MIME). Whatever stands in a header is of one line: names and subjects are before they
/// come here, addresses hold nothing that ends one.
struct MailMessage {
    let bytes: [UInt8]

    /// `server` is who hands it over; the writer, where it has no other.
    init(_ mail: Mail, from server: MailAddress, id: RecordID, at time: Instant) {
        var headers = ["Date: \(Self.date(time))"]
        if let writer = mail.from {
            headers.append("From: \(Self.box(writer))")
            if writer.address.folded != server.folded { headers.append("Sender: <\(server.wire)>") }
        } else {
            headers.append("From: Tributary <\(server.wire)>")
        }
        headers.append("To: " + Self.list(mail.to.isEmpty && mail.cc.isEmpty ? [Mailbox(nil, mail.recipient)] : mail.to))
        if !mail.cc.isEmpty { headers.append("Cc: " + Self.list(mail.cc)) }
        if let box = mail.replyTo { headers.append("Reply-To: \(Self.box(box))") }
        headers.append("Subject: \(Self.words(mail.subject))")
        headers.append("Message-ID: \(Self.name(id, server))")
        if let answered = mail.answers.flatMap({ Self.reference($0, server) }) {
            headers += ["In-Reply-To: \(answered)", "References: \(answered)"]
        }
        // Who presses the button of a mail program is not shown a page (RFC 8058).
        if let link = mail.unsubscribe { headers += ["List-Unsubscribe: <\(link)>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"] }
        // Holiday answers to it would reach nobody (RFC 3834).
        if mail.isAutomatic { headers.append("Auto-Submitted: auto-generated") }
        headers.append("MIME-Version: 1.0")
        let body = MailBody(mail, boundary: "tributary-\(id)")
        bytes = Array((headers.joined(separator: "\r\n") + "\r\n" + body.text).utf8)
    }

    private static func list(_ boxes: [Mailbox]) -> String { boxes.map(box).joined(separator: ",\r\n ") }

    static func box(_ box: Mailbox) -> String {
        guard let name = box.name else { return "<\(box.address.wire)>" }
        let isPlain = name.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !name.contains("=?") && name.utf8.count <= 60
        let quoted = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return isPlain ? "\"\(quoted)\" <\(box.address.wire)>" : "\(words(name))\r\n <\(box.address.wire)>"
    }

    private static func name(_ id: RecordID, _ server: MailAddress) -> String { "<\(id).tributary@\(server.domain)>" }

    /// An id that came from elsewhere may hold anything; one that is none is left out.
    private static func reference(_ reference: Mail.Reference, _ server: MailAddress) -> String? {
        switch reference {
        case .ours(let id): return name(id, server)
        case .named(let given):
            let bare = given.drop { $0 == "<" }.prefix { $0 != ">" }
            guard (1...900).contains(bare.utf8.count), bare.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x3C }) else {
                return nil
            }
            return "<\(bare)>"
        }
    }

    /// As it is where ASCII will do; else encoded words of at most 75 characters, a line each (RFC 2047).
    static func words(_ text: String) -> String {
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), !text.contains("=?"), text.utf8.count <= 60 { return text }
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars {
            let next = Array(String(scalar).utf8)
            if words[words.count - 1].count + next.count > 45 { words.append([]) }
            words[words.count - 1] += next
        }
        return words.map { "=?UTF-8?B?\(Data($0).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    private static func date(_ instant: Instant) -> String {
        var seconds = time_t(instant.milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
        return "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) +0000"
    }
}
