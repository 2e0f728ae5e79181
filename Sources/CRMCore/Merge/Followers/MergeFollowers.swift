import Metadata
import SQLStore

/// Everything of the house that goes along with a merge, besides lookups. A new one is a file and a line here.
package enum MergeFollowers {
    package static let all: [any MergeFollower] = [
        TagFollower(),
        FileFollower(),
        InvitationFollower(),
        ShareFollower(),
        TerritoryFollower(),
        BlueprintFollower(),
        EmailFollower(),
        ScoreFollower(),
        PortalFollower(),
        CadenceFollower(),
    ]

    /// Those that have something to do in a merge, in their order.
    static func chosen(_ positions: [Int]) -> [any MergeFollower] { positions.map { all[$0] } }

    /// What followers log of records other than those merged.
    static var loggedElsewhere: [ChangeLog.Kind] { all.flatMap(\.loggedElsewhere) }
}
