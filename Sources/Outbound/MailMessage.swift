import CRMCore
import Foundation
import Wire

/// A mail as it goes over the line (RFC 5322, with MIME). Addresses and subject are of one line before they come here.
struct MailMessage {
    let bytes: [UInt8]

    init(_ mail: Mail, from: MailAddress, id: RecordID, at time: Instant) {
        let headers = [
            "Date: \(Self.date(time))",
            "From: Tributary <\(from.text)>",
            "To: <\(mail.to.text)>",
            "Subject: \(Self.words(mail.subject))",
            "Message-ID: <\(id).tributary@\(from.domain)>",
            // Holiday answers to it would reach nobody (RFC 3834).
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
        ]
        let body = Data(mail.text.utf8).base64EncodedString(
            options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed])
        bytes = Array((headers.joined(separator: "\r\n") + "\r\n\r\n" + body + "\r\n").utf8)
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
