import Metadata
import SQLStore
import Wire

/// Signed-in browsers. A session's text goes into a cookie and nowhere else.
extension TokenStore {
    package func startSession(of user: UserID) async throws -> String {
        let token = Secrets.token()
        let id = ids.next()
        let now = clock()
        let session = TokenRow(
            id: id, kind: .session, clientID: "web", user: user, scopes: "", family: id, created: now,
            expires: now.adding(seconds: limits.sessionSeconds))
        try await database.run(.write) { [limits] tx in
            try Self.prune(tx, before: now.adding(seconds: -limits.keepExpiredSeconds))
            try Self.insert(session, Secrets.fingerprint(token), tx)
        }
        return token
    }

    package func user(ofSession token: String) async throws -> UserID? {
        let fingerprint = Secrets.fingerprint(token)
        let now = clock()
        let session = try await database.run(.read) { tx in try Self.find(.session, fingerprint, tx) }
        guard let session, let expires = session.expires, expires > now else { return nil }
        return session.user
    }

    package func endSession(_ token: String) async throws {
        let fingerprint = Secrets.fingerprint(token)
        try await database.run(.write) { tx in
            try tx.execute("DELETE FROM sys_token WHERE hash = \(.text(fingerprint)) AND kind = 'session'")
            return
        }
    }

    static func endSessions(of user: UserID, _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_token WHERE user_id = \(.integer(user.raw)) AND client_id = 'web' AND kind = 'session'")
    }

    /// Takes everything from a user who is gone: sessions, tokens, codes, and the password.
    static func endAll(of user: UserID, _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_token WHERE user_id = \(.integer(user.raw))")
        try tx.execute("DELETE FROM sys_credential WHERE user_id = \(.integer(user.raw))")
        try tx.notify(channel, "revoked")
    }

    /// Everywhere at once: after a change of password.
    package func endSessions(of user: UserID) async throws {
        try await database.run(.write) { tx in
            try Self.endSessions(of: user, tx)
        }
    }
}
