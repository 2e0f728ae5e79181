import SQLStore
import Wire

/// Numbers that count up across processes: autonumbers, and secrets made once.
package enum Counters {
    static let schema: [SQL] = [
        "CREATE TABLE sys_counter (name \(.type(.text)) PRIMARY KEY, value \(.type(.integer)) NOT NULL)\(.strict)"
    ]

    /// Takes `count` numbers and returns the first. The row lock holds until the transaction ends.
    static func take(_ count: Int, of name: String, startingAt first: Int64 = 1, _ tx: Transaction) throws -> Int64 {
        let taken = Int64(count)
        let sql: SQL = """
            INSERT INTO sys_counter (name, value) VALUES (\(.text(name)), \(.integer(first + taken)))
            ON CONFLICT (name) DO UPDATE SET value = sys_counter.value + \(.integer(taken)) RETURNING value
            """
        let after = try tx.first(sql) { $0.integer(0) ?? 0 } ?? 0
        return after - taken
    }
}
