import Metadata
import SQLStore
import Wire

/// Asks a person, by mail, to become a user of a portal. Contract: portals, 86 and 87.
package struct PortalInvitation: Sendable {
    package enum Kind: String, Sendable, CaseIterable { case invite, reinvite }

    /// The words of the page (86).
    package static let languages = [
        "en_US", "en_GB", "bg_BG", "zh_CN", "zh_TW", "hr_HR", "ar_EG", "in_ID", "cs_CZ", "da_DK", "nl_NL", "fr_FR", "de_DE", "hu_HU",
        "hi_IN",
        "it_IT", "ja_JP", "pl_PL", "pt_BR", "pt_PT", "ru_RU", "es_ES", "sv_SE", "th_TH", "tr_TR", "vi_VN", "ko_KR", "iw_IL",
    ]
    /// How long the link of a mail opens the door.
    package static let lifetimeMilliseconds: Int64 = 14 * 86_400_000

    package let kind: Kind
    package let type: PortalUserType
    package let language: String
    /// Our own address: where the link leads. Never what a caller calls us.
    package let origin: String

    package init(_ kind: Kind, as type: PortalUserType, language: String, origin: String) {
        self.kind = kind
        self.type = type
        self.language = language
        self.origin = origin
    }

    /// The active kind of that id, for records of a module.
    package static func type(_ id: RecordID, for module: ModuleID, _ catalog: Catalog) -> PortalUserType? {
        PortalUserType.find(id, catalog).flatMap { $0.isActive && $0.personality == module ? $0 : nil }
    }

    package func send(to id: RecordID, of module: Module, _ scope: WriteScope) throws {
        try scope.access.require(.view, module)
        let rows = try Planner(scope.catalog, scope.access).rows([id], of: module, for: .edit, scope.tx)
        guard let record = rows[id] else { throw rows.refusal(of: id, else: .invalidPathID(1)) }
        try refuseByState(record, scope)
        guard let field = PortalUserType.address(of: record.module), scope.access.right(on: field) != .hidden,
            let address = record[field].text.flatMap({ MailAddress($0) })
        else { throw Rejection(.invalidData, message: "the record has no address", .apiName("Email"), .resourcePathIndex(1)) }
        let key = address.text.lowercased()
        guard !scope.catalog.users.contains(where: { $0.email.lowercased() == key && $0.status != "deleted" }) else {
            throw Rejection(
                .invalidData, message: "the address is that of a user of the organisation", .apiName(field.apiName), .resourcePathIndex(1))
        }
        try refuseByHistory(id, scope)
        try write(record, address, key, scope)
    }

    private func refuseByState(_ record: Record, _ scope: WriteScope) throws(Rejection) {
        if record.heldByMerge != nil { throw Rejection(.recordLocked, .resourcePathIndex(1)) }
        if record.isConverted { throw Rejection(.cannotProcess, message: "the record has been converted", .resourcePathIndex(1)) }
        try LockingConfiguration.refuse(.sendPortalInvitation, on: record, scope)
    }

    private func refuseByHistory(_ id: RecordID, _ scope: WriteScope) throws {
        let known = try PortalUsers.entries(of: [id], scope.tx)[id]
        switch kind {
        case .invite where known != nil:
            throw Rejection(.cannotProcess, message: "the record is invited already", .resourcePathIndex(1))
        case .reinvite where known == nil:
            throw Rejection(.cannotProcess, message: "the record is not invited yet", .resourcePathIndex(1))
        case .reinvite where known?.isConfirmed == true:
            throw Rejection(.cannotProcess, message: "the invitation is accepted already", .resourcePathIndex(1))
        default: break
        }
    }

    private func write(_ record: Record, _ address: MailAddress, _ key: String, _ scope: WriteScope) throws {
        let secret = Secrets.hex(Secrets.randomBytes(32))
        let expires = Instant(milliseconds: scope.now.milliseconds + Self.lifetimeMilliseconds)
        let row: [SQLValue] = [
            .id(record.id), .integer(record.module.id.raw), .id(type.id), .text(address.text), .text(key), .text(language), .integer(1),
            .integer(0), .null, .integer(scope.access.user.raw), .init(scope.now), .init(expires), .text(Secrets.fingerprint(secret)),
        ]
        do {
            try scope.tx.savepoint {
                try PortalUsers.remove([record.id], scope.tx)
                try scope.tx.insert(into: "sys_portal_user", PortalUsers.columns, rows: [row])
            }
        } catch SQLFailure.unique {
            throw Rejection(.duplicateData, message: "a portal user has that address", .apiName("Email"), .resourcePathIndex(1))
        }
        try mail(record, address, secret, until: expires, scope)
    }

    private func mail(_ record: Record, _ address: MailAddress, _ secret: String, until expires: Instant, _ scope: WriteScope) throws {
        guard let portal = Portal.all(scope.catalog).first(where: { $0.id == type.portal }) else { return }
        let who = Mail.line(scope.catalog.user(scope.access.user)?.fullName ?? "Somebody")
        let company = Mail.line(scope.catalog.organization["company_name"]?.string ?? "the organisation")
        let day = expires.iso(offsetMinutes: scope.catalog.zone.offsetMinutes(at: expires)).prefix(10)
        let text = """
            \(who) invites you to the portal \(portal.name) of \(company).

            Open this address to accept. It is good until \(day):
            \(origin)/portals/\(portal.name)/invitations/\(secret)

            """
        try Outbox.add([Mail(to: address, subject: "You are invited to \(portal.name)", text: text)], scope)
    }
}

