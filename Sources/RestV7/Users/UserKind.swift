import CRMCore
import HTTPShell
import Metadata
import Wire

/// Which users a call means by its parameter `type`. Contract: users, section note; records, 131.
struct UserKind: Sendable {
    private static let listed = [
        "AllUsers", "ActiveUsers", "DeactiveUsers", "ConfirmedUsers", "NotConfirmedUsers", "DeletedUsers", "ActiveConfirmedUsers",
        "AdminUsers", "ActiveConfirmedAdmins", "CurrentUser",
    ]
    /// Searches know one more.
    private static let searched = listed + ["ConfirmedReportingUsers"]

    private let name: String

    init(_ request: ParsedRequest, search: Bool = false) throws(Rejection) {
        name = request.query("type").flatMap { $0.isEmpty ? nil : $0 } ?? "AllUsers"
        let known = search ? Self.searched : Self.listed
        guard known.contains(name) else { throw Rejection(.invalidData, .parameter("type"), .supportedValues(known)) }
    }

    /// Deleted users are among those of one kind only.
    func users(_ context: RequestContext) -> [User] {
        let roster = UserRoster(context.catalog)
        let caller = context.access.user
        return context.catalog.users.filter { user in
            if name == "DeletedUsers" { return user.status == "deleted" }
            guard user.status != "deleted" else { return false }
            return switch name {
            case "ActiveUsers": user.active
            case "DeactiveUsers": user.status == "inactive"
            case "ConfirmedUsers": user.confirmed
            case "NotConfirmedUsers": !user.confirmed
            case "ActiveConfirmedUsers": user.active && user.confirmed
            case "AdminUsers": roster.isAdministrator(user)
            case "ActiveConfirmedAdmins": user.active && user.confirmed && roster.isAdministrator(user)
            case "CurrentUser": user.id == caller
            case "ConfirmedReportingUsers": user.confirmed && roster.reports(user.id, to: caller)
            default: true
            }
        }
    }
}
