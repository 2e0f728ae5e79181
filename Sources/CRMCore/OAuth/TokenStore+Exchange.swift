import Metadata
import SQLStore
import Wire

extension TokenStore {
    /// Turns a code into tokens, once. A second use revokes what the first one gave (RFC 6749, 4.1.2).
    package func exchange(code: String, client: Client, redirectURI: String?) async throws -> TokenOutcome {
        let made = NewTokens(accessID: ids.next(), refreshID: ids.next(), now: clock())
        let fingerprint = Secrets.fingerprint(code)
        let (outcome, revoked) = try await database.run(.write) { [limits] tx in
            try Self.exchange(fingerprint, client, redirectURI, made, limits, tx)
        }
        if revoked { forget() }
        return outcome
    }

    /// A new access token from a refresh token, which stays as it is.
    package func refresh(_ token: String, client: Client) async throws -> TokenOutcome {
        let made = NewTokens(accessID: ids.next(), refreshID: ids.next(), now: clock())
        let fingerprint = Secrets.fingerprint(token)
        return try await database.run(.write) { [limits] tx in
            try Self.lock(client, tx)
            guard let refresh = try Self.find(.refresh, fingerprint, tx), refresh.clientID == client.clientID,
                let scopes = ScopeSet(refresh.scopes)
            else { return .invalidCode }
            let start = made.now.adding(seconds: -limits.accessWindowSeconds)
            let recent = try tx.first(
                "SELECT COUNT(*) FROM sys_token WHERE refresh_id = \(refresh.id) AND created_at > \(start)"
            ) { row in row.integer(0) ?? 0 }
            guard (recent ?? 0) < limits.accessPerRefresh else { return .tooManyRequests }
            try Self.prune(tx, before: made.now.adding(seconds: -limits.keepExpiredSeconds))
            try Self.insert(
                made.access(of: refresh, from: refresh.id, limits), Secrets.fingerprint(made.accessToken), tx)
            return .issued(
                IssuedTokens(access: made.accessToken, refresh: nil, scopes: scopes, expiresInSeconds: Int(limits.accessSeconds)))
        }
    }

    private static func exchange(
        _ fingerprint: String, _ client: Client, _ redirectURI: String?, _ made: NewTokens, _ limits: TokenLimits, _ tx: Transaction
    ) throws -> (TokenOutcome, revoked: Bool) {
        try lock(client, tx)
        guard let code = try find(.code, fingerprint, tx), code.clientID == client.clientID, let scopes = ScopeSet(code.scopes) else {
            return (.invalidCode, false)
        }
        if let registered = code.redirectURI, let redirectURI, registered != redirectURI { return (.invalidRedirect, false) }
        let claimed = try tx.execute(
            "UPDATE sys_token SET used_at = \(made.now) WHERE id = \(code.id) AND used_at IS NULL AND expires_at > \(made.now)")
        guard claimed == 1 else {
            guard code.used != nil else { return (.invalidCode, false) }
            try revokeFamily(code.family, tx)
            return (.invalidCode, true)
        }
        try insert(made.access(of: code, from: nil, limits), Secrets.fingerprint(made.accessToken), tx)
        var dropped = false
        if code.offline {
            try insert(made.refresh(of: code), Secrets.fingerprint(made.refreshToken), tx)
            dropped = try dropOldest(code, limits, tx)
        }
        let issued = IssuedTokens(
            access: made.accessToken, refresh: code.offline ? made.refreshToken : nil, scopes: scopes,
            expiresInSeconds: Int(limits.accessSeconds))
        return (.issued(issued), dropped)
    }

    /// Exchanges of one client run one after the other, so that counts are right and a code's second use sees its first.
    static func lock(_ client: Client, _ tx: Transaction) throws {
        _ = try tx.first("SELECT id FROM sys_client WHERE id = \(client.id)\(.lockRows)") { row in row.integer(0) }
    }

    /// Whether there was one to drop.
    private static func dropOldest(_ code: TokenRow, _ limits: TokenLimits, _ tx: Transaction) throws -> Bool {
        let surplus = try tx.rows(
            """
            SELECT family FROM sys_token
            WHERE user_id = \(.integer(code.user.raw)) AND client_id = \(.text(code.clientID)) AND kind = 'refresh'
            ORDER BY created_at DESC, id DESC LIMIT 100 OFFSET \(.integer(Int64(limits.refreshTokens)))
            """
        ) { row in RecordID(raw: row.integer(0) ?? 0) }
        for family in surplus { try revokeFamily(family, tx) }  // one, unless the limit was lowered
        return !surplus.isEmpty
    }
}

/// Texts and ids of tokens about to be made: chosen before the transaction, which may run twice.
private struct NewTokens: Sendable {
    let accessID: RecordID
    let refreshID: RecordID
    let now: Instant
    let accessToken = Secrets.token()
    let refreshToken = Secrets.token()

    func access(of origin: TokenRow, from refresh: RecordID?, _ limits: TokenLimits) -> TokenRow {
        TokenRow(
            id: accessID, kind: .access, clientID: origin.clientID, user: origin.user, scopes: origin.scopes, family: origin.family,
            refresh: refresh, created: now, expires: now.adding(seconds: limits.accessSeconds))
    }

    func refresh(of code: TokenRow) -> TokenRow {
        TokenRow(
            id: refreshID, kind: .refresh, clientID: code.clientID, user: code.user, scopes: code.scopes, family: code.family,
            offline: true, created: now)
    }
}