extension PortalInvitation {
    /// An invitation as the link of its mail finds it.
    package struct Open: Sendable {
        package let portal: String
        package let organization: String
        package let isAccepted: Bool
    }

    /// `nil` for a link that never was, is too old, or belongs to somebody who is a user no more.
    package static func open(_ secret: String, portal name: String, _ services: Services, _ catalog: Catalog) async throws -> Open? {
        let now = services.clock()
        let found = try await services.database.run(.read) { tx in try find(secret, at: now, tx) }
        guard let found, let portal = portal(of: found, name, catalog) else { return nil }
        return Open(portal: portal.name, organization: catalog.organization["company_name"]?.string ?? "", isAccepted: found.confirmed)
    }

    /// The person agrees. False when there is nothing to agree to.
    package static func accept(_ secret: String, portal name: String, _ services: Services, _ catalog: Catalog) async throws -> Bool {
        let now = services.clock()
        return try await services.database.run(.write) { tx in
            guard let found = try find(secret, at: now, tx), portal(of: found, name, catalog) != nil else { return false }
            try tx.execute("UPDATE sys_portal_user SET confirmed = 1 WHERE record_id = \(found.record)")
            return true
        }
    }

    private static func find(_ secret: String, at now: Instant, _ tx: Transaction) throws -> (
        record: RecordID, type: RecordID, confirmed: Bool
    )? {
        guard !secret.isEmpty, secret.utf8.count <= 100, !secret.utf8.contains(0) else { return nil }
        return try tx.first(
            """
            SELECT record_id, user_type_id, confirmed FROM sys_portal_user p WHERE secret = \(.text(Secrets.fingerprint(secret))) \
            AND expires_at > \(now) AND active = 1 AND NOT EXISTS (SELECT 1 FROM sys_grave g WHERE g.id = p.record_id)
            """
        ) { (RecordID(raw: $0.integer(0) ?? 0), RecordID(raw: $0.integer(1) ?? 0), $0.integer(2) == 1) }
    }

    private static func portal(of found: (record: RecordID, type: RecordID, confirmed: Bool), _ name: String, _ catalog: Catalog) -> Portal?
    {
        guard let type = PortalUserType.find(found.type, catalog), type.isActive else { return nil }
        return Portal.named(name, catalog).flatMap { $0.id == type.portal ? $0 : nil }
    }
}
