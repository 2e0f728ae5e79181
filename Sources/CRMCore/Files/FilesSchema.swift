import SQLStore

/// The tables behind files: contents by hash, files as they were uploaded, and which record holds which.
enum FilesSchema {
    static let statements: [SQL] = [
        // A content is written down here before its first byte is put away, so that nothing in a store is ever unknown.
        // `expires_at` is null while a file has it; `removing_since` is set while its bytes are being taken away.
        """
        CREATE TABLE sys_blob (hash \(.type(.text)) PRIMARY KEY, size \(.type(.integer)) NOT NULL, stored \(.type(.integer)) NOT NULL,
            expires_at \(.type(.integer)), removing_since \(.type(.integer)))\(.strict)
        """,
        "CREATE INDEX sys_blob_due ON sys_blob (expires_at) WHERE expires_at IS NOT NULL",
        // An uploaded file. `expires_at` is null while a record holds it.
        """
        CREATE TABLE sys_file (id \(.type(.integer)) PRIMARY KEY, token \(.type(.text)) NOT NULL, hash \(.type(.text)) NOT NULL,
            size \(.type(.integer)) NOT NULL, name \(.type(.text)) NOT NULL, content_type \(.type(.text)) NOT NULL,
            owner \(.type(.integer)) NOT NULL, created_at \(.type(.integer)) NOT NULL, expires_at \(.type(.integer)))\(.strict)
        """,
        "CREATE UNIQUE INDEX sys_file_token ON sys_file (token)",
        "CREATE INDEX sys_file_hash ON sys_file (hash)",
        "CREATE INDEX sys_file_due ON sys_file (expires_at) WHERE expires_at IS NOT NULL",
        // Contents of a database without a folder beside it.
        """
        CREATE TABLE sys_file_chunk (hash \(.type(.text)) NOT NULL, position \(.type(.integer)) NOT NULL, bytes \(.type(.blob)) NOT NULL,
            PRIMARY KEY (hash, position))\(.strict)
        """,
        // A file in a field of a record, or (field 0) the file of an attachment. `dropped_by` names the merge that took it away
        // and may give it back.
        """
        CREATE TABLE sys_field_file (id \(.type(.integer)) PRIMARY KEY, record_id \(.type(.integer)) NOT NULL,
            field_id \(.type(.integer)) NOT NULL, file_id \(.type(.integer)), link_url \(.type(.text)), position \(.type(.integer)) NOT NULL,
            description \(.type(.text)), created_by \(.type(.integer)) NOT NULL, created_at \(.type(.integer)) NOT NULL,
            modified_by \(.type(.integer)) NOT NULL, modified_at \(.type(.integer)) NOT NULL, dropped_by \(.type(.integer)))\(.strict)
        """,
        "CREATE INDEX sys_field_file_record ON sys_field_file (record_id, field_id, position)",
        "CREATE INDEX sys_field_file_file ON sys_field_file (file_id)",
    ]
}
