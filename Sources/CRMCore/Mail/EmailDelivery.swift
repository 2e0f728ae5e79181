import Metadata
import SQLStore
import Wire

/// Puts a record's e-mail together for one of its receivers, when it is about to go. What has become of the record meanwhile counts.
struct EmailDelivery {
    private let services: Services

    init(_ services: Services) { self.services = services }

    private struct Held: Sendable {
        let file: RecordID
        let name: String?
        let isInline: Bool
    }

    func mail(_ id: RecordID, to receiver: MailAddress) async -> Result<Mail, MailFailure> {
        do {
            guard let found = try await load(id, for: receiver) else {
                return .failure(.impossible("the record is gone, or the mail is not wanted"))
            }
            return .success(try await mail(found, to: receiver))
        } catch {
            // The database or the files are away.
            return .failure(.unreachable("the mail cannot be read"))
        }
    }

    private struct Found: Sendable {
        let email: Email
        let answers: Mail.Reference?
        let held: [Held]
    }

    /// A scheduled one has begun to go, and is told of now. `nil` when it is not to go any more.
    private func load(_ id: RecordID, for receiver: MailAddress) async throws -> Found? {
        let catalog = services.catalog.current()
        guard var email = try await services.database.run(.read, { tx in try Emails.find(id, tx) }) else { return nil }
        if email.state == .scheduled {
            let access = AccessPolicy.system("a mail that was scheduled goes", for: UserID(raw: email.owner))
            let scheduled = email
            guard try await services.write(catalog, access, .system, { scope in try EmailDesk.begin(scheduled, scope) }) else { return nil }
            email.state = .waiting
        }
        let going = email
        let (now, ids) = (services.clock(), services.ids)
        let access = AccessPolicy.system("mails ask whether they are still wanted", for: UserID(raw: email.owner))
        return try await services.database.run(.read) { tx in
            let scope = WriteScope(tx: tx, catalog: catalog.whole, access: access, origin: .system, now: now, group: going.id, ids: ids)
            guard try EmailDesk.isWanted(going, by: receiver, scope) else { return nil }
            let answers = try going.answers.flatMap { try Emails.find($0, tx) }.map {
                $0.original.map(Mail.Reference.named) ?? .ours($0.id)
            }
            let held = try tx.rows(
                """
                SELECT file_id, description, field_id FROM sys_field_file WHERE record_id = \(going.id) AND file_id IS NOT NULL \
                ORDER BY field_id, position, id
                """
            ) { row in
                Held(file: RecordID(raw: row.integer(0) ?? 0), name: row.text(1), isInline: row.integer(2) == Emails.inline.raw)
            }
            return Found(email: going, answers: answers, held: held)
        }
    }

    private func mail(_ found: Found, to receiver: MailAddress) async throws -> Mail {
        let email = found.email
        var content = email.content
        var parts: [Mail.Part] = []
        for one in found.held {
            guard let file = try await services.files.file(one.file) else { continue }
            var bytes: [UInt8] = []
            for try await piece in services.files.bytes(of: file) { bytes += piece }
            let contentID = one.isInline ? "\(file.token.prefix(40))@tributary" : nil
            parts.append(.init(name: one.name ?? file.name, mediaType: file.mediaType, bytes: bytes, contentID: contentID))
            if let contentID { content = InlineImages.pointing(at: file.token, to: contentID, in: content) }
        }
        if let document = email.details["document"] {
            let bytes = Array((document["content"]?.string ?? "").utf8)
            parts.append(.init(name: document["name"]?.string ?? "document.html", mediaType: "text/html", bytes: bytes))
        }
        let link = UnsubscribeToken(email: email.id, address: receiver.folded).link(services.pageKey, origin: email.origin ?? "")
        let unsubscribe = UnsubscribePlaces.fill(&content, with: link, services.catalog.current())
        let isHTML = email.format == .html
        var mail = Mail(to: receiver, subject: email.subject, text: isHTML ? PlainText.of(content) : content)
        if isHTML { mail.html = content }
        mail.from = Emails.mailbox(email.sender)
        mail.to = Emails.mailboxes(email.people["to"])
        mail.cc = Emails.mailboxes(email.people["cc"])
        mail.replyTo = email.people["reply_to"].flatMap(Emails.mailbox)
        mail.parts = parts
        mail.answers = found.answers
        if unsubscribe { mail.unsubscribe = link }
        return mail
    }
}

extension Emails {
    /// Back from `{"user_name","email"}`.
    static func mailbox(_ json: JSONValue) -> Mailbox? {
        json["email"]?.string.flatMap(MailAddress.init).map { Mailbox(json["user_name"]?.string, $0) }
    }

    static func mailboxes(_ json: JSONValue?) -> [Mailbox] { (json?.array ?? []).compactMap(mailbox) }

    static func json(_ mailbox: Mailbox) -> JSONValue {
        ["user_name": mailbox.name.map { .string($0) } ?? .null, "email": .string(mailbox.address.text)]
    }
}

/// Images that a text shows by the id of an uploaded file: `…fileContent=ID` or `img_id:ID` (`emails.md`, 225 and 231).
package enum InlineImages {
    private static let marks = ["fileContent=", "img_id:"]

    /// The ids of the files.
    package static func tokens(in content: String) -> [String] {
        var tokens: [String] = []
        for mark in marks {
            var rest = content[...]
            while let found = rest.firstRange(of: mark) {
                rest = rest[found.upperBound...]
                let token = String(rest.prefix { $0.isASCII && $0.isHexDigit }.prefix(200))
                if token.count >= 32, !tokens.contains(token) { tokens.append(token) }
            }
        }
        return tokens
    }

    /// The text with what leads to the file replaced by what leads to the part of the mail.
    static func pointing(at token: String, to contentID: String, in content: String) -> String {
        var text = ""
        var rest = content[...]
        while let found = rest.firstRange(of: token) {
            let before = rest[..<found.lowerBound]
            rest = rest[found.upperBound...]
            guard marks.contains(where: before.hasSuffix), let quote = before.lastIndex(where: { $0 == "\"" || $0 == "'" }) else {
                text += before + token
                continue
            }
            text += before[...quote] + "cid:\(contentID)"
        }
        return text + rest
    }
}
