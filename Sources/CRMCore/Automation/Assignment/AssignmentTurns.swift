import Metadata
import SQLStore
import Wire

/// Whose turn it is in each entry of an assignment rule. What is kept is who was last, rather than a number: people may join, leave
/// and be away without anybody being passed over. Owns `sys_assignment_turn`.
enum AssignmentTurns {
    static let schema: [SQL] = [
        """
        CREATE TABLE sys_assignment_turn (entry_id \(.type(.integer)) PRIMARY KEY, last_user \(.type(.integer)) NOT NULL)\(.strict)
        """
    ]

    /// The next `count` of these people, after whoever was last. Others who ask for the same entry wait for the end of the transaction.
    static func take(_ count: Int, of people: [UserID], _ entry: RecordID, _ tx: Transaction) throws -> [UserID] {
        guard count > 0, !people.isEmpty else { return [] }
        if people.count == 1 { return Array(repeating: people[0], count: count) }
        let last = try tx.first(
            """
            INSERT INTO sys_assignment_turn (entry_id, last_user) VALUES (\(entry), 0) \
            ON CONFLICT (entry_id) DO UPDATE SET last_user = sys_assignment_turn.last_user RETURNING last_user
            """
        ) { $0.integer(0) ?? 0 }
        let sorted = people.sorted { $0.raw < $1.raw }
        let first = sorted.firstIndex { $0.raw > last ?? 0 } ?? 0
        let taken = (0..<count).map { sorted[(first + $0) % sorted.count] }
        try tx.execute(
            "UPDATE sys_assignment_turn SET last_user = \(.integer(taken[count - 1].raw)) WHERE entry_id = \(entry)")
        return taken
    }

    static func forget(_ entries: [RecordID], _ tx: Transaction) throws {
        guard !entries.isEmpty else { return }
        try tx.execute("DELETE FROM sys_assignment_turn WHERE \(.memberIDs("entry_id", entries.map(\.raw)))")
    }
}
