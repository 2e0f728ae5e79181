import CRMCore
import Foundation
import Testing
import Wire

@testable import Outbound

/// Mails as they go over the line, and where they go. RFC 5322, RFC 2047.
@Suite struct MailMessageTests {
    private func message(_ subject: String, _ text: String) throws -> String {
        let to = try #require(MailAddress("ana@acme.example"))
        let from = try #require(MailAddress("crm@acme.example"))
        let mail = Mail(to: to, subject: subject, text: text)
        let bytes = MailMessage(mail, from: from, id: RecordID(raw: 77), at: Instant(milliseconds: 1_795_519_351_000)).bytes
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func aMailHasItsHeadersAndItsText() throws {
        let whole = try message("Lead Kim is yours", "Zoë\n.\nEnd")
        let parts = whole.components(separatedBy: "\r\n\r\n")
        #expect(
            parts[0].components(separatedBy: "\r\n") == [
                "Date: Tue, 24 Nov 2026 11:22:31 +0000", "From: Tributary <crm@acme.example>", "To: <ana@acme.example>",
                "Subject: Lead Kim is yours", "Message-ID: <77.tributary@acme.example>", "Auto-Submitted: auto-generated",
                "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
            ])
        let body = try #require(Data(base64Encoded: parts[1].replacingOccurrences(of: "\r\n", with: "")))
        #expect(String(decoding: body, as: UTF8.self) == "Zoë\n.\nEnd")
    }

    @Test func noSubjectAddsAHeader() throws {
        for subject in ["A\r\nBcc: x@evil.example", "A\nBcc: x@evil.example", "A\u{2028}\u{85}Bcc: é\u{0}"] {
            let headers = try message(subject, "x").components(separatedBy: "\r\n\r\n")[0]
            #expect(!headers.lowercased().contains("\nbcc") && headers.components(separatedBy: "\r\n").count >= 9, "\(headers)")
        }
    }

    @Test func subjectsBeyondASCIIAreEncodedWordsOfWholeCharacters() throws {
        #expect(MailMessage.words("Zoë") == "=?UTF-8?B?Wm/Dqw==?=")
        #expect(MailMessage.words("=?x").hasPrefix("=?UTF-8?B?"))
        let long = String(repeating: "é€", count: 40)
        let words = MailMessage.words(long).components(separatedBy: "\r\n ")
        #expect(words.count > 1 && words.allSatisfy { $0.utf8.count <= 75 })
        let texts = words.compactMap { Data(base64Encoded: String($0.dropFirst(10).dropLast(2))) }.compactMap {
            String(data: $0, encoding: .utf8)
        }
        #expect(texts.joined() == long)
    }

    @Test func addressesThatSayMoreAreNone() {
        for text in [
            "", "ana", "@x", "ana@", "a@b@c", "a b@c.example", "a@c.example\r\nRCPT TO:<x@y.example>", "<a@c.example>",
            "a@c.example,b@c.example",
            "a\u{85}@c.example", "a@c..example", "a@c.example\u{0}", String(repeating: "a", count: 250) + "@c.example",
        ] {
            #expect(MailAddress(text) == nil, "\(text)")
        }
        #expect(MailAddress("o'hara+x@c.example")?.domain == "c.example")
    }

