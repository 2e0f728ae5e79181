import Metadata
import SQLStore
import Wire

/// Invitations of new users: a link that lets one person set a password, once. Owns `sys_invitation`, which holds digests only.
package enum Invitations {
    /// How long a link holds. Longer than a holiday's weekend, shorter than a forgotten mailbox.
    package static let days: Int64 = 7

    static let schema: [SQL] = [
        """
        CREATE TABLE sys_invitation (user_id \(.type(.integer)) PRIMARY KEY, hash \(.type(.text)) NOT NULL,
            expires_at \(.type(.integer)) NOT NULL)\(.strict)
        """,
        "CREATE UNIQUE INDEX sys_invitation_hash ON sys_invitation (hash)",
    ]

    /// Makes a link in place of any before, and writes to the user. `origin` is where people reach this server.
    static func send(to user: RecordID, _ body: JSONValue, origin: String, _ scope: MetadataScope) throws {
        guard let address = body["email"]?.string.flatMap(MailAddress.init) else { return }
        let token = Secrets.hex(Secrets.randomBytes(32))
        let expires = Instant(milliseconds: scope.now.milliseconds + days * 86_400_000)
        let hash = SQLValue.text(Secrets.fingerprint(token))
        try scope.tx.execute(
            """
            INSERT INTO sys_invitation (user_id, hash, expires_at) VALUES (\(user), \(hash), \(expires))
            ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at
            """)
        let host = Mail.line(scope.catalog.user(scope.user)?.fullName ?? "An administrator")
        let text = """
            Hello \(Mail.line(body["full_name"]?.string ?? "")),

            \(host) invites you to work with Tributary. Set a password here within \(days) days:

            \(origin)/invitation/\(token)

            If you did not expect this, do nothing.

            """
        try Outbox.add(
            [Mail(to: address, subject: "\(host) invites you to Tributary", text: text)], ids: scope.ids, now: scope.now, scope.tx)
    }

    static func withdraw(from user: RecordID, _ tx: Transaction) throws {
        try tx.execute("DELETE FROM sys_invitation WHERE user_id = \(user)")
    }

    /// Who is invited by a link; nobody when it is used, replaced or too old, or the user is no longer active.
    package static func guest(_ token: String, _ services: Services) async throws -> User? {
        let now = services.clock()
        let hash = SQLValue.text(Secrets.fingerprint(token))
        let id = try await services.database.run(.read) { tx in
            try tx.first("SELECT user_id FROM sys_invitation WHERE hash = \(hash) AND expires_at > \(now)") { $0.integer(0) ?? 0 }
        }
        guard let user = id.flatMap({ services.catalog.current().user(UserID(raw: $0)) }), user.active else { return nil }
        return user
    }

    /// The link is used up: its user has the password and counts as confirmed. Of several who try at once one succeeds.
    package static func accept(_ token: String, password: String, _ services: Services) async throws -> Bool {
        guard try await guest(token, services) != nil else { return false }
        guard let made = await PasswordHash.make(password) else { throw PasswordFailure() }
        let hash = SQLValue.text(Secrets.fingerprint(token))
        return try await services.changeMetadata { scope in
            let found = try scope.tx.first(
                "DELETE FROM sys_invitation WHERE hash = \(hash) AND expires_at > \(scope.now) RETURNING user_id"
            ) { UserID(raw: $0.integer(0) ?? 0) }
            guard let id = found, let user = scope.catalog.user(id), user.active else { return false }
            try CredentialStore.put(made, of: id, at: scope.now, scope.tx)
            var body = user.body
            body["confirm"] = true
            try scope.replace(RecordID(raw: id.raw), body: body)
            return true
        }
    }
}
