import Metadata
import SQLStore
import Wire

/// Invitations to events: the master is invited in the child's place.
struct InvitationFollower: MergeFollower {
    let loggedElsewhere: [ChangeLog.Kind] = [.participantsMoved]

    func interest(in request: MergeRequest, _ scope: WriteScope) -> MergeInterest {
        .anyRow(of: "sys_event_participant", "record_id")
    }

    func forecast(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        count(try EventParticipants.count(request.succession, scope), &outcome)
    }

    func follow(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws {
        count(try EventParticipants.follow(request.succession, named: request.master.displayName, scope), &outcome)
    }

    func undo(_ merge: UndoneMerge, _ outcome: inout UnmergeOutcome, _ scope: WriteScope) throws {
        outcome.countBack(
            try EventParticipants.restore(try merge.logged(.participantsMoved, scope.tx), scope), as: "Events.Participants")
    }

    private func count(_ events: Int, _ outcome: inout MergeOutcome) {
        if events > 0 { outcome.moved["Events.Participants"] = events }
    }
}
