import Metadata
import Wire

extension Catalog {
    /// The profile that keeps every right: the first, which is the administrator's.
    package var administratorProfile: RecordID? { documents(.profile).first?.id }

    package func isAdministrator(_ user: UserID) -> Bool { self.user(user).map { $0.profile == administratorProfile } ?? false }
}
