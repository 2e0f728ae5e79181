import Metadata
import SQLStore
import Wire

/// Which mails of a record are asked for. Contract: emails, 229.
package struct EmailQuestion: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case sent = "sent_from_crm"
        case scheduled = "scheduled_in_crm"
        case drafts
        case ofUser = "user_emails"
        case sentToContacts = "all_contacts_sent_crm_emails"
        case scheduledToContacts = "all_contacts_scheduled_crm_emails"
        case draftsToContacts = "all_contacts_draft_crm_emails"

        package var isOfContacts: Bool { [.sentToContacts, .scheduledToContacts, .draftsToContacts].contains(self) }
    }

    /// A test of one property.
    package enum Test: Sendable {
        case subject(String)
        case outgoing(Bool)
        case owner(UserID)
        case state([Email.State])
    }

    package let module: Module
    package let record: RecordID
    package var kind: Kind?
    package var owner: UserID?
    package var test: Test?
    /// After this mail; from the start without one.
    package var after: Position?

    package init(_ module: Module, _ record: RecordID) { (self.module, self.record) = (module, record) }

    /// Where a mail stands in the list, newest first.
    package struct Position: Sendable, Equatable {
        package let at: Instant
        package let id: RecordID

        package init(at: Instant, id: RecordID) { (self.at, self.id) = (at, id) }
    }

    /// The API gives ten at a time.
    package static let page = 10
}

/// A mail with what belongs to it, as somebody sees it.
package struct EmailView: Sendable {
    package let email: Email
    /// The record that shows it besides the one it was asked of, if the caller sees that one.
    package var other: (place: Email.Place, name: String?)?
    package var hasFilesInThread = false
    package var files: [(token: String, name: String, size: Int64)] = []
}

extension RecordQueries {
    package struct Emails: Sendable {
        package let views: [EmailView]
        package let more: Bool
        /// Where the page before begins, where there is one; its `after` may be nothing.
        package let previous: (exists: Bool, after: EmailQuestion.Position?)
    }

    /// A page of a record's mails; `nil` when the record is not there for the caller.
    package func emails(_ question: EmailQuestion) async throws -> Emails? {
        try access.require(.view, question.module)
        let planner = Planner(catalog, access)
        return try await read { tx in
            guard try planner.rows([question.record], of: question.module, for: .view, locked: false, tx)[question.record] != nil else {
                return nil
            }
            let condition = try condition(question)
            let size = EmailQuestion.page
            let beyond: SQL = question.after.map { " AND (e.at < \($0.at) OR (e.at = \($0.at) AND e.id < \($0.id)))" } ?? ""
            let found = try CRMCore.Emails.rows(where: condition + beyond, order: "e.at DESC, e.id DESC", limit: size + 1, tx)
            var before: (Bool, EmailQuestion.Position?) = (false, nil)
            if let after = question.after {
                let ahead: SQL = " AND (e.at > \(after.at) OR (e.at = \(after.at) AND e.id >= \(after.id)))"
                let page = try CRMCore.Emails.rows(where: condition + ahead, order: "e.at, e.id", limit: 1, skipping: size, tx)
                before = (true, page.first.map { .init(at: $0.at, id: $0.id) })
            }
            let views = try views(Array(found.prefix(size)), of: question.record, tx)
            return Emails(views: views, more: found.count > size, previous: before)
        }
    }

    private func condition(_ question: EmailQuestion) throws -> SQL {
        var parts: [SQL] = []
        if question.kind?.isOfContacts == true {
            let contacts = catalog.module("Contacts")?.whole
            guard let contacts, access.may(.view, contacts), let table = contacts.table,
                let lookup = contacts.field("Account_Name")?.columns.first
            else { return SQL.isFalse }
            let visible: SQL = access.rows(of: contacts, for: .view, alias: "t").map { " AND \($0)" } ?? ""
            parts.append("e.record_id IN (SELECT t.id FROM \(table) t WHERE t.\(lookup) = \(question.record)\(visible))")
        } else {
            parts.append(CRMCore.Emails.belongs(to: question.record))
        }
        switch question.kind {
        case nil: parts.append("e.state <> 'draft'")
        case .sent, .sentToContacts: parts.append("e.state IN ('waiting', 'sent', 'bounced', 'failed', 'kept')")
        case .scheduled, .scheduledToContacts: parts.append("e.state = 'scheduled'")
        case .drafts, .draftsToContacts: parts.append("e.state = 'draft'")
        case .ofUser: parts.append("e.state = 'associated' AND e.owner = \(.integer((question.owner ?? access.user).raw))")
        }
        switch question.test {
        case nil: break
        case .subject(let text): parts.append("e.subject = \(.text(text))")
        case .outgoing(let flag): parts.append("e.outgoing = \(.init(flag))")
        case .owner(let user): parts.append("e.owner = \(.integer(user.raw))")
        case .state(let states): parts.append("\(.memberTexts("e.state", states.map(\.rawValue)))")
        }
        return .joined(parts, by: " AND ")
    }

