import Metadata
import SQLStore
import Wire

/// Takes mails of records: to be sent, to be kept as drafts, or that went elsewhere. Contract: emails and email-drafts.
package struct EmailDesk {
    let module: Module
    let record: Record
    let services: Services
    let scope: WriteScope

    /// The record in the path, held for this transaction. Who sees it may write mails of it, if his profile lets him.
    package init(_ id: RecordID, of module: Module, _ services: Services, _ scope: WriteScope) throws {
        try scope.access.require(.sendMail, module)
        let rows = try Planner(scope.catalog, scope.access).rows([id], of: module.whole, for: .sendMail, scope.tx)
        guard let record = rows[id] else { throw rows.refusal(of: id, else: .invalidPathID(1)) }
        try RecordStore.refuseIfHeld(record)
        (self.module, self.record, self.services, self.scope) = (module.whole, record, services, scope)
    }

    /// Writes the mail down and gives a copy for each receiver to the outbox.
    package func send(_ order: EmailOrder) throws -> SentEmail {
        try LockingConfiguration.refuse(.sendMail, on: record, scope)
        let all = order.to + order.cc + order.bcc
        let people = try EmailReceivers(record, naming: all, scope)
        try people.requireWilling()
        let kept = try Kept(all, unwilling: people.unwilling, scope)
        try kept.require(order.to)
        var text = Text(subject: order.subject, content: order.content, format: order.format)
        var template: Template?
        if let id = order.template {
            template = try TemplateStore.find(id, .email, scope.tx)
            guard let template, template.module == module.id, !template.isDraft else {
                throw Rejection.invalid(at: order.path.appending("template").appending("id"))
            }
            text.complete(with: template)
            try TemplateStore.used(id, at: scope.now, scope.tx)
        }
        let filler = try filler(order.from, isHTML: text.format == .html)
        let subject = try filled(text.subject, "subject", by: filler.plain, most: Self.mostSubject, order)
        let content = try filled(text.content, "content", by: filler, most: Self.mostContent, order)
        var email = try made(order, subject: Mail.line(subject), content: content, text.format)
        email.people = [
            "to": Self.list(kept.of(order.to)), "cc": Self.list(kept.of(order.cc)), "bcc": Self.list(kept.of(order.bcc)),
            "reply_to": order.replyTo.map(Emails.json) ?? .null,
        ]
        try answer(order, &email)
        try attach(order, template, to: &email)
        if let document = try document(order) { email.details["document"] = document }
        try Emails.insert(email, scope.tx)
        let receivers = kept.receivers(of: all)
        try Outbox.add(email.id, subject: email.subject, to: receivers, due: order.scheduled, scope)
        if order.scheduled == nil { try Self.tell(email, module, scope) }
        return SentEmail(token: email.token, isScheduled: order.scheduled != nil, omitted: kept.omitted)
    }

    private static func list(_ boxes: [Mailbox]) -> JSONValue { .array(boxes.map(Emails.json)) }

    private func made(_ order: EmailOrder, subject: String, content: String, _ format: Email.Format) throws -> Email {
        let id = scope.ids.next()
        return Email(
            id: id, token: Secrets.hex(Secrets.randomBytes(32)), place: .init(module.id, record.id),
            owner: (order.owner ?? scope.access.user).raw, state: order.scheduled == nil ? .waiting : .scheduled, format: format,
            sender: Emails.json(order.from), people: [:], subject: subject, content: content, at: order.scheduled ?? scope.now, thread: id,
            template: order.template, origin: order.origin, createdAt: scope.now, modifiedAt: scope.now)
    }

    private func answer(_ order: EmailOrder, _ email: inout Email) throws {
        guard let token = order.answers else { return }
        guard let other = try Emails.find(token, of: record.id, scope.tx), other.state != .draft else {
            throw Rejection.invalid(at: order.path.appending("in_reply_to").appending("message_id"))
        }
        email.answers = other.id
        email.thread = other.thread
    }

    /// The order's files, or the template's; the document of an inventory record beside them.
    private func attach(_ order: EmailOrder, _ template: Template?, to email: inout Email) throws {
        var files = (order.files ?? []).map { ($0.file.id, $0.name) }
        if order.files == nil, let template {
            files = try FieldFiles.entries(where: "h.record_id = \(template.id)", scope.tx).compactMap { entry in
                entry.file.map { ($0, nil) }
            }
        }
        email.files = Int64(files.count)
        try hold(files, order.inline, of: email.id)
    }

    /// The document of an inventory record, filled in. It goes as HTML: there is nothing here that makes PDF.
    private func document(_ order: EmailOrder) throws -> JSONValue? {
        guard let id = order.document else { return nil }
        guard let template = try TemplateStore.find(id, .inventory, scope.tx), template.module == module.id, !template.isDraft else {
            throw Rejection.invalid(at: order.path.appending("inventory_details").appending("inventory_template").appending("id"))
        }
        try TemplateStore.used(id, at: scope.now, scope.tx)
        let filler = try filler(order.from, isHTML: true)
        return [
            "name": .string("\(template.name).html"),
            "content": .string(try filled(template.content, "inventory_details", by: filler, most: Self.mostContent, order)),
        ]
    }

    func hold(_ files: [(RecordID, String?)], _ inline: [EmailFile], of email: RecordID) throws {
        var new = files.enumerated().map { index, file in
            FieldFiles.New(record: email, field: Emails.attachments, file: file.0, position: Int64(index), description: file.1)
        }
        new += inline.enumerated().map { index, file in
            FieldFiles.New(record: email, field: Emails.inline, file: file.file.id, position: Int64(index))
        }
        if !new.isEmpty { try FieldFiles.add(new, scope) }
    }

    /// Bytes of a mail with its places filled.
    private static let mostSubject = 4_000
    private static let mostContent = 2_000_000

    private func filled(_ text: String, _ key: String, by filler: TemplateText, most: Int, _ order: EmailOrder) throws -> String {
        guard let filled = filler.fill(text, most: most) else {
            throw Rejection(.limitExceeded, .apiName(key), .jsonPath(order.path.appending(key)), .other("limit", .integer(most)))
        }
        return filled
    }

    /// What the record says, to the sender. Values of encrypted fields are not given away: mails are kept as they are sent.
    private func filler(_ from: Mailbox, isHTML: Bool) throws -> TemplateText {
        var json = JSONWriter(capacity: 4096)
        json.beginArray()
        var query = Query(
            scope.access.seen(scope.catalog).module(id: module.id) ?? module, fields: nil, filter: .ids([record.id]), limit: 1)
        query.depth = .single
        let zone = scope.catalog.user(scope.access.user)?.zone ?? scope.catalog.zone
        let seen = scope.access.seen(scope.catalog)
        _ = try RecordReader.write(
            try Planner(seen, scope.access).plan(query), services.render(scope.catalog, zone), scope.tx, to: &json)
        json.endArray()
        var shown = try JSONValue.parse(json.finish()).array?.first ?? [:]
        for field in module.fields where field.isEncrypted { shown[field.apiName] = .null }
        return TemplateText(
            module: module, record: shown, sender: scope.catalog.user(scope.access.user)?.body ?? [:],
            people: scope.catalog.module("Users"), isHTML: isHTML)
    }

    /// A scheduled mail goes now. Returns whether its writer is still active, and its record there and not locked against mails.
    static func begin(_ email: Email, _ scope: WriteScope) throws -> Bool {
        guard let module = scope.catalog.module(id: email.place.module),
            scope.catalog.user(UserID(raw: email.owner))?.active == true
        else { return false }
        let rows = try Planner(scope.catalog, scope.access).rows([email.place.record], of: module, for: .sendMail, scope.tx)
        guard let record = rows[email.place.record] else { return false }
        do { try LockingConfiguration.refuse(.sendMail, on: record, scope) } catch { return false }
        let isFirst = try scope.tx.execute(
            "UPDATE sys_email SET state = 'waiting', at = \(scope.now) WHERE id = \(email.id) AND state = 'scheduled'")
        if isFirst == 1 { try tell(email, module, scope) }
        return true
    }

    /// Whether the record is there and neither it nor the receiver has said meanwhile that no mails are wanted. Writes nothing.
    static func isWanted(_ email: Email, by receiver: MailAddress, _ scope: WriteScope) throws -> Bool {
        guard let module = scope.catalog.module(id: email.place.module) else { return false }
        let rows = try Planner(scope.catalog, scope.access).rows([email.place.record], of: module, for: .view, locked: false, scope.tx)
        guard let record = rows[email.place.record], record["Email_Opt_Out"].integer != 1 else { return false }
        let box = Mailbox(nil, receiver)
        let unwilling = try EmailReceivers(record, naming: [box], scope).unwilling
        return try !Kept([box], unwilling: unwilling, scope).of([box]).isEmpty
    }

    /// The record's history and its last activity tell of the mail.
    private static func tell(_ email: Email, _ module: Module, _ scope: WriteScope) throws {
        let what: JSONValue = ["message_id": .string(email.token), "subject": .string(email.subject)]
        try ChangeLog.append([.init(module.id, email.place.record, .mailed, after: what)], scope)
        guard let table = module.table, let column = module.field("Last_Activity_Time")?.columns.first else { return }
        try scope.tx.execute(
            "UPDATE \(table) SET \(column) = \(scope.now), row_version = row_version + 1 WHERE id = \(email.place.record)")
    }
}

