import Metadata
import SQLStore
import Wire

/// What a part of the server does with its rows about a record when that record is merged, and when the merge is taken back.
///
/// Lookups need none of this: a row whose lookup points at a child is re-pointed by the metadata, its table known or not. A follower
/// is for tables of the house that name a record by its id: tags, shares, invitations, portal users. It is a type and a line in
/// `MergeFollowers.all`.
///
/// Followers are called in the merge's transaction, when lookups point at the survivor, the children are buried and the survivor has
/// its values. What a follower changes of a record it logs (`ChangeLog`, under the scope's group), so that `undo` can put it back.
package protocol MergeFollower: Sendable {
    /// When there is anything to do. Asked together with what hangs on the children, so that a merge of records without any costs nothing.
    func interest(in request: MergeRequest, _ scope: WriteScope) -> MergeInterest
    /// What `follow` would add to the outcome; writes nothing.
    func forecast(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws
    /// Gives the survivor what is the children's. Rows gained are counted in `outcome.moved`; what people should know goes to its warnings.
    func follow(_ request: MergeRequest, _ outcome: inout MergeOutcome, _ scope: WriteScope) throws
    /// Puts back what `follow` changed, where it is still as it left it. The children are there again. What `follow` counted and came
    /// back is counted in `outcome.movedBack`; what could not be given back is named there.
    func undo(_ merge: UndoneMerge, _ outcome: inout UnmergeOutcome, _ scope: WriteScope) throws
    /// What it logs of records other than those merged. That goes with the journal when the time for an undo is over.
    var loggedElsewhere: [ChangeLog.Kind] { get }
}

extension MergeFollower {
    package var loggedElsewhere: [ChangeLog.Kind] { [] }
}

/// When a follower has anything to do.
package enum MergeInterest: Sendable {
    case never
    case always
    /// Whenever the table has a row one of whose columns is one of the participants. Give each column an index.
    case rows(of: TableName, by: [ColumnName])

    static func anyRow(of table: TableName, _ columns: ColumnName...) -> MergeInterest { .rows(of: table, by: columns) }
}

/// A merge that is being taken back, with what the log holds of it.
package struct UndoneMerge: Sendable {
    package let id: RecordID
    package let master: RecordID
    package let module: Module

    /// What the merge logged of one kind, in order.
    func logged(_ kind: ChangeLog.Kind, _ tx: Transaction) throws -> [(record: RecordID, before: JSONValue, after: JSONValue)] {
        try tx.rows(
            "SELECT record_id, before, after FROM sys_change WHERE group_id = \(id) AND kind = \(.text(kind.rawValue)) ORDER BY sequence"
        ) { row in
            (
                RecordID(raw: row.integer(0) ?? 0), try row.text(1).map(JSONValue.parse) ?? .null,
                try row.text(2).map(JSONValue.parse) ?? .null
            )
        }
    }
}
