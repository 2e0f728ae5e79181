import Metadata
import SQLStore
import Wire

/// A row of `sys_token`, without the digest it is found by.
struct TokenRow: Sendable {
    enum Kind: String, Sendable { case code, refresh, access, session }

    let id: RecordID
    let kind: Kind
    let clientID: String
    let user: UserID
    let scopes: String
    let family: RecordID
    /// The refresh token an access token was made from; nil for the one that came beside it.
    var refresh: RecordID? = nil
    var redirectURI: String? = nil
    var offline = false
    let created: Instant
    var expires: Instant? = nil
    var used: Instant? = nil
}

extension TokenStore {
    static func insert(_ token: TokenRow, _ fingerprint: String, _ tx: Transaction) throws {
        try tx.execute(
            """
            INSERT INTO sys_token (id, kind, hash, client_id, user_id, scopes, family, refresh_id, redirect_uri, offline, created_at,
                expires_at)
            VALUES (\(token.id), \(.text(token.kind.rawValue)), \(.text(fingerprint)), \(.text(token.clientID)),
                \(.integer(token.user.raw)), \(.text(token.scopes)), \(token.family), \(SQLValue(token.refresh?.raw)),
                \(SQLValue(token.redirectURI)), \(.integer(token.offline ? 1 : 0)), \(token.created),
                \(SQLValue(token.expires?.milliseconds)))
            """)
    }

    static func find(_ kind: TokenRow.Kind, _ fingerprint: String, _ tx: Transaction) throws -> TokenRow? {
        try tx.first(
            """
            SELECT id, client_id, user_id, scopes, family, refresh_id, redirect_uri, offline, created_at, expires_at, used_at
            FROM sys_token WHERE hash = \(.text(fingerprint)) AND kind = \(.text(kind.rawValue))
            """
        ) { row in
            TokenRow(
                id: RecordID(raw: row.integer(0) ?? 0), kind: kind, clientID: row.text(1) ?? "",
                user: UserID(raw: row.integer(2) ?? 0), scopes: row.text(3) ?? "", family: RecordID(raw: row.integer(4) ?? 0),
                refresh: row.integer(5).map(RecordID.init(raw:)), redirectURI: row.text(6), offline: row.integer(7) == 1,
                created: Instant(milliseconds: row.integer(8) ?? 0), expires: row.integer(9).map(Instant.init(milliseconds:)),
                used: row.integer(10).map(Instant.init(milliseconds:)))
        }
    }
}
