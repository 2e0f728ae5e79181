import Metadata
import SQLStore
import Wire

/// Mails of the children, and those that only showed them, are the master's.
struct EmailFollower: MergeFollower {
    let loggedElsewhere: [ChangeLog.Kind] = [.mailMoved, .mailLinkMoved]

    func interest(in request: MergeRequest, _ scope: WriteScope) -> MergeInterest {
        .anyRow(of: "sys_email", "record_id", "linked_id")
    }

    func forecast(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        count(try Emails.count(request.succession, scope), &outcome)
    }

    func follow(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        count(try Emails.follow(request.succession, scope), &outcome)
    }

    /// Mails that are elsewhere by now stay there.
    func undo(_ merge: UndoneMerge, _ outcome: inout UnmergeOutcome, _ scope: WriteScope) throws {
        for (column, kind) in [("record_id", ChangeLog.Kind.mailMoved), ("linked_id", .mailLinkMoved)] as [(ColumnName, ChangeLog.Kind)] {
            let logged: SQL = "c.group_id = \(merge.id) AND c.kind = \(.text(kind.rawValue))"
            let moved: SQL = "e.id IN (SELECT c.record_id FROM sys_change c WHERE \(logged)) AND e.\(column) = \(merge.master)"
            try scope.tx.lockForChange("SELECT e.id FROM sys_email e WHERE \(moved) ORDER BY e.id")
            let back = try scope.tx.execute(
                """
                UPDATE sys_email AS e SET \(column) = CAST(c.before AS \(.type(.integer))) FROM sys_change c WHERE \(logged) \
                AND c.record_id = e.id AND e.\(column) = \(merge.master)
                """)
            outcome.countBack(back, as: "Emails")
        }
    }

    private func count(_ mails: Int, _ outcome: inout MergeOutcome) {
        if mails > 0 { outcome.moved["Emails"] = mails }
    }
}