    /// One mail of a record, whole; `nil` in the first place when the record is not there.
    package func email(_ token: String, of record: RecordID, _ module: Module) async throws -> EmailView?? {
        try access.require(.view, module)
        let planner = Planner(catalog, access)
        return try await read { tx -> EmailView?? in
            guard try planner.rows([record], of: module, for: .view, locked: false, tx)[record] != nil else { return nil }
            guard let email = try CRMCore.Emails.find(token, of: record, tx) else { return .some(nil) }
            return try views([email], of: record, whole: true, tx).first
        }
    }

    /// Drafts of a record, newest first, or one of them, and whether the record wants no mails; `nil` when the record is not there.
    package func drafts(
        of record: RecordID, _ module: Module, only token: String? = nil, skipping: Int, limit: Int
    ) async throws -> (views: [EmailView], optedOut: Bool)? {
        try access.require(.view, module)
        let planner = Planner(catalog, access)
        return try await read { tx in
            guard let row = try planner.rows([record], of: module, for: .view, locked: false, tx)[record] else { return nil }
            if token?.utf8.contains(0) == true { return ([], false) }
            let one: SQL = token.map { " AND e.token = \(.text($0))" } ?? ""
            let found = try CRMCore.Emails.rows(
                where: "e.record_id = \(record) AND e.state = 'draft'" + one, order: "e.id DESC", limit: limit, skipping: skipping, tx)
            return (try views(found, of: record, whole: true, tx), row["Email_Opt_Out"].integer == 1)
        }
    }

    private func views(_ emails: [Email], of record: RecordID, whole: Bool = false, _ tx: Transaction) throws -> [EmailView] {
        let others = emails.compactMap { $0.other(from: record) }
        var names: [Email.Place: String?] = [:]
        for (id, places) in Dictionary(grouping: others, by: \.module) {
            guard let module = catalog.module(id: id)?.whole, access.may(.view, module) else { continue }
            let rows = try Planner(catalog, access).rows(places.map(\.record), of: module, for: .view, locked: false, tx)
            for place in places { if let row = rows[place.record] { names[place] = .some(access.name(of: row)) } }
        }
        let threads = Set(emails.map(\.thread.raw)).sorted()
        let withFiles = Set(
            try tx.rows("SELECT DISTINCT thread FROM sys_email WHERE \(.memberIDs("thread", threads)) AND files > 0") { $0.integer(0) ?? 0 }
        )
        var files: [RecordID: [(String, String, Int64)]] = [:]
        if whole {
            try tx.forEach(
                """
                SELECT h.record_id, f.token, coalesce(h.description, f.name), f.size FROM sys_field_file h JOIN sys_file f ON f.id = h.file_id \
                WHERE \(.memberIDs("h.record_id", emails.map(\.id.raw))) AND h.field_id = 0 ORDER BY h.record_id, h.position, h.id
                """
            ) { row in
                files[RecordID(raw: row.integer(0) ?? 0), default: []].append((row.text(1) ?? "", row.text(2) ?? "", row.integer(3) ?? 0))
            }
        }
        return emails.map { email in
            var view = EmailView(email: email)
            if let place = email.other(from: record), let name = names[place] { view.other = (place, name) }
            view.hasFilesInThread = withFiles.contains(email.thread.raw)
            view.files = files[email.id] ?? []
            return view
        }
    }

    /// A file of a mail of a record, by the file's id: attached, or shown by the text. `nil` in the first place when the record is not
    /// there, in the second when the mail has no such file.
    package func emailFile(
        _ file: String, of token: String, owner: UserID, isInline: Bool, record: RecordID, _ module: Module
    ) async throws -> RecordID?? {
        try access.require(.view, module)
        let planner = Planner(catalog, access)
        return try await read { tx -> RecordID?? in
            guard try planner.rows([record], of: module, for: .view, locked: false, tx)[record] != nil else { return nil }
            guard let email = try CRMCore.Emails.find(token, of: record, tx), email.owner == owner.raw, !file.utf8.contains(0) else {
                return .some(nil)
            }
            let field = isInline ? CRMCore.Emails.inline : CRMCore.Emails.attachments
            return try tx.first(
                """
                SELECT f.id FROM sys_field_file h JOIN sys_file f ON f.id = h.file_id WHERE h.record_id = \(email.id) \
                AND h.field_id = \(.integer(field.raw)) AND f.token = \(.text(file)) LIMIT 1
                """
            ) { .some(RecordID(raw: $0.integer(0) ?? 0)) } ?? .some(nil)
        }
    }

    /// Those whose mails stand with a record; `nil` when the record is not there.
    package func emailOwners(of record: RecordID, _ module: Module) async throws -> [Int64]? {
        try access.require(.view, module)
        let planner = Planner(catalog, access)
        return try await read { tx in
            guard try planner.rows([record], of: module, for: .view, locked: false, tx)[record] != nil else { return nil }
            return try tx.rows(
                "SELECT DISTINCT e.owner FROM sys_email e WHERE \(CRMCore.Emails.belongs(to: record)) AND e.state = 'associated' ORDER BY e.owner LIMIT 200"
            ) { $0.integer(0) ?? 0 }
        }
    }
}

extension Email {
    /// The record that shows it besides `record`.
    fileprivate func other(from record: RecordID) -> Place? {
        guard let linked else { return nil }
        if linked.record == record { return place.record == record ? nil : place }
        return linked
    }
}
