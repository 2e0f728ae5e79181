import Metadata
import SQLStore
import Wire

/// Values of external fields that each user has for himself: nobody else sees them, and two users may give one value to two records.
/// Contract: records-using-external-id, section notes. They are no part of the record, so they neither move with a merge nor stand
/// in its history; a record that comes back finds them again.
enum ExternalValues {
    static let table: TableName = "sys_external_value"

    static let schema: [SQL] = [
        """
        CREATE TABLE \(table) (field_id \(.type(.integer)) NOT NULL, user_id \(.type(.integer)) NOT NULL, record_id \(.type(.integer)) NOT NULL,
            value \(.type(.text)) NOT NULL, PRIMARY KEY (record_id, field_id, user_id))\(.strict)
        """,
        "CREATE UNIQUE INDEX sys_external_value_key ON \(table) (field_id, user_id, \(.folded("value")))",
    ]

    /// The value of a record for a user, as an expression.
    static func value(of record: SQL, _ field: Field, for user: UserID) -> SQL {
        "(SELECT e.value FROM \(table) e WHERE e.record_id = \(record) AND e.field_id = \(.literal(field.id.raw)) AND e.user_id = \(.literal(user.raw)))"
    }

    /// Records whose value for a user passes a test, as a statement to stand inside another.
    static func records(_ field: Field, for user: UserID, where test: SQL) -> SQL {
        "SELECT e.record_id FROM \(table) e WHERE e.field_id = \(.literal(field.id.raw)) AND e.user_id = \(.literal(user.raw)) AND \(test)"
    }

    /// Writes what callers said about their own values.
    static func apply(_ changes: [PendingChange], _ scope: WriteScope) throws {
        let user = SQLValue.integer(scope.access.user.raw)
        let said = changes.filter { !$0.externalValues.isEmpty }
        // A field at a time over the whole batch; a module has a few such fields at most.
        for field in Set(said.flatMap(\.externalValues.keys)).sorted() {
            let about = said.filter { $0.externalValues[field] != nil }
            try scope.tx.execute(
                """
                DELETE FROM \(table) WHERE field_id = \(.integer(field.raw)) AND user_id = \(user) \
                AND \(.memberIDs("record_id", about.map(\.after.id.raw)))
                """)
            let rows = about.compactMap { change -> [SQLValue]? in
                guard case .some(.some(let text)) = change.externalValues[field] else { return nil }
                return [.integer(field.raw), user, .integer(change.after.id.raw), .text(text)]
            }
            // Who holds one of these and is there has been refused: what is left belongs to records in the recycle bin.
            let taken = rows.map { "\(.folded("\($0[3])"))" as SQL }
            if !taken.isEmpty {
                try scope.tx.execute(
                    """
                    DELETE FROM \(table) WHERE field_id = \(.integer(field.raw)) AND user_id = \(user) \
                    AND \(.folded("value")) IN (\(.joined(taken, by: ", ")))
                    """)
            }
            try scope.tx.insert(into: table, ["field_id", "user_id", "record_id", "value"], rows: rows)
        }
    }

    /// Drops the values of records that are gone for good.
    static func erase(_ ids: [RecordID], _ tx: Transaction) throws {
        try tx.execute("DELETE FROM \(table) WHERE \(.memberIDs("record_id", ids.map(\.raw)))")
    }

    /// Which records hold values for a user, by the form in which two values are the same.
    static func holders(of values: [SQLValue], _ field: Field, _ module: Module, for user: UserID, _ tx: Transaction) throws -> [SQLValue:
        [UniqueValues.Holder]]
    {
        guard let owned = module.table, !values.isEmpty else { return [:] }
        let list = values.map { "\(.folded("\($0)"))" as SQL }
        let owner: SQL = module.field("Owner") == nil ? "NULL" : "t.owner"
        var found: [SQLValue: [UniqueValues.Holder]] = [:]
        // Values of records in the recycle bin keep nobody from using them again.
        try tx.forEach(
            """
            SELECT t.id, e.value, \(owner) FROM \(table) e JOIN \(owned) t ON t.id = e.record_id WHERE e.field_id = \(.integer(field.id.raw)) \
            AND e.user_id = \(.integer(user.raw)) AND \(.folded("e.value")) IN (\(.joined(list, by: ", "))) ORDER BY t.id
            """
        ) { row in
            let holder = UniqueValues.Holder(id: RecordID(raw: row.integer(0) ?? 0), owner: row.integer(2))
            found[UniqueValues.key(row.value(1, as: .text)), default: []].append(holder)
        }
        return found
    }
}
