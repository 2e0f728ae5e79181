import Metadata
import SQLStore
import Wire

/// Reads from the change log when fields were written.
enum FieldHistory {
    /// Per record, as many of its newest changes as a person could have made; older ones say nothing about the newest value.
    private static let depth = 200

    /// The last time each field of each record changed. Fields that never changed since the record was made are absent.
    static func lastWritten(_ ids: [RecordID], _ tx: Transaction) throws -> [RecordID: [FieldID: Int64]] {
        var found: [RecordID: [FieldID: Int64]] = [:]
        // One probe of the index for each of at most a hundred records.
        for id in ids {
            try tx.forEach(
                """
                SELECT at, after FROM sys_change WHERE record_id = \(id) AND kind = 'updated' ORDER BY sequence DESC LIMIT \(.integer(Int64(depth)))
                """
            ) { row in
                let at = row.integer(0) ?? 0
                for member in try JSONValue.parse(row.text(1) ?? "{}").members ?? [] {
                    guard let field = Int64(member.name).map(FieldID.init(raw:)), found[id]?[field] == nil else { continue }
                    found[id, default: [:]][field] = at
                }
            }
        }
        return found
    }
}
