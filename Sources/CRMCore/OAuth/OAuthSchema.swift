import SQLStore

/// The tables behind sign-in: clients, tokens of every kind, and passwords. Secrets appear in them as digests only.
package enum OAuthSchema {
    package static let schema: [SQL] = [
        """
        CREATE TABLE sys_client (
            id \(.type(.integer)) PRIMARY KEY,
            client_id \(.type(.text)) NOT NULL,
            secret_hash \(.type(.text)) NOT NULL,
            name \(.type(.text)) NOT NULL,
            redirect_uris \(.type(.text)) NOT NULL,
            created_at \(.type(.integer)) NOT NULL
        )\(.strict)
        """,
        "CREATE UNIQUE INDEX sys_client_client_id ON sys_client (client_id)",
        // kind: code, refresh, access, session. family joins everything that came from one consent.
        """
        CREATE TABLE sys_token (
            id \(.type(.integer)) PRIMARY KEY,
            kind \(.type(.text)) NOT NULL,
            hash \(.type(.text)) NOT NULL,
            client_id \(.type(.text)) NOT NULL,
            user_id \(.type(.integer)) NOT NULL,
            scopes \(.type(.text)) NOT NULL,
            family \(.type(.integer)) NOT NULL,
            refresh_id \(.type(.integer)),
            redirect_uri \(.type(.text)),
            offline \(.type(.integer)) NOT NULL,
            created_at \(.type(.integer)) NOT NULL,
            expires_at \(.type(.integer)),
            used_at \(.type(.integer))
        )\(.strict)
        """,
        "CREATE UNIQUE INDEX sys_token_hash ON sys_token (hash)",
        "CREATE INDEX sys_token_family ON sys_token (family)",
        "CREATE INDEX sys_token_refresh ON sys_token (refresh_id, created_at) WHERE refresh_id IS NOT NULL",
        "CREATE INDEX sys_token_user ON sys_token (user_id, client_id, kind, created_at)",
        "CREATE INDEX sys_token_expiry ON sys_token (expires_at) WHERE expires_at IS NOT NULL",
        """
        CREATE TABLE sys_credential (
            user_id \(.type(.integer)) PRIMARY KEY,
            password_hash \(.type(.text)) NOT NULL,
            changed_at \(.type(.integer)) NOT NULL,
            failures \(.type(.integer)) NOT NULL,
            failed_at \(.type(.integer))
        )\(.strict)
        """,
    ]
}
