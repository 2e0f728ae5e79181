import Metadata
import SQLStore
import Wire

/// A user of a portal as lists show them.
package struct PortalUser: Sendable {
    package let record: RecordID
    package let name: String?
    package let email: String
    package let isActive: Bool
    package let isConfirmed: Bool
    package let reason: String?
    package let invitedAt: Instant
}

/// Which users of a kind are asked for. Contract: portals, 90.
package struct PortalUserFilter: Sendable {
    package enum Group: String, Sendable, CaseIterable {
        case all = "AllUsers"
        case allActive = "AllActiveUsers"
        case active = "ActiveUsers"
        case inactive = "DeactiveUsers"
        case unconfirmed = "NotConfirmedUsers"
        case confirmed = "ConfirmedUsers"
        case activeConfirmed = "ActiveConfirmedUsers"
    }

    package let group: Group
    /// The reason of the status, and whether it must be this or any other; `nil` inside for none.
    package let reason: (equal: Bool, value: String?)?

    package init(_ group: Group, reason: (equal: Bool, value: String?)?) {
        self.group = group
        self.reason = reason
    }

    fileprivate var sql: SQL {
        let group: SQL =
            switch group {
            case .all: "1 = 1"
            case .allActive, .active: "p.active = 1"
            case .inactive: "p.active = 0"
            case .unconfirmed: "p.confirmed = 0"
            case .confirmed: "p.confirmed = 1"
            case .activeConfirmed: "p.active = 1 AND p.confirmed = 1"
            }
        guard let reason else { return group }
        guard let value = reason.value else {
            return reason.equal ? "\(group) AND p.status_reason IS NULL" : "\(group) AND p.status_reason IS NOT NULL"
        }
        if reason.equal { return "\(group) AND p.status_reason = \(.text(value))" }
        return "\(group) AND (p.status_reason IS NULL OR p.status_reason <> \(.text(value)))"
    }
}

extension RecordQueries {
    /// A page of the users of a kind whose records the caller sees, and how many there are.
    package func portalUsers(
        of type: PortalUserType, _ filter: PortalUserFilter, skipping: Int, limit: Int
    ) async throws -> (users: [PortalUser], total: Int64) {
        guard let module = catalog.module(id: type.personality), let table = module.table else { return ([], 0) }
        try access.require(.view, module)
        let visible: SQL = access.rows(of: module, for: .view, alias: "t").map { " AND \($0)" } ?? ""
        let name: SQL = module.displayColumn.map { "\($0, of: "t")" } ?? "NULL"
        let rows: SQL = """
            FROM sys_portal_user p JOIN \(table) t ON t.id = p.record_id WHERE p.user_type_id = \(type.id) AND p.email_key IS NOT NULL \
            AND \(filter.sql)\(visible)
            """
        // The address is the record's own: who may not see that does not see it here.
        let address = PortalUserType.address(of: module).map { access.right(on: $0) != .hidden } ?? false
        return try await read { tx in
            let total = try tx.first("SELECT count(*) \(rows)") { $0.integer(0) ?? 0 } ?? 0
            let users = try tx.rows(
                """
                SELECT p.record_id, \(name), p.email, p.active, p.confirmed, p.status_reason, p.invited_at \(rows) \
                ORDER BY p.record_id LIMIT \(.integer(Int64(limit))) OFFSET \(.integer(Int64(skipping)))
                """
            ) { row in
                PortalUser(
                    record: RecordID(raw: row.integer(0) ?? 0), name: row.text(1), email: address ? row.text(2) ?? "" : "",
                    isActive: row.integer(3) == 1, isConfirmed: row.integer(4) == 1, reason: row.text(5),
                    invitedAt: Instant(milliseconds: row.integer(6) ?? 0))
            }
            return (users, total)
        }
    }
}
