import SQLStore
import Wire

/// Numbers under names: those that count up across processes, such as autonumbers, and those that are kept to be found again.
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

    /// Keeps a number under a name that nothing is counted by, in place of the one before.
    static func keep(_ number: Int64, as name: String, _ tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO sys_counter (name, value) VALUES (\(.text(name)), \(.integer(number)))
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """)
    }

    static func kept(_ name: String, _ tx: Transaction) throws -> Int64? {
        try tx.first("SELECT value FROM sys_counter WHERE name = \(.text(name))") { $0.integer(0) } ?? nil
    }
}
