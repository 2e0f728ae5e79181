import SQLStore

/// Secrets that every process on one database needs, made by the first that asks.
enum SharedSecrets {
    static let schema: [SQL] = ["CREATE TABLE sys_secret (name \(.type(.text)) PRIMARY KEY, value \(.type(.text)) NOT NULL)\(.strict)"]

    static func key(_ name: String, _ tx: Transaction) throws -> [UInt8] {
        let made = Secrets.hex(Secrets.randomBytes(32))
        try tx.execute("INSERT INTO sys_secret (name, value) VALUES (\(.text(name)), \(.text(made))) ON CONFLICT (name) DO NOTHING")
        let stored = try tx.first("SELECT value FROM sys_secret WHERE name = \(.text(name))") { $0.text(0) ?? "" } ?? made
        return Secrets.bytes(hex: stored) ?? Array(stored.utf8)
    }
}
