import Metadata
import SQLStore
import Wire

extension EmailDesk {
    /// Puts a mail that went elsewhere with the record, once. Contract: emails, 225.
    package func associate(_ given: AssociatedEmail) throws -> String {
        let taken = try scope.tx.first(
            "SELECT 1 FROM sys_email e WHERE \(Emails.belongs(to: record.id)) AND e.original_id = \(.text(given.original)) LIMIT 1"
        ) { _ in true }
        if taken == true { throw Rejection.duplicate(at: given.path.appending("original_message_id")) }
        let id = scope.ids.next()
        var email = Email(
            id: id, token: Secrets.hex(Secrets.randomBytes(32)), place: .init(module.id, record.id),
            owner: (given.owner ?? scope.access.user).raw, state: .associated, isOutgoing: given.isOutgoing, format: given.format,
            sender: Emails.json(given.from),
            people: [
                "to": .array(given.to.map(Emails.json)), "cc": .array(given.cc.map(Emails.json)), "bcc": .array(given.bcc.map(Emails.json)),
                "reply_to": .null,
            ], subject: Mail.line(given.subject), content: given.content, files: Int64(given.files.count), at: given.at,
            original: given.original, thread: id, createdAt: scope.now, modifiedAt: scope.now)
        if let linked = given.linked {
            // Held, so that it cannot be merged away before the mail is there.
            let rows = try Planner(scope.catalog, scope.access).rows([linked.id], of: linked.module.whole, for: .view, scope.tx)
            guard rows[linked.id] != nil else {
                throw Rejection.invalid(at: linked.path.appending("id"), message: "the parent entity id given seems to be invalid")
            }
            email.linked = .init(linked.module.id, linked.id)
        }
        try hold(given.files.map { ($0.file.id, $0.name) }, given.inline, of: id)
        try Emails.insert(email, scope.tx)
        return email.token
    }

    package func add(_ draft: EmailDraft) throws -> String {
        let id = scope.ids.next()
        var email = Email(
            id: id, token: Secrets.hex(Secrets.randomBytes(32)), place: .init(module.id, record.id), owner: scope.access.user.raw,
            state: .draft, sender: [:], people: [:], subject: "", content: "", at: scope.now, thread: id, createdAt: scope.now,
            modifiedAt: scope.now)
        write(draft, to: &email)
        try hold((draft.files ?? []).map { ($0.file.id, $0.name) }, draft.inline, of: id)
        try Emails.insert(email, scope.tx)
        return email.token
    }

    /// Everything but the document of an inventory record is as the caller says now; files that he does not speak of stay.
    package func change(_ token: String, to draft: EmailDraft) throws {
        guard var email = try Emails.find(token, of: record.id, scope.tx), email.state == .draft else {
            throw Rejection.invalid(at: draft.path.appending("id"))
        }
        try requireWriter(of: email)
        var details = draft.details
        details["inventory_details"] = email.details["inventory_details"] ?? .null
        let files = email.files
        write(draft, to: &email)
        email.details = details
        let held = try FieldFiles.entries(where: "h.record_id = \(email.id)", scope.tx)
        let dropped = held.filter { $0.field == Emails.inline || draft.files != nil }
        try FieldFiles.remove(dropped, at: scope.now, scope.tx)
        try hold((draft.files ?? []).map { ($0.file.id, $0.name) }, draft.inline, of: email.id)
        if draft.files == nil { email.files = files }
        try Emails.update(email, scope.tx)
    }

    package func remove(_ token: String) throws {
        guard let email = try Emails.find(token, of: record.id, scope.tx), email.state == .draft else { throw Rejection.invalidPathID(3) }
        try requireWriter(of: email)
        try FieldFiles.removeAll(of: [email.id], at: scope.now, scope.tx)
        try scope.tx.execute("DELETE FROM sys_email WHERE id = \(email.id)")
    }

    /// Who sees the record reads its drafts; they are changed and dropped by their writers, and by administrators.
    private func requireWriter(of draft: Email) throws(Rejection) {
        let user = scope.access.user
        guard draft.owner == user.raw || scope.catalog.isAdministrator(user) else {
            throw Rejection(.noPermission, message: "the draft is another user's", .other("id", .string(draft.token)))
        }
    }

    private func write(_ draft: EmailDraft, to email: inout Email) {
        email.format = draft.isRich ? .html : .text
        email.sender = Emails.json(Mailbox(nil, draft.from))
        email.people = [
            "to": .array(draft.to.map(Emails.json)), "cc": .array(draft.cc.map(Emails.json)), "bcc": .array(draft.bcc.map(Emails.json)),
            "reply_to": draft.replyTo.map { Emails.json(Mailbox(nil, $0)) } ?? .null,
        ]
        email.subject = Mail.line(draft.subject)
        email.content = draft.content
        email.files = Int64(draft.files?.count ?? 0)
        email.details = draft.details
        email.at = scope.now
        email.modifiedAt = scope.now
    }
}
