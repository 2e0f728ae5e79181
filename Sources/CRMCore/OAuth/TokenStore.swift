import Metadata
import SQLStore
import Wire

/// Codes, refresh tokens, access tokens and browser sessions. Owns `sys_token`; tokens are stored as digests.
package final class TokenStore: Sendable {
    /// Told to every process when tokens stop being valid.
    package static let channel = "tokens"

    package let limits: TokenLimits
    let database: Database
    let ids: any IDSource
    let clock: @Sendable () -> Instant
    private let cache = GrantCache()

    package init(
        _ database: Database, ids: any IDSource, clock: @escaping @Sendable () -> Instant, limits: TokenLimits = TokenLimits()
    ) {
        self.database = database
        self.ids = ids
        self.clock = clock
        self.limits = limits
    }

    /// Drops cached grants whenever any process revokes something. Runs until cancelled.
    package func followRevocations() async {
        for await _ in database.notifications(Self.channel) { cache.clear() }
    }

    /// What an access token stands for; nil when it is unknown, expired or revoked.
    package func grant(for token: String) async throws -> Grant? {
        let fingerprint = Secrets.fingerprint(token)
        let now = clock()
        if let grant = cache.find(fingerprint, now: now) { return grant }
        let epoch = cache.epoch
        let found = try await database.run(.read) { tx in try Self.find(.access, fingerprint, tx) }
        guard let found, let expires = found.expires, expires > now, let scopes = ScopeSet(found.scopes) else { return nil }
        let grant = Grant(user: found.user, clientID: found.clientID, scopes: scopes, expires: expires, family: found.family)
        cache.insert(fingerprint, grant, now: now, epoch: epoch)
        return grant
    }

    /// A code to be exchanged once. Web codes live two minutes; a self-client's as long as the caller says.
    package func issueCode(
        client: Client, user: UserID, scopes: ScopeSet, redirectURI: String?, offline: Bool, lifeSeconds: Int64? = nil
    ) async throws -> String {
        let token = Secrets.token()
        let id = ids.next()
        let now = clock()
        let code = TokenRow(
            id: id, kind: .code, clientID: client.clientID, user: user, scopes: scopes.text, family: id, redirectURI: redirectURI,
            offline: offline, created: now, expires: now.adding(seconds: lifeSeconds ?? limits.webCodeSeconds))
        try await database.run(.write) { [limits] tx in
            try Self.prune(tx, before: now.adding(seconds: -limits.keepExpiredSeconds))
            try Self.insert(code, Secrets.fingerprint(token), tx)
        }
        return token
    }

    /// An access token without a consent, for scripts of the administrator.
    package func issueAccess(clientID: String, user: UserID, scopes: ScopeSet, lifeSeconds: Int64) async throws -> String {
        let token = Secrets.token()
        let id = ids.next()
        let now = clock()
        let access = TokenRow(
            id: id, kind: .access, clientID: clientID, user: user, scopes: scopes.text, family: id, created: now,
            expires: now.adding(seconds: lifeSeconds))
        try await database.run(.write) { [limits] tx in
            try Self.prune(tx, before: now.adding(seconds: -limits.keepExpiredSeconds))
            try Self.insert(access, Secrets.fingerprint(token), tx)
        }
        return token
    }

    /// Ends a refresh or access token; a refresh token takes everything of its consent with it. False if it is unknown.
    package func revoke(_ token: String) async throws -> Bool {
        let fingerprint = Secrets.fingerprint(token)
        let found = try await database.run(.write) { tx in
            if let refresh = try Self.find(.refresh, fingerprint, tx) {
                try Self.revokeFamily(refresh.family, tx)
            } else if let access = try Self.find(.access, fingerprint, tx) {
                try tx.execute("DELETE FROM sys_token WHERE id = \(access.id)")
                try tx.notify(Self.channel, "revoked")
            } else {
                return false
            }
            return true
        }
        forget()
        return found
    }

    /// Takes a client away with all its tokens, codes too.
    package func remove(_ client: Client) async throws {
        try await database.run(.write) { tx in
            try Self.lock(client, tx)
            try tx.execute("DELETE FROM sys_token WHERE client_id = \(.text(client.clientID))")
            try ClientStore.delete(client, tx)
            try tx.notify(Self.channel, "revoked")
        }
        forget()
    }

    /// This process must not answer from its cache what it has just revoked; the others follow by notification.
    func forget() { cache.clear() }

    static func revokeFamily(_ family: RecordID, _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_token WHERE family = \(family) AND kind <> 'code'")
        try tx.notify(channel, "revoked")
    }

    /// At most a hundred rows a call: issuing pays for what earlier issuing left, never for a backlog.
    static func prune(_ tx: Transaction, before limit: Instant) throws {
        try tx.execute(
            """
            DELETE FROM sys_token WHERE id IN (
                SELECT id FROM sys_token WHERE expires_at < \(limit) ORDER BY expires_at, id LIMIT 100 \(.skipLocked))
            """)
    }
}
