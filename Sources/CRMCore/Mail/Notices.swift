import Metadata
import SQLStore
import Wire

/// A user who is told of records, as far as he may see them.
private struct Reader {
    let address: MailAddress
    private let access: AccessPolicy
    private let scope: WriteScope

    /// `nil` for users who are not there, not active, or without an address.
    init?(_ id: UserID, _ scope: WriteScope) {
        guard let address = scope.catalog.user(id).flatMap({ MailAddress($0.email) }),
            let access = try? AccessPolicy.of(id, scope.catalog)
        else { return nil }
        self.address = address
        self.access = access
        self.scope = scope
    }

    func seen(_ records: [Record]) throws -> [Record] {
        var seen: Set<RecordID> = []
        for group in Dictionary(grouping: records, by: \.module.id).values {
            guard let module = group.first?.module, access.may(.view, module) else { continue }
            seen.formUnion(try access.rows(Set(group.map(\.id)), of: module, for: .view, scope.tx))
        }
        return records.filter { seen.contains($0.id) }
    }

    /// What it is, what people call it, and its id.
    func naming(_ record: Record) -> String {
        let name = access.name(of: record).map { " \($0)" } ?? ""
        return Mail.line("\(record.module.singularLabel)\(name) (\(record.id))")
    }

    /// A list of records, a line each.
    func lines(_ records: [Record]) -> String {
        let shown = records.prefix(Notices.named).map { "- \(naming($0))\n" }.joined()
        return records.count > Notices.named ? shown + "and \(records.count - Notices.named) more\n" : shown
    }
}

/// What people are told by mail. Nobody learns of a record that he may not see.
enum Notices {
    /// As many records are named in one mail.
    static let named = 20

    /// Records belong to a user now.
    static func given(_ records: [Record], to owner: UserID, _ scope: WriteScope) throws {
        guard !records.isEmpty, let reader = Reader(owner, scope) else { return }
        let seen = try reader.seen(records)
        guard let first = seen.first else { return }
        let subject = seen.count == 1 ? "You own \(reader.naming(first))" : "You own \(seen.count) more records"
        let text = "\(actor(scope)) made you the owner of:\n\n\(reader.lines(seen))"
        try Outbox.add([Mail(to: reader.address, subject: subject, text: text)], scope)
    }

    /// New records, each to its owner.
    static func made(_ records: [Record], _ scope: WriteScope) throws {
        let owned = Dictionary(grouping: records) { $0["Owner"].integer ?? 0 }
        for (owner, records) in owned.sorted(by: { $0.key < $1.key }) { try given(records, to: UserID(raw: owner), scope) }
    }

    /// A lead became other records; its owner is told.
    static func converted(_ lead: Record, into records: [Record], _ scope: WriteScope) throws {
        guard let owner = lead["Owner"].integer, let reader = Reader(UserID(raw: owner), scope), try !reader.seen([lead]).isEmpty else {
            return
        }
        let name = reader.naming(lead)
        let seen = try reader.seen(records)
        let into = seen.isEmpty ? "." : " into:\n\n\(reader.lines(seen))"
        let text = "\(actor(scope)) converted \(name)\(into)"
        try Outbox.add([Mail(to: reader.address, subject: "\(name) was converted", text: text)], scope)
    }

    /// An event was called off; all who take part are told, each address once.
    static func cancelled(_ event: Record, _ scope: WriteScope) throws {
        let zone = scope.catalog.user(scope.access.user)?.zone ?? .utc
        let start = event["Start_DateTime"].integer.map { milliseconds -> String in
            let instant = Instant(milliseconds: milliseconds)
            let text = instant.iso(offsetMinutes: zone.offsetMinutes(at: instant))
            return " on \(text.prefix(10)) at \(text.dropFirst(11).prefix(5)) (UTC\(text.suffix(6)))"
        }
        var seen: Set<String> = []
        var mails: [Mail] = []
        for invitation in event.list("Participants") {
            guard let address = try address(of: invitation, event, scope), seen.insert(address.text.lowercased()).inserted else { continue }
            let title = Mail.line(event.displayName)
            let text = "\(actor(scope)) cancelled the meeting \(title)\(start ?? "").\n"
            mails.append(Mail(to: address, subject: "Cancelled: \(title)", text: text))
        }
        try Outbox.add(mails, scope)
    }

    private static func address(of invitation: JSONValue, _ event: Record, _ scope: WriteScope) throws -> MailAddress? {
        guard invitation["type"] == "user" else { return invitation["Email"]?.string.flatMap { MailAddress($0) } }
        guard let id = invitation["participant"]?.looseInt64, let reader = Reader(UserID(raw: id), scope) else { return nil }
        return try reader.seen([event]).isEmpty ? nil : reader.address
    }

    private static func actor(_ scope: WriteScope) -> String {
        Mail.line(scope.catalog.user(scope.access.user)?.fullName ?? "Somebody")
    }
}
