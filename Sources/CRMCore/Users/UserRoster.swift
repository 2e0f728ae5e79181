import Metadata
import Wire

/// Who is what among the users of one catalog: administrators, the primary contact, who is above whom.
package struct UserRoster: Sendable {
    /// As many as may be active at once where the organisation's licence names no number: all users are held in memory.
    package static let capacity = 10_000

    private let catalog: Catalog

    package init(_ catalog: Catalog) { self.catalog = catalog }

    func isAdministrators(profile: RecordID) -> Bool { profile == catalog.administratorProfile }

    package func isAdministrator(_ user: User) -> Bool { isAdministrators(profile: user.profile) }

    /// Who set the organisation up. That account is never lost.
    package func isPrimaryContact(_ user: User) -> Bool { catalog.users.first?.id == user.id }

    /// Whether nobody else could change anything if this one could not.
    package func isLastAdministrator(_ user: User) -> Bool {
        user.active && isAdministrator(user) && !catalog.users.contains { $0.id != user.id && $0.active && isAdministrator($0) }
    }

    /// How many may be active.
    package var licences: Int {
        let bought = catalog.organization["license_details"]?["users_license_purchased"]?.int64 ?? 0
        return bought > 0 ? Int(bought) : Self.capacity
    }

    package var active: Int { catalog.users.count(where: \.active) }

    package func requireLicence() throws(Rejection) {
        guard active < licences else { throw Rejection(.licenseLimitExceeded, .other("limit", .integer(licences))) }
    }

    /// Whether `user` reports to `superior`, directly or further up.
    package func reports(_ user: UserID, to superior: UserID) -> Bool {
        var seen: Set<UserID> = []
        var next = catalog.user(user)?.superior
        while let id = next, seen.insert(id).inserted {
            if id == superior { return true }
            next = catalog.user(id)?.superior
        }
        return false
    }

    /// Who has the address; addresses of deleted users are free.
    package func holder(of email: String) -> User? {
        let wanted = email.lowercased()
        return catalog.users.first { $0.status != "deleted" && $0.email.lowercased() == wanted }
    }
}

extension User {
    /// Whom the user reports to, apart from roles.
    package var superior: UserID? { body["Reporting_To"]?["id"]?.looseInt64.map(UserID.init(raw:)) }

    package var confirmed: Bool { body["confirm"]?.bool ?? false }
}