extension TemplateText {
    fileprivate var plain: TemplateText { TemplateText(module: module, record: record, sender: sender, people: people, isHTML: false) }
}

extension EmailDesk {
    /// Subject and content: what the caller gave, else the template's.
    fileprivate struct Text {
        var subject: String
        var content: String
        var format: Email.Format
        private let hasSubject: Bool
        private let hasContent: Bool

        init(subject: String?, content: String?, format: Email.Format) {
            (self.subject, self.content, self.format) = (subject ?? "", content ?? "", format)
            (hasSubject, hasContent) = (subject != nil, content != nil)
        }

        mutating func complete(with template: Template) {
            if !hasSubject { subject = template.subject }
            guard !hasContent else { return }
            content = template.content
            format = template.mode == .plainText ? .text : .html
        }
    }

    /// Receivers that get the mail, and those that do not: blocked addresses, and people who want none.
    fileprivate struct Kept {
        private let blocked: Set<String>
        private let unwilling: Set<String>
        let omitted: [(address: String, reason: String)]

        init(_ all: [Mailbox], unwilling: Set<String>, _ scope: WriteScope) throws {
            let entries = try BlockedAddresses.entries(all.map(\.address), scope.tx)
            let blocked = Set(entries.filter(\.value.isBlocked).keys)
            var seen: Set<String> = []
            omitted = all.compactMap { box in
                let key = box.address.folded
                guard seen.insert(key).inserted else { return nil }
                if unwilling.contains(key) { return (box.address.text, "opted out") }
                return blocked.contains(key) ? (box.address.text, "bounced") : nil
            }
            self.blocked = blocked
            self.unwilling = unwilling
        }

        func of(_ boxes: [Mailbox]) -> [Mailbox] {
            boxes.filter { !blocked.contains($0.address.folded) && !unwilling.contains($0.address.folded) }
        }

        /// Each once.
        func receivers(of boxes: [Mailbox]) -> [MailAddress] {
            var seen: Set<String> = []
            return of(boxes).map(\.address).filter { seen.insert($0.folded).inserted }
        }

        func require(_ to: [Mailbox]) throws(Rejection) {
            guard of(to).isEmpty else { return }
            let optedOut = to.contains { unwilling.contains($0.address.folded) }
            let reason = optedOut ? "the receiver has opted out of mails" : "mails to the address came back, it is blocked"
            throw Rejection(.notAllowed, message: reason, .other("blocked_email_addresses", Self.json(omitted)))
        }

        private static func json(_ omitted: [(address: String, reason: String)]) -> JSONValue {
            .array(omitted.map { ["email": .string($0.address), "reason": .string($0.reason)] })
        }
    }
}

extension SentEmail {
    package var omittedJSON: JSONValue? {
        omitted.isEmpty ? nil : .array(omitted.map { ["email": .string($0.address), "reason": .string($0.reason)] })
    }
}

extension Services {
    /// Carries out what a call asks for each item on the mails of one record, one after another; one that is refused leaves nothing behind.
    package func writeEmails<Item: Sendable>(
        _ items: [Item], on record: RecordID, of module: Module, _ catalog: Catalog, _ access: AccessPolicy,
        _ work: @Sendable @escaping (EmailDesk, Item) throws -> JSONValue
    ) async throws -> [Result<JSONValue, Rejection>] {
        try await write(catalog, access, .api) { scope in
            let desk = try EmailDesk(record, of: module, self, scope)
            return try items.map { item in
                do {
                    var result: JSONValue = .null
                    try scope.tx.savepoint { result = try work(desk, item) }
                    return .success(result)
                } catch let refusal as Rejection {
                    return .failure(refusal)
                }
            }
        }
    }
}
