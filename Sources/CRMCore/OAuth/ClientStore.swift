import Metadata
import SQLStore
import Wire

/// A program that may ask for tokens.
package struct Client: Sendable, Equatable {
    package let id: RecordID
    package let clientID: String
    package let name: String
    package let redirectURIs: [String]
}

/// Registered clients. Owns `sys_client`.
package struct ClientStore: Sendable {
    private let database: Database
    private let ids: any IDSource
    private let clock: @Sendable () -> Instant

    package init(_ database: Database, ids: any IDSource, clock: @escaping @Sendable () -> Instant) {
        self.database = database
        self.ids = ids
        self.clock = clock
    }

    /// The secret is returned here once and kept as a digest.
    package func create(name: String, redirectURIs: [String]) async throws -> (client: Client, secret: String) {
        let client = Client(
            id: ids.next(), clientID: "1000." + Secrets.hex(Secrets.randomBytes(15)).uppercased(), name: name, redirectURIs: redirectURIs)
        let secret = Secrets.hex(Secrets.randomBytes(21))
        let hash = Secrets.fingerprint(secret)
        let now = clock()
        let uris = JSONValue.array(redirectURIs.map { .string($0) }).text
        try await database.run(.write) { tx in
            try tx.execute(
                """
                INSERT INTO sys_client (id, client_id, secret_hash, name, redirect_uris, created_at)
                VALUES (\(client.id), \(.text(client.clientID)), \(.text(hash)), \(.text(name)),
                    \(.text(uris)), \(now))
                """)
        }
        return (client, secret)
    }

    /// Every client with the moment it was made, the oldest first. An organisation has a handful; a thousand are told.
    package func all() async throws -> [(client: Client, createdAt: Instant)] {
        try await database.run(.read) { tx in
            try tx.rows("SELECT id, name, redirect_uris, client_id, created_at FROM sys_client ORDER BY id LIMIT 1000") { row in
                let uris = (try? JSONValue.parse(Array((row.text(2) ?? "[]").utf8)))?.array ?? []
                let client = Client(
                    id: RecordID(raw: row.integer(0) ?? 0), clientID: row.text(3) ?? "", name: row.text(1) ?? "",
                    redirectURIs: uris.compactMap(\.string))
                return (client, Instant(milliseconds: row.integer(4) ?? 0))
            }
        }
    }

    static func delete(_ client: Client, _ tx: Transaction) throws { try tx.execute("DELETE FROM sys_client WHERE id = \(client.id)") }

    package func find(_ clientID: String) async throws -> Client? { try await load(clientID)?.client }

    package enum Authentication: Sendable, Equatable {
        case accepted(Client)
        case unknownClient, wrongSecret
    }

    package func authenticate(_ clientID: String, secret: String) async throws -> Authentication {
        guard let (client, hash) = try await load(clientID) else { return .unknownClient }
        return Secrets.equal(Secrets.fingerprint(secret), hash) ? .accepted(client) : .wrongSecret
    }

    private func load(_ clientID: String) async throws -> (client: Client, hash: String)? {
        try await database.run(.read) { tx in
            try tx.first(
                "SELECT id, name, redirect_uris, secret_hash FROM sys_client WHERE client_id = \(.text(clientID))"
            ) { row in
                let uris = (try? JSONValue.parse(Array((row.text(2) ?? "[]").utf8)))?.array ?? []
                let client = Client(
                    id: RecordID(raw: row.integer(0) ?? 0), clientID: clientID, name: row.text(1) ?? "",
                    redirectURIs: uris.compactMap(\.string))
                return (client, row.text(3) ?? "")
            }
        }
    }

    /// Whether a redirect may be registered: absolute, without a fragment, and not a scheme that a browser runs.
    package static func acceptsRedirect(_ uri: String) -> Bool {
        guard let range = uri.firstRange(of: "://"), range.upperBound < uri.endIndex, uri.utf8.count <= 2000 else { return false }
        let scheme = uri[..<range.lowerBound].lowercased()
        let schemeIsSafe = !["javascript", "data", "vbscript", "file", "blob"].contains(scheme)
        let schemeIsName = scheme.first?.isLetter == true && scheme.utf8.allSatisfy { isSchemeByte($0) }
        return schemeIsSafe && schemeIsName && uri.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }
    }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }
}