    /// RFC 3492, 7.1, and what domains look like in the world.
    @Test func domainsBeyondASCIIAreWrittenInTheLettersOfNameServers() throws {
        for (given, written) in [
            ("x@Bücher.example", "xn--bcher-kva.example"), ("x@münchen.de", "xn--mnchen-3ya.de"), ("x@例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("x@почта.рф", "xn--80a1acny.xn--p1ai"), ("x@ACME.example", "acme.example"),
        ] {
            let address = try #require(MailAddress(given))
            #expect(address.domain == written && address.wire == "x@\(written)" && !address.isInternational, "\(given)")
        }
        let ana = try #require(MailAddress("änä@bücher.example"))
        #expect(ana.isInternational && ana.wire == "änä@xn--bcher-kva.example")
    }

    /// RFC 6531, 3.1: a server says in its answer to EHLO whether it takes such addresses.
    @Test func aServerWithoutSMTPUTF8IsLeftBeforeItIsTold() {
        func goesOn(_ lines: [String]) -> Bool {
            var greeting = SMTPGreeting()
            return lines.allSatisfy { greeting.goesOn(after: $0 + "\r\n") }
        }
        #expect(goesOn(["220 hello", "250-test", "250-SMTPUTF8", "250 SIZE 1", "250 sender ok", "250 receiver ok"]))
        #expect(goesOn(["220 hello", "250-test", "250 SMTPUTF8", "250 ok"]))
        #expect(!goesOn(["220 hello", "250-test", "250 SIZE 1", "250 sender ok"]))
        #expect(!goesOn(["220 hello", "250 test"]))
    }

    @Test func aMailOfAPersonHasPartsAndNames() throws {
        var mail = Mail(to: try #require(MailAddress("kim@acme.example")), subject: "Hi", text: "Hello")
        mail.html = "<p>Hello</p>"
        mail.from = Mailbox("Zoë \"Z\"\r\nBcc: x@y.example", try #require(MailAddress("zoe@acme.example")))
        mail.to = [Mailbox("Kim, Jr.", try #require(MailAddress("kim@acme.example")))]
        mail.cc = [Mailbox(nil, try #require(MailAddress("lee@bücher.example")))]
        mail.answers = .named("<a@b>\r\nBcc: x@y.example")
        mail.unsubscribe = "https://crm.example/unsubscribe/1"
        mail.parts = [
            .init(name: "a\r\n\"é.txt", mediaType: "text/plain\r\nX: y", bytes: [1]),
            .init(name: "dot.gif", mediaType: "image/gif", bytes: [2], contentID: "c@tributary"),
        ]
        let bytes = MailMessage(
            mail, from: try #require(MailAddress("crm@acme.example")), id: RecordID(raw: 77), at: Instant(milliseconds: 0)
        ).bytes
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.components(separatedBy: "\r\n")
        #expect(!lines.contains { $0.lowercased().hasPrefix("bcc") || $0.hasPrefix("X:") }, "\(text)")
        #expect(text.utf8.allSatisfy { $0 < 0x80 } && lines.allSatisfy { $0.utf8.count <= 998 })
        for line in [
            "Sender: <crm@acme.example>", "To: \"Kim, Jr.\" <kim@acme.example>", "Cc: <lee@xn--bcher-kva.example>", "In-Reply-To: <a@b>",
            "List-Unsubscribe: <https://crm.example/unsubscribe/1>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "Content-Type: application/octet-stream", "Content-ID: <c@tributary>",
            "Content-Type: multipart/mixed; boundary=\"tributary-77-m\"",
            "Content-Type: multipart/alternative; boundary=\"tributary-77-a\"", "--tributary-77-m--",
        ] {
            #expect(lines.contains(line), "\(line) in \(text)")
        }
        #expect(!lines.contains { $0.hasPrefix("Auto-Submitted") })
    }

    @Test func serversAreNamedByURLs() {
        #expect(SMTPServer("smtp://localhost:2525")?.url == "smtp://localhost:2525")
        #expect(SMTPServer("smtp://localhost:2525")?.login == nil)
        let full = SMTPServer("smtps://me%40acme.example:p%3Aw@mail.acme.example:465")
        #expect(full?.url == "smtps://mail.acme.example:465" && full?.login == .init(user: "me@acme.example", password: "p:w"))
        for text in ["http://x", "smtp://", "smtp:", "smtp://x/path", "smtp://x?a=b", "smtp://user@x", "x:25"] {
            #expect(SMTPServer(text) == nil, "\(text)")
        }
    }
}
