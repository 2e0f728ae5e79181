import Metadata
import SQLStore
import Wire

/// One record shown to somebody beyond what roles allow. Contract: share.
package struct RecordShare: Sendable, Hashable {
    package enum Target: String, Sendable, CaseIterable {
        case users, groups, roles
        /// Everybody; then it is the only share of the record.
        case everybody = "public"
    }

    package enum Permission: String, Sendable, CaseIterable, Comparable {
        case readOnly = "read_only"
        case readWrite = "read_write"
        case fullAccess = "full_access"

        private var rank: Int {
            switch self {
            case .readOnly: 0
            case .readWrite: 1
            case .fullAccess: 2
            }
        }
        package static func < (left: Permission, right: Permission) -> Bool { left.rank < right.rank }
    }

    package let target: Target
    /// The user, group or role; 0 for everybody.
    package let targetID: RecordID
    package var permission: Permission
    package var withRelated: Bool
    package let sharedBy: Int64?
    package let sharedAt: Instant

    package init(_ target: Target, _ targetID: RecordID, _ permission: Permission, withRelated: Bool, by user: UserID, at now: Instant) {
        self.target = target
        self.targetID = targetID
        self.permission = permission
        self.withRelated = withRelated
        sharedBy = user.raw
        sharedAt = now
    }

    init(_ row: borrowing Row, from column: Int) {
        target = Target(rawValue: row.text(column) ?? "") ?? .users
        targetID = RecordID(raw: row.integer(column + 1) ?? 0)
        permission = Permission(rawValue: row.text(column + 2) ?? "") ?? .readOnly
        withRelated = row.integer(column + 3) == 1
        sharedBy = row.integer(column + 4)
        sharedAt = Instant(milliseconds: row.integer(column + 5) ?? 0)
    }

    /// The form kept in the change log.
    var json: JSONValue {
        [
            .string(target.rawValue), .id(targetID), .string(permission.rawValue), .bool(withRelated), .init(sharedBy),
            .integer(sharedAt.milliseconds),
        ]
    }

    init?(_ json: JSONValue) {
        guard let parts = json.array, parts.count == 6, let target = parts[0].string.flatMap(Target.init(rawValue:)),
            let permission = parts[2].string.flatMap(Permission.init(rawValue:))
        else { return nil }
        self.target = target
        targetID = RecordID(raw: parts[1].looseInt64 ?? 0)
        self.permission = permission
        withRelated = parts[3].bool ?? false
        sharedBy = parts[4].int64
        sharedAt = Instant(milliseconds: parts[5].int64 ?? 0)
    }

    func isFor(_ other: RecordShare) -> Bool { target == other.target && targetID == other.targetID }

    var columns: [SQLValue] {
        [.text(target.rawValue), .id(targetID), .text(permission.rawValue), .init(withRelated), .init(sharedBy), .init(sharedAt)]
    }
}

extension JSONValue {
    fileprivate init(_ number: Int64?) { self = number.map { .integer($0) } ?? .null }
}
