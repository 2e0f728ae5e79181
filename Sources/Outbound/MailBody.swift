import CRMCore
import Foundation

/// What a mail says, as MIME entities (RFC 2045, 2046, 2387): text alone, text beside HTML, with the images that it shows, with files.
struct MailBody {
    /// The entity's own headers, an empty line, and its content.
    let text: String

    init(_ mail: Mail, boundary: String) {
        var entity = Self.entity("text/plain; charset=utf-8", Array(mail.text.utf8))
        if let html = mail.html {
            var rich = Self.entity("text/html; charset=utf-8", Array(html.utf8))
            let shown = mail.parts.filter { $0.contentID != nil }
            if !shown.isEmpty { rich = Self.multipart("related; type=\"text/html\"", boundary + "-r", [rich] + shown.map(Self.part)) }
            entity = Self.multipart("alternative", boundary + "-a", [entity, rich])
        }
        let attached = mail.parts.filter { $0.contentID == nil }
        if !attached.isEmpty { entity = Self.multipart("mixed", boundary + "-m", [entity] + attached.map(Self.part)) }
        text = entity
    }

    private static func multipart(_ kind: String, _ boundary: String, _ entities: [String]) -> String {
        "Content-Type: multipart/\(kind); boundary=\"\(boundary)\"\r\n\r\n"
            + entities.map { "--\(boundary)\r\n\($0)" }.joined() + "--\(boundary)--\r\n"
    }

    private static func part(_ part: Mail.Part) -> String {
        let type = isMediaType(part.mediaType) ? part.mediaType : "application/octet-stream"
        let place =
            part.contentID.map { "Content-ID: <\($0)>\r\nContent-Disposition: inline; \(fileName(part.name))" }
            ?? "Content-Disposition: attachment; \(fileName(part.name))"
        return entity(type, part.bytes, more: place)
    }

    private static func entity(_ type: String, _ bytes: [UInt8], more: String? = nil) -> String {
        let body = Data(bytes).base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed])
        let headers = ["Content-Type: \(type)"] + (more.map { [$0] } ?? []) + ["Content-Transfer-Encoding: base64"]
        return headers.joined(separator: "\r\n") + "\r\n\r\n" + body + "\r\n"
    }

    /// Percent-coded, so that a name may hold anything (RFC 2231), with the form that old programs read beside it.
    private static func fileName(_ name: String) -> String {
        func isPlain(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
        let short = Array(name.utf8.prefix(200))
        if short.allSatisfy({ isPlain($0) || $0 == UInt8(ascii: " ") }) { return "filename=\"\(String(decoding: short, as: UTF8.self))\"" }
        let digits = Array("0123456789ABCDEF".unicodeScalars)
        var coded = ""
        for byte in short {
            if isPlain(byte) {
                coded.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                coded += "%"
                coded.unicodeScalars.append(digits[Int(byte >> 4)])
                coded.unicodeScalars.append(digits[Int(byte & 15)])
            }
        }
        return "filename*=UTF-8''\(coded)"
    }

    private static func isMediaType(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.count <= 100
                    && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
            }
    }
}
